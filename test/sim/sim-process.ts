import { EngineError } from '../../core/errors.ts'
import { unobserved } from '../../core/fact.ts'
import type { Logger, Random } from '../../core/ports.ts'
import { Pipeline, type PipelineOptions, type RunReport } from '../../src/pipeline/pipeline.ts'
import type { TableStateName } from '../../src/pipeline/work-sample.ts'
import type { SeededRandom } from '../support/seeded-random.ts'
import type { SimBroker } from './sim-broker.ts'
import { SimChangeSource } from './sim-source.ts'
import { SimStore } from './sim-store.ts'
import type { World } from './world.ts'

/** Milliseconds since the epoch when the world begins. */
export const EPOCH_MS = 1_772_368_300_000

export type Ending =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'killed' }
  /** The process could not go on, and whoever supervises it starts another one. */
  | { readonly kind: 'gave up'; readonly error: EngineError }
  | { readonly kind: 'failed'; readonly error: unknown }

/** One life of the engine: the real pipeline on ports of the made-up world. What it held in memory ends with it. */
export class SimProcess {
  readonly name: string
  readonly startedAtMs: number
  readonly source: SimChangeSource
  /** Tables that it has stopped, by code. */
  readonly stopped: { readonly table: string; readonly code: string; readonly message: string }[] = []
  ending: Ending | null = null
  /** What it did, when it ended by being asked to. */
  report: RunReport | null = null
  readonly #world: World
  readonly #signal = new AbortController()
  #isPaused = false
  readonly #undelivered: (() => void)[] = []
  #pipeline: Pipeline | null = null

  constructor(world: World, name: string, broker: SimBroker) {
    this.name = name
    this.#world = world
    this.startedAtMs = world.scheduler.nowMs
    this.source = new SimChangeSource(this, broker, world)
  }

  get isAlive(): boolean {
    return this.ending === null
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** How a table stands in it, as its status page would tell. */
  async stateOf(table: string): Promise<TableStateName | null> {
    const sample = await this.#pipeline?.sample()
    return sample?.work.tables.find(({ name }) => name === table)?.state ?? null
  }

  /** Opens the pipeline and runs it; settles never when the process is killed. */
  start(options: PipelineOptions): void {
    this.#world.trace.note(this.name, 'starts')
    void this.#live(options).then(
      () => this.#end({ kind: 'stopped' }),
      (error: unknown) => this.#end(endingOf(error)),
    )
  }

  /** SIGTERM. */
  stop(): void {
    this.#world.trace.note(this.name, 'is asked to stop')
    this.#signal.abort()
  }

  /** SIGKILL: nothing of it goes on but what it had asked of others. */
  kill(): void {
    this.#end({ kind: 'killed' })
  }

  /** SIGSTOP and SIGCONT: answers wait. */
  pause(forMs: number): void {
    if (this.#isPaused || !this.isAlive) return
    this.#isPaused = true
    this.#world.trace.note(this.name, `is paused for ${Math.round(forMs)} ms`)
    this.#world.scheduler.in(forMs, () => this.#resume())
  }

  /** Hands an answer to the process: at once, when it wakes up, or never. */
  deliver(answer: () => void): void {
    if (!this.isAlive) return
    if (this.#isPaused) this.#undelivered.push(answer)
    else answer()
  }

  #resume(): void {
    this.#isPaused = false
    if (!this.isAlive) return
    this.#world.trace.note(this.name, 'goes on')
    for (const answer of this.#undelivered.splice(0)) answer()
  }

  async #live(options: PipelineOptions): Promise<void> {
    const { scheduler, random } = this.#world
    const ports = {
      store: new SimStore(this, this.#world),
      clock: {
        nowMs: () => EPOCH_MS + Math.floor(scheduler.nowMs) + this.#world.clockJumpMs,
        monotonicMs: () => scheduler.nowMs * this.#world.mood.haste,
        sleep: (ms: number) =>
          new Promise<void>((resolve) => scheduler.in(wholeSleep(ms), () => this.deliver(() => resolve()))),
      },
      random: dice(random),
      logger: this.#logger(),
      stepReached: () => {},
      observe: unobserved,
      locators: this.#world.machines.localOf(this),
    }
    this.#pipeline = await Pipeline.open(ports, this.source, options)
    this.report = await this.#pipeline.run({
      untilEnd: false,
      signal: this.#signal.signal,
      onProgress: () => {},
    })
    await this.source.close()
  }

  #end(ending: Ending): void {
    if (this.ending !== null) return
    this.ending = ending
    const why = 'error' in ending ? `: ${String(ending.error)}` : ''
    this.#world.trace.note(this.name, `${ending.kind}${why}`)
    this.#world.onEnd(this)
  }

  #logger(): Logger {
    const log = (level: string) => (fields: Record<string, unknown>, message: string) =>
      this.#world.trace.note(this.name, `${level} ${String(fields['table'] ?? '')} ${message}`)
    const error = (fields: Record<string, unknown>, message: string) => {
      log('error')(fields, message)
      this.stopped.push({ table: String(fields['table']), code: String(fields['code']), message })
      this.#world.onTableStopped(this)
    }
    const warn = (fields: Record<string, unknown>, message: string) => {
      log('warn')(fields, message)
      // What is no bad day of the store is our mistake, though no table stops for it.
      if (message === 'the upkeep of a table failed' && fields['code'] === 'E_BUG')
        this.#world.onMistake(`${this.name}: ${message}: ${String(fields['error'])}`)
    }
    return { debug: () => {}, info: log('info'), warn, error }
  }
}

/** So small a part of a millisecond that adding it to the time changes nothing would be waited for again and again. */
function wholeSleep(ms: number): number {
  return ms > 0 ? Math.max(ms, 0.001) : ms
}

function endingOf(error: unknown): Ending {
  return error instanceof EngineError && error.remedy === 'retry'
    ? { kind: 'gave up', error }
    : { kind: 'failed', error }
}

export function dice(random: SeededRandom): Random {
  const bytes = (length: number) => Uint8Array.from({ length }, () => random.below(256))
  const uuid = () =>
    Buffer.from(bytes(16))
      .toString('hex')
      .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')
  return { bytes, uuid }
}
