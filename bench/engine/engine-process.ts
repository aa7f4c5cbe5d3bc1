import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { Fact, FlushPhases } from '../../core/fact.ts'
import type { Logger } from '../../core/ports.ts'
import { type Engine, openEngine } from '../../src/engine.ts'
import type { RunReport } from '../../src/pipeline/pipeline.ts'
import { HandedSource } from './handed-source.ts'
import { NewFiles } from './new-files.ts'
import { benchConfig, ORDERS_PATH } from './orders-table.ts'
import { peakMemoryMb } from './peak-memory.ts'
import { Profiler } from './profiler.ts'
import { RecordedBatches } from './recorded-batches.ts'

/**
 * Our engine as a contestant: takes orders on its input, a JSON object a line, and answers with lines of JSON.
 *
 * `{"batches":[from,to]}`: one batch after another, each from its raw bytes in memory to its commit; a line a batch.
 * `{"stream":[from,to]}`: all of them without a pause, to the last commit; then the end.
 * `{"end":true}`: the last line tells what the run took.
 */

/** A contestant that grumbles has not done the work. */
const LOGGER: Logger = { debug: () => {}, info: () => {}, warn: grumble, error: fail }

function grumble(fields: Record<string, unknown>, message: string): void {
  process.stderr.write(`engine: ${message} ${JSON.stringify(fields)}\n`)
}

function fail(fields: Record<string, unknown>, message: string): void {
  grumble(fields, message)
  process.exit(1)
}

function answer(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** What was used since the watch was started; it stands while the next input is loaded. */
class Watch {
  seconds = 0
  cpuSeconds = 0
  #since = { ns: 0n, cpu: process.cpuUsage() }

  start(): void {
    this.#since = { ns: process.hrtime.bigint(), cpu: process.cpuUsage() }
  }

  stop(): void {
    const { user, system } = process.cpuUsage(this.#since.cpu)
    this.seconds += Number(process.hrtime.bigint() - this.#since.ns) / 1e9
    this.cpuSeconds += (user + system) / 1e6
  }
}

/** Where the time of a flush went. */
type BatchPhases = FlushPhases & { readonly flushMs: number }

/** Hears of each batch of the table that is durable. */
class Commits {
  /** Of every batch so far. */
  readonly phases: BatchPhases[] = []
  #onCommit = (): void => {}

  readonly observe = (fact: Fact): void => {
    if (fact.kind !== 'batch-committed') return
    this.phases.push({ ...fact.phases, flushMs: fact.durationMs })
    this.#onCommit()
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#onCommit = resolve
    })
  }
}

/** One engine over one table, put together as for anybody; only its records are handed in. */
class Contestant {
  readonly #source: HandedSource
  readonly #batches: RecordedBatches
  readonly #commits: Commits
  readonly #newFiles: NewFiles
  readonly #run: Promise<RunReport>

  private constructor(settings: Settings, source: HandedSource, commits: Commits, { pipeline }: Engine) {
    this.#source = source
    this.#batches = new RecordedBatches(settings)
    this.#commits = commits
    this.#newFiles = new NewFiles(join(settings.lake, ORDERS_PATH))
    this.#run = pipeline.run({ untilEnd: false, signal: new AbortController().signal, onProgress: () => {} })
    this.#run.catch((error: unknown) => fail({}, String(error)))
  }

  static async open(settings: Settings): Promise<Contestant> {
    const config = benchConfig(settings)
    const source = new HandedSource()
    const commits = new Commits()
    const engine = await openEngine({
      ...{ config, pipeline: config.pipelines[0]!, source, logger: LOGGER, observe: commits.observe },
      ...{ failpoint: undefined, stateDirectory: settings.state, pipelineCount: 1 },
    })
    return new Contestant(settings, source, commits, engine)
  }

  async runBatch(index: number): Promise<Record<string, unknown>> {
    const fetches = this.#batches.load(index)
    const committed = this.#commits.next()
    const watch = new Watch()
    watch.start()
    void this.#source.hand(fetches)
    await committed
    watch.stop()
    return { batch: index, ...spent(watch), ...this.#newFiles.take() }
  }

  async runStream(from: number, to: number): Promise<Record<string, unknown>> {
    const watch = new Watch()
    for (let index = from; index <= to; index++) {
      const fetches = this.#batches.load(index)
      watch.start()
      await this.#source.hand(fetches)
      watch.stop()
    }
    watch.start()
    this.#source.end()
    await this.#run
    watch.stop()
    return { from, to, events: this.#batches.count, ...spent(watch), ...this.#newFiles.take() }
  }

  async end(): Promise<Record<string, unknown>> {
    this.#source.end()
    const { tally, tables } = await this.#run
    return { end: true, tally, tables, phases: this.#commits.phases, peakMemoryMb: peakMemoryMb() }
  }
}

function spent({ seconds, cpuSeconds }: Watch): Record<string, number> {
  return { seconds: Number(seconds.toFixed(6)), cpuSeconds: Number(cpuSeconds.toFixed(6)) }
}

interface Settings {
  readonly data: string
  readonly lake: string
  /** Where the locator keeps what does not fit into its memory. */
  readonly state: string
  readonly mode: 'upsert' | 'append'
  readonly batchRows: number | null
  readonly merging: 'on' | 'off'
  readonly schemas: 'off' | 'inline'
  /** Where to write a CPU profile of all batches but the first, which reads the table's keys. */
  readonly profile: string | null
}

function settingsOf(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string' },
      lake: { type: 'string' },
      state: { type: 'string' },
      mode: { type: 'string', default: 'upsert' },
      'batch-rows': { type: 'string' },
      merging: { type: 'string', default: 'on' },
      schemas: { type: 'string', default: 'off' },
      profile: { type: 'string' },
    },
  })
  const batchRows = values['batch-rows']
  return {
    data: values.data!,
    lake: values.lake!,
    state: values.state!,
    mode: values.mode as Settings['mode'],
    batchRows: batchRows === undefined ? null : Number(batchRows),
    merging: values.merging as Settings['merging'],
    schemas: values.schemas as Settings['schemas'],
    profile: values.profile ?? null,
  }
}

interface Order {
  readonly batches?: readonly [from: number, to: number]
  readonly stream?: readonly [from: number, to: number]
  readonly end?: boolean
}

const settings = settingsOf(process.argv.slice(2))
const contestant = await Contestant.open(settings)
const profiler = settings.profile === null ? null : new Profiler()
answer({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order
  if (order.batches !== undefined) {
    const [from, to] = order.batches
    for (let index = from; index <= to; index++) {
      answer(await contestant.runBatch(index))
      if (index === 0) await profiler?.start()
    }
  }
  if (order.stream !== undefined) answer(await contestant.runStream(...order.stream))
  if (order.stream !== undefined || order.end === true) {
    await profiler?.stop(settings.profile!)
    answer(await contestant.end())
    break
  }
}
process.exit(0)
