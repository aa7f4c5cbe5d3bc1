import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Fact } from '../../core/fact.ts'
import type { Clock, Logger, ObjectStore, Random } from '../../core/ports.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import type { BatchBounds, PipelineConfig, TableConfig } from '../../src/config/config.ts'
import { defaultConfig } from '../../src/config/default-config.ts'
import { Pipeline, type RunReport, type TableReport } from '../../src/pipeline/pipeline.ts'
import { pipelineOptions } from '../../src/pipeline-options.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import type { TableSnapshot } from '../../writers/delta/snapshot.ts'
import { TableReader } from '../../writers/table/table-reader.ts'
import { readProgress } from '../../writers/table-progress.ts'
import { tallyTotal } from '../../writers/tally.ts'
import { ChannelThreads } from './channel-threads.ts'
import { MemoryStore } from './memory-store.ts'
import { MemoryChangeSource, type MemorySourceOptions, type MemoryTopics } from './memory-topics.ts'
import { SeededRandom } from './seeded-random.ts'

export interface WorldRun extends MemorySourceOptions {
  readonly batch?: Partial<BatchBounds>
  /** What is decided about tables, by name; `*` for all others. */
  readonly tables?: Readonly<Record<string, Partial<TableConfig>>>
  readonly tablePath?: string
  readonly pipeline?: string
  /** Threads that do the work; by default it is done in this one. */
  readonly workers?: number
  /** Where to write instead of the world's own store: one that fails. */
  readonly store?: ObjectStore
  readonly source?: MemoryChangeSource
  /** Instead of the world's own: that of a process whose time does not go by for others. */
  readonly clock?: Clock
  /** Ends a run that would not end by itself. */
  readonly signal?: AbortSignal
}

export type StoredRow = Readonly<Record<string, Cell>>

/** A lake in memory and all a pipeline needs around it, wired as the engine does. */
export class PipelineWorld {
  readonly store = new MemoryStore()
  readonly clock = new FakeClock()
  readonly logged: {
    readonly level: string
    readonly fields: Record<string, unknown>
    readonly message: string
  }[] = []
  readonly facts: Fact[] = []
  readonly #random = new SeededRandom(8714)

  /** Runs a pipeline to the end of its topics. Every record that it read is counted once, whatever became of it. */
  async run(topics: MemoryTopics, options: WorldRun = {}): Promise<RunReport> {
    const source = options.source ?? new MemoryChangeSource(topics, options)
    const threads = new ChannelThreads()
    const pipeline = await this.open(source, options, threads)
    try {
      const report = await pipeline.run({
        untilEnd: options.signal === undefined,
        signal: options.signal ?? new AbortController().signal,
        onProgress: () => {},
      })
      expect(tallyTotal(report.tally)).toBe(report.records)
      return report
    } finally {
      await threads.close()
    }
  }

  /** @param threads to be closed after a run with `workers` */
  open(
    source: MemoryChangeSource,
    options: WorldRun = {},
    threads = new ChannelThreads(),
  ): Promise<Pipeline> {
    const ports = {
      store: options.store ?? this.store,
      clock: options.clock ?? this.clock,
      random: seeded(this.#random),
      logger: this.#logger(),
      stepReached: () => {},
      observe: (fact: Fact) => void this.facts.push(fact),
    }
    const config = configOf(options)
    const pipelineOf = pipelineOptions(config)
    const { workers = 0 } = options
    if (workers === 0) return Pipeline.open(ports, source, pipelineOf)
    const openWork = threads.openWork(workers, ports, source, pipelineOf, config)
    return Pipeline.open(ports, source, pipelineOf, openWork)
  }

  async snapshot(path: string): Promise<TableSnapshot | null> {
    return loadSnapshot(this.store, path)
  }

  /** Rows of a table with all their columns, in the order of their JSON; objects without a prototype. */
  async rows(path: string): Promise<StoredRow[]> {
    const snapshot = await this.snapshot(path)
    if (snapshot === null) return []
    const reader = new TableReader(this.store, path)
    const rows: StoredRow[] = []
    for (const file of snapshot.files.values()) {
      for await (const { cells } of reader.liveRows(file, snapshot.schema)) {
        const row: Record<string, Cell> = Object.create(null)
        snapshot.schema.fields.forEach(({ name }, i) => {
          row[name] = cells[i]!
        })
        rows.push(row)
      }
    }
    return rows.sort((a, b) => (jsonOf(a) < jsonOf(b) ? -1 : 1))
  }

  /** Rows without the columns that are ours. */
  async data(path: string): Promise<StoredRow[]> {
    const rows = await this.rows(path)
    return rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_cdc_'))),
    )
  }

  /** Ids of a table's rows, ascending. */
  async ids(path: string): Promise<number[]> {
    return (await this.rows(path)).map((row) => Number(row['id'])).sort((a, b) => a - b)
  }

  /** Dead letters in the order of topic, partition, offset. */
  async letters(): Promise<StoredRow[]> {
    const place = (row: StoredRow) =>
      `${row['topic']}/${row['partition']}/${String(row['offset']).padStart(9, '0')}`
    return (await this.rows('_dlq')).sort((a, b) => (place(a) < place(b) ? -1 : 1))
  }

  /** `topic/partition` → next offset, as the passed mark says. */
  async mark(pipeline = 'default'): Promise<Record<string, bigint>> {
    const snapshot = await this.snapshot(`_alluvium/${pipeline}`)
    return snapshot === null ? {} : Object.fromEntries(readProgress(snapshot.txns, pipeline).nextOffsets)
  }

  /** `topic/partition` → next offset, as a table says. */
  async progress(path: string, pipeline = 'default'): Promise<Record<string, bigint>> {
    const snapshot = await this.snapshot(path)
    return snapshot === null ? {} : Object.fromEntries(readProgress(snapshot.txns, pipeline).nextOffsets)
  }

  /** Table path → newest version. */
  versions(): Record<string, number> {
    const versions: Record<string, number> = {}
    for (const path of [...this.store.objects.keys()].sort()) {
      const entry = /^(.+)\/_delta_log\/(\d{20})\.json$/.exec(path)
      if (entry !== null) versions[entry[1]!] = Number(entry[2])
    }
    return versions
  }

  #logger(): Logger {
    const log = (level: string) => (fields: Record<string, unknown>, message: string) =>
      void this.logged.push({ level, fields, message })
    return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  }
}

/** The report of one table. */
export function tableOf(report: RunReport, name: string): TableReport {
  const table = report.tables.find((each) => each.name === name)
  if (table === undefined) throw new TypeError(`no table ${name} in the report`)
  return table
}

/** Codes of the tables that stopped, by name. */
export function stoppedTables(report: RunReport): Record<string, string> {
  const stopped = report.tables.filter((table) => table.stopped !== null)
  return Object.fromEntries(stopped.map((table) => [table.name, table.stopped!.code]))
}

/** The configuration of a run. */
export function configOf({
  tables = {},
  batch = {},
  tablePath,
  pipeline = 'default',
}: WorldRun): PipelineConfig {
  const [defaults] = defaultConfig({ from: 'memory' }).pipelines
  const tableDefaults = { ...defaults!.tableDefaults, ...tables['*'] }
  const named = Object.entries(tables).filter(([name]) => name !== '*')
  return {
    ...defaults!,
    name: pipeline,
    batch: { rows: 1000, bytes: 1 << 30, ageMs: 3_600_000, ...batch },
    tablePath: tablePath ?? defaults!.tablePath,
    tableDefaults,
    tables: new Map(named.map(([name, own]) => [name, { ...tableDefaults, ...own, name }])),
  }
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  wallMs = 1_772_368_300_000
  ranMs = 5_000

  /** Whole milliseconds, as a system tells them; pauses may be of any length. */
  nowMs(): number {
    return Math.floor(this.wallMs)
  }

  monotonicMs(): number {
    return this.ranMs
  }

  advance(ms: number): void {
    this.wallMs += ms
    this.ranMs += ms
  }

  /** Whoever can be woken sleeps only when nothing else is left to do. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal !== undefined) await turn()
    if (signal?.aborted !== true) this.advance(ms)
  }
}

function seeded(random: SeededRandom): Random {
  const bytes = (length: number) => Uint8Array.from({ length }, () => random.below(256))
  return { bytes, uuid: () => uuidOf(Buffer.from(bytes(16)).toString('hex')) }
}

function uuidOf(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-')
}

/** Text of any cells, for comparing and sorting. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, item) => {
    if (typeof item === 'bigint') return `${item}n`
    return item instanceof Uint8Array ? Buffer.from(item).toString('base64') : item
  })
}
