import { EngineError } from '../../../core/errors.ts'
import type { Observe } from '../../../core/fact.ts'
import type { ObjectStore, Random } from '../../../core/ports.ts'
import { defaultConfig } from '../../../src/config/default-config.ts'
import { probeConditionalPut } from '../../../src/io/probe-conditional-put.ts'
import { Pipeline, type PipelineOptions } from '../../../src/pipeline/pipeline.ts'
import { OwnSign, runningProcesses } from '../../../src/pipeline/process-sign.ts'
import type { Request } from '../../../src/pipeline/request.ts'
import { RequestBox } from '../../../src/pipeline/request-box.ts'
import { pipelineOptions } from '../../../src/pipeline-options.ts'
import { loadSnapshot } from '../../../writers/delta/load-snapshot.ts'
import { Graves } from '../../../writers/graves.ts'
import { readChanges } from '../../../writers/table/change-feed.ts'
import { listTables } from '../../../writers/table/list-tables.ts'
import { vacuumTable } from '../../../writers/table/vacuum-table.ts'
import type { TableLogPorts } from '../../../writers/table-log.ts'
import { tallyTotal } from '../../../writers/tally.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { MemoryChangeSource, type MemoryTopics } from '../../support/memory-topics.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { HandClock } from '../../support/test-ports.ts'
import { BorderedSource, BorderedStore } from './bordered-ports.ts'
import { strangerWhoTakes } from './careless-stranger.ts'
import { BAD_DAY, Border, type Fault } from './faults.ts'
import { BATCH_ROWS, SCENARIO_TABLES, TWO_ROADS } from './scenario-topics.ts'

/** Two for the fault, one for what a killed process had in flight, one that nothing befalls. */
const LIVES_MAX = 4
const PIPELINE = 'default'
const DAY_MS = 86_400_000
const STRANGERS_TABLE = 'public/rewritten'
const LOG_ENTRY = /\/_delta_log\/\d{20}\.json$/
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** A lake in memory, and the lives of the processes that write it: none knows more than what the store holds. */
export class LoopedLake {
  readonly store = new MemoryStore()
  readonly clock: HandClock
  readonly border: Border
  readonly #random: Random
  readonly #fault: Fault | null
  readonly #batchRows: number

  constructor(fault: Fault | null, { batchRows = BATCH_ROWS, seed = 1 } = {}) {
    this.clock = new HandClock()
    this.border = new Border(this.clock, fault)
    this.#fault = fault
    this.#batchRows = batchRows
    this.#random = randomOf(seed)
    const stranger = strangerWhoTakes(this.store, STRANGERS_TABLE, 1)
    this.store.before = (operation, _site, path) => {
      this.store.nowMs = this.clock.now
      if (operation === 'putIfAbsent') stranger(path)
      if (operation === 'put' && LOG_ENTRY.test(path))
        throw new TypeError(`${path} is written without a condition`)
    }
  }

  /** The same objects in a new world. */
  copy(fault: Fault | null, seed: number): LoopedLake {
    const copy = new LoopedLake(fault, { seed })
    copy.clock.now = this.clock.now
    for (const [path, object] of this.store.objects) copy.store.objects.set(path, object)
    return copy
  }

  /** A process has been killed. */
  async leaveSign(): Promise<void> {
    const sign = new OwnSign(this.store, this.clock, PIPELINE, this.#random.uuid())
    await sign.showWhenDue()
  }

  /** @param count of objects, each with the grave of one key that no topic tells of */
  async digGraves(count: number): Promise<void> {
    const ports = { store: this.store, clock: this.clock, random: this.#random }
    const graves = await Graves.open(ports, TWO_ROADS, () => true)
    const position = { epoch: 0, seq: 1n, lsn: 1n }
    const at = { topic: 'before.public.roads', partition: 0, offset: 7n }
    for (let n = 0; n < count; n++) {
      await graves.store([{ key: Buffer.from(`gone ${n}`).toString('base64'), position, at }])
    }
  }

  /**
   * Starts processes until one of them has read all and no table stands still.
   *
   * @param gapTable somebody asks each time that this table goes on, without what is gone of its topic
   */
  async runToTheEnd(topics: MemoryTopics, gapTable?: string): Promise<void> {
    for (let lives = 1; lives <= LIVES_MAX; lives++) {
      if (await this.#live(topics, gapTable)) return
    }
    throw new TypeError(`${LIVES_MAX} processes were not enough`)
  }

  /** One process. @returns whether it came to its end, with every table */
  async #live(topics: MemoryTopics, gapTable: string | undefined): Promise<boolean> {
    const { cross, killed } = this.border.startLife()
    const store = new BorderedStore(this.store, cross)
    const source = new BorderedSource(new MemoryChangeSource(topics, { batchRecords: 8 }), cross)
    const ports = {
      store,
      clock: this.clock,
      random: this.#random,
      logger: SILENT,
      stepReached: () => {},
      observe: this.#observe,
    }
    const work = async () => {
      const box = new RequestBox(ports, PIPELINE)
      const request = gapTable === undefined ? null : await askToGoOn(ports, box, gapTable)
      const isWhole = await this.#ingest(ports, source)
      if (request !== null) await takeAnswers(box, request)
      return isWhole
    }
    const life = work().catch((error: unknown) => {
      if (error instanceof EngineError && error.code === BAD_DAY) return false
      throw error
    })
    return Promise.race([life, killed.then(() => false)])
  }

  /** What `ingest --until-end` does, and somebody who reads a table after it. @returns whether no table stands still */
  async #ingest(ports: TableLogPorts, source: BorderedSource): Promise<boolean> {
    await probeConditionalPut(ports.store, ports.random)
    const pipeline = await Pipeline.open(ports, source, optionsOf(this.#batchRows))
    await source.partitions()
    const { signal } = new AbortController()
    const report = await pipeline.run({ untilEnd: true, signal, onProgress: () => {} })
    await source.close()
    await readSomething(ports.store)
    await this.#vacuum(ports.store)
    if (tallyTotal(report.tally) !== report.records) throw new TypeError('the counters do not add up')
    const stopped = report.tables.flatMap((table) => table.stopped ?? [])
    const unexpected = stopped.find(({ code }) => !this.#mayStop(code))
    if (unexpected !== undefined)
      throw new TypeError(`a table stopped: ${unexpected.code} ${unexpected.message}`)
    return stopped.length === 0
  }

  /** `table vacuum` of a table that nothing is ever removed from: a file that no commit names goes. */
  async #vacuum(store: ObjectStore): Promise<void> {
    const path = 'public/audit'
    this.store.seed(`${path}/left-over.parquet`, 'left over')
    await vacuumTable(store, path, { nowMs: this.clock.nowMs() + DAY_MS, retentionMs: 0, dryRun: false })
  }

  /**
   * A table that was fenced goes on by itself and looks whole in the end; but who could have fenced it? The stranger
   * does, once, in one table.
   */
  readonly #observe: Observe = (fact) => {
    if (fact.kind !== 'table-stopped' || fact.code !== 'E_FENCED') return
    if (fact.table !== tableNameOf(STRANGERS_TABLE) && !this.#mayStop(fact.code))
      throw new TypeError(`${fact.table} was fenced, and there is nobody who could have done it`)
  }

  /** Whoever is beaten by what its killed predecessor had in flight stops, and finds its place when it starts again. */
  #mayStop(code: string): boolean {
    return code === BAD_DAY || (code === 'E_FENCED' && this.#fault?.mode === 'killed in flight')
  }
}

/** `table resume NAME --accept-gap` before the process starts. */
async function askToGoOn(ports: TableLogPorts, box: RequestBox, table: string): Promise<Request> {
  await runningProcesses(ports.store, ports.clock, PIPELINE)
  return box.leave({ kind: 'resume', table, acceptGap: true }, 7 * DAY_MS)
}

async function takeAnswers(box: RequestBox, request: Request): Promise<void> {
  const [answer] = await box.answers(request)
  if (answer?.outcome !== 'done')
    throw new TypeError(`the request was not done: ${answer?.message ?? 'no answer'}`)
  await box.clear(request)
}

async function readSomething(store: ObjectStore): Promise<void> {
  for await (const path of listTables(store, { hidden: false })) {
    if (path !== STRANGERS_TABLE) continue
    const to = await loadSnapshot(store, path)
    for await (const change of readChanges(store, path, { from: 0, to: to! })) void change
  }
}

function tableNameOf(path: string): string {
  return path.replace('/', '.')
}

function optionsOf(rows: number): PipelineOptions {
  const [pipeline] = defaultConfig({ from: 'memory' }).pipelines
  const { tableDefaults } = pipeline!
  const tables = Object.entries(SCENARIO_TABLES)
  return pipelineOptions({
    ...pipeline!,
    batch: { rows, bytes: 1 << 30, ageMs: 3_600_000 },
    tables: new Map(tables.map(([name, own]) => [name, { ...tableDefaults, ...own, name }])),
  })
}

function randomOf(seed: number): Random {
  const random = new SeededRandom(seed)
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256))
  const hex = () => Buffer.from(bytes(16)).toString('hex')
  return { bytes, uuid: () => hex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') }
}
