import { EngineError } from '../../../core/errors.ts'
import type { ObjectStore, Random } from '../../../core/ports.ts'
import { defaultConfig } from '../../../src/config/default-config.ts'
import { probeConditionalPut } from '../../../src/io/probe-conditional-put.ts'
import { Pipeline, type PipelineOptions, type RunReport } from '../../../src/pipeline/pipeline.ts'
import { pipelineOptions } from '../../../src/pipeline-options.ts'
import { loadSnapshot } from '../../../writers/delta/load-snapshot.ts'
import { readChanges } from '../../../writers/table/change-feed.ts'
import { listTables } from '../../../writers/table/list-tables.ts'
import type { TableLogPorts } from '../../../writers/table-log.ts'
import { tallyTotal } from '../../../writers/tally.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { MemoryChangeSource, type MemoryTopics } from '../../support/memory-topics.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { HandClock } from '../../support/test-ports.ts'
import { BorderedSource, BorderedStore } from './bordered-ports.ts'
import { strangerWhoTakes } from './careless-stranger.ts'
import { Border, type Fault } from './faults.ts'
import { BATCH_ROWS, SCENARIO_TABLES } from './scenario-topics.ts'

/** Two for the fault, one for what a killed process had in flight, one that nothing befalls. */
const LIVES_MAX = 4
const STRANGERS_TABLE = 'public/rewritten'
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** A lake in memory, and the lives of the processes that write it: none knows more than what the store holds. */
export class LoopedLake {
  readonly store = new MemoryStore()
  readonly clock: HandClock
  readonly border: Border
  readonly #random: Random
  readonly #batchRows: number

  constructor(fault: Fault | null, { batchRows = BATCH_ROWS, seed = 1 } = {}) {
    this.clock = new HandClock()
    this.border = new Border(this.clock, fault)
    this.#batchRows = batchRows
    this.#random = randomOf(seed)
    const stranger = strangerWhoTakes(this.store, STRANGERS_TABLE, 1)
    this.store.before = (operation, _site, path) => {
      this.store.nowMs = this.clock.now
      if (operation === 'putIfAbsent') stranger(path)
    }
  }

  /** The same objects in a new world. */
  copy(fault: Fault | null, seed: number): LoopedLake {
    const copy = new LoopedLake(fault, { seed })
    copy.clock.now = this.clock.now
    for (const [path, object] of this.store.objects) copy.store.objects.set(path, object)
    return copy
  }

  /** Starts processes until one of them has read all and no table stands still. */
  async runToTheEnd(topics: MemoryTopics): Promise<void> {
    for (let lives = 1; lives <= LIVES_MAX; lives++) {
      if (await this.#live(topics)) return
    }
    throw new TypeError(`${LIVES_MAX} processes were not enough`)
  }

  /** One process. @returns whether it came to its end, with every table */
  async #live(topics: MemoryTopics): Promise<boolean> {
    const { cross, killed } = this.border.startLife()
    const store = new BorderedStore(this.store, cross)
    const source = new BorderedSource(new MemoryChangeSource(topics, { batchRecords: 8 }), cross)
    const ports = {
      store,
      clock: this.clock,
      random: this.#random,
      logger: SILENT,
      stepReached: () => {},
    }
    const life = ingest(ports, source, this.#batchRows).catch((error: unknown) => {
      if (error instanceof EngineError && error.code === 'E_STORE_BUSY') return false
      throw error
    })
    return Promise.race([life, killed.then(() => false)])
  }
}

/** What `ingest --until-end` does, and somebody who reads a table after it. @returns whether no table stands still */
async function ingest(ports: TableLogPorts, source: BorderedSource, batchRows: number): Promise<boolean> {
  await probeConditionalPut(ports.store, ports.random)
  const pipeline = await Pipeline.open(ports, source, optionsOf(batchRows))
  await source.partitions()
  const { signal } = new AbortController()
  const report = await pipeline.run({ untilEnd: true, signal, onProgress: () => {} })
  await source.close()
  await readSomething(ports.store)
  return isWhole(report)
}

function isWhole(report: RunReport): boolean {
  if (tallyTotal(report.tally) !== report.records) throw new TypeError('the counters do not add up')
  const stopped = report.tables.flatMap((table) => table.stopped ?? [])
  // Whoever is beaten by what its killed predecessor had in flight stops, and finds its place when it starts again.
  const unexpected = stopped.find(({ code }) => code !== 'E_FENCED' && code !== 'E_STORE_BUSY')
  if (unexpected !== undefined) throw unexpected
  return stopped.length === 0
}

async function readSomething(store: ObjectStore): Promise<void> {
  for await (const path of listTables(store, { hidden: false })) {
    if (path !== STRANGERS_TABLE) continue
    const to = await loadSnapshot(store, path)
    for await (const change of readChanges(store, path, { from: 0, to: to! })) void change
  }
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
