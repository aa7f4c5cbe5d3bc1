import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What one batch cost. */
export interface BatchCost {
  readonly batch: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly bytes: Readonly<Record<Part, number>>
  readonly files: number
}

export const PARTS = ['data', 'vectors', 'feed', 'log'] as const
export type Part = (typeof PARTS)[number]

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

  private constructor(process: ChildProcess) {
    this.#process = process
    this.#lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]()
  }

  static async start(
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<Contestant> {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    const contestant = new Contestant(child)
    await contestant.#answer()
    contestant.#process.kill('SIGSTOP')
    return contestant
  }

  async runBatches(from: number, to: number): Promise<readonly BatchCost[]> {
    this.#order({ batches: [from, to] })
    const costs: BatchCost[] = []
    for (let batch = from; batch <= to; batch++) costs.push((await this.#answer()) as unknown as BatchCost)
    this.#process.kill('SIGSTOP')
    return costs
  }

  /** Also its end. */
  async runStream(
    from: number,
    to: number,
  ): Promise<{ readonly cost: StreamCost; readonly peakMemoryMb: number }> {
    this.#order({ stream: [from, to] })
    const cost = (await this.#answer()) as unknown as StreamCost
    const { peakMemoryMb } = await this.#answer()
    return { cost, peakMemoryMb: Number(peakMemoryMb) }
  }

  async end(): Promise<{ readonly peakMemoryMb: number }> {
    this.#order({ end: true })
    const { peakMemoryMb } = await this.#answer()
    return { peakMemoryMb: Number(peakMemoryMb) }
  }

  #order(order: Record<string, unknown>): void {
    this.#process.kill('SIGCONT')
    this.#process.stdin!.write(`${JSON.stringify(order)}\n`)
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
