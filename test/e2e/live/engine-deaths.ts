import { setTimeout as pause } from 'node:timers/promises'
import { STORE_SITES, type StoreSite } from '../../../core/store-sites.ts'
import type { Engine } from '../kafka/engine-process.ts'
import type { IngestRun } from '../run-ingest.ts'

/** Made by a conditional put: the step after it says so. */
const CONDITIONAL: readonly StoreSite[] = ['log.put', 'probe.put']

/** Few commits pass these: they come last, when there have been many. */
const RARE = /checkpoint/

/** No table here has two topics, and nobody asks the processes for anything. */
const NOT_HERE: readonly StoreSite[] = ['grave.put', 'request.put']

/** Every step of the engine and of its store on S3 at which `ALLUVIUM_FAILPOINT` can kill. */
export const KILL_STEPS: readonly string[] = [
  ...STORE_SITES.filter((site) => site.endsWith('.put') && !NOT_HERE.includes(site)).flatMap((site) => [
    `${site}:before`,
    `${site}:${CONDITIONAL.includes(site) ? 'created' : 'written'}`,
  ]),
  'locator:before-move',
].sort((a, b) => Number(RARE.test(a)) - Number(RARE.test(b)))

/** Steps that few commits pass are not waited for longer: the process is killed wherever it is, and they come again. */
const STEP_MS_MAX = 20_000

/** A process that ends as it should moves the passed mark; without one the next would read all topics from their beginnings. */
const KILLS_BETWEEN_ENDS = 5
const QUIET_LIFE_MS = 6000

/** Kills one process after the other, in turns at every step, and keeps count. */
export class EngineDeaths {
  readonly #engine: Engine
  readonly #keep: (run: IngestRun, name: string) => void
  #waiting: string[] = []
  readonly byStep = new Map<string, number>(KILL_STEPS.map((step) => [step, 0]))
  elsewhere = 0
  startsWithoutBroker = 0
  ends = 0

  constructor(engine: Engine, keep: (run: IngestRun, name: string) => void) {
    this.#engine = engine
    this.#keep = keep
  }

  get count(): number {
    return this.elsewhere + [...this.byStep.values()].reduce((sum, kills) => sum + kills, 0)
  }

  get everyStepWasReached(): boolean {
    return [...this.byStep.values()].every((kills) => kills > 0)
  }

  /** One life that is ended by a supervisor, in the middle of whatever it does. */
  async #end(): Promise<void> {
    const life = this.#engine.live()
    await pause(QUIET_LIFE_MS)
    const run = await life.end()
    this.#keep(run, `engine-${this.count}-told-to-go`)
    if (run.exitCode !== 0 && !run.stderr.includes('E_KAFKA_UNREACHABLE'))
      throw new Error(`the engine did not end well when it was told to go: ${run.stderr}`)
    this.ends++
  }

  /** One life, from a start to a kill. @param pass the step kills when it is reached for so many times */
  async next(pass: number): Promise<void> {
    if (this.count >= this.ends * KILLS_BETWEEN_ENDS) await this.#end()
    if (this.#waiting.length === 0) this.#waiting = [...KILL_STEPS]
    const step = this.#waiting.shift()!
    const life = this.#engine.live({
      ALLUVIUM_FAILPOINT: `${step}:${/checkpoint|probe|sign/.test(step) ? 1 : pass}`,
    })
    const timeout = new AbortController()
    const wait = pause(STEP_MS_MAX, undefined, { signal: timeout.signal }).catch(() => {})
    const died = await Promise.race([life.exit, wait.then(() => null)])
    timeout.abort()
    if (died === null) life.signal('SIGKILL')
    const run = await life.exit
    this.#keep(run, `engine-${this.count}-${step}`)
    if (run.stderr.includes('E_KAFKA_UNREACHABLE')) {
      // Its start fell into that of the broker; whoever runs it starts it again.
      this.#waiting.unshift(step)
      this.startsWithoutBroker++
      return
    }
    if (run.signal !== 'SIGKILL') throw new Error(`the engine ended by itself at ${step}: ${run.stderr}`)
    if (died === null) {
      this.elsewhere++
      this.#waiting.push(step)
    } else {
      this.byStep.set(step, this.byStep.get(step)! + 1)
    }
  }
}
