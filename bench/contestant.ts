import { type ChildProcess, execFileSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { startChild } from './children.ts'

export const PARTS = ['data', 'vectors', 'feed', 'log'] as const
export type Part = (typeof PARTS)[number]

/** What one batch cost. */
export interface BatchCost {
  readonly batch: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly bytes: Readonly<Record<Part, number>>
  readonly files: number
}

/** Where the time of a flush of ours went, milliseconds. */
export interface BatchPhases {
  readonly flushMs: number
  readonly planMs: number
  readonly encodeMs: number
  readonly putMs: number
  readonly commitMs: number
}

/** What a contestant says at its end. */
export interface Farewell {
  readonly peakMemoryMb: number
  /** Of every batch; the peers do not tell. */
  readonly phases?: readonly BatchPhases[]
}

/** What a whole stream without pauses cost. */
export interface StreamCost extends Omit<BatchCost, 'batch'> {
  readonly events: number
}

/**
 * A process that does the work, ours or a peer's. It runs only while it has an order: between two orders it is stopped, so
 * that nothing of it (merging beside the stream above all) happens while the clock stands.
 */
export class Contestant {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess) {
    this.#process = child
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  }

  static async start(command: string, args: readonly string[]): Promise<Contestant> {
    const child = startChild(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const contestant = new Contestant(child)
    await contestant.#answer()
    contestant.#signal('SIGSTOP')
    return contestant
  }

  async runBatches(from: number, to: number): Promise<readonly BatchCost[]> {
    this.#order({ batches: [from, to] })
    const costs: BatchCost[] = []
    for (let batch = from; batch <= to; batch++) costs.push((await this.#answer()) as unknown as BatchCost)
    this.#signal('SIGSTOP')
    return costs
  }

  /** Also its end. */
  async runStream(
    from: number,
    to: number,
  ): Promise<{ readonly cost: StreamCost; readonly farewell: Farewell }> {
    this.#order({ stream: [from, to] })
    const cost = (await this.#answer()) as unknown as StreamCost
    return { cost, farewell: (await this.#answer()) as unknown as Farewell }
  }

  async end(): Promise<Farewell> {
    this.#order({ end: true })
    return (await this.#answer()) as unknown as Farewell
  }

  #order(order: Record<string, unknown>): void {
    this.#signal('SIGCONT')
    this.#process.stdin!.write(`${JSON.stringify(order)}\n`)
  }

  #signal(signal: NodeJS.Signals): void {
    process.kill(-this.#process.pid!, signal)
  }

  async #answer(): Promise<Record<string, unknown>> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`${this.#process.spawnargs.join(' ')} ended before its answer`)
    return JSON.parse(value) as Record<string, unknown>
  }
}

/** Runs a program to its end. @returns what it printed */
export function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  })
}
