import type { ObjectStore } from '../core/ports.ts'
import type { ChangeEvent, Column, TableId } from '../schemas/change-event.ts'
import { DEFAULT_CONTRACT } from '../schemas/contract.ts'
import { arrayOf, type Cell, type DeltaType } from '../schemas/delta-types.ts'
import { DeltaTable } from '../writers/table/delta-table.ts'
import { rowShape } from '../writers/table/table-layout.ts'
import type { TableLogPorts } from '../writers/table-log.ts'
import { TableWriter } from '../writers/table-writer.ts'
import type { SourcePlace } from './source-moment.ts'
import type { Check, CheckResult, Verdict } from './verdict.ts'

/** Where results lie in a lake: public tables, to which rows are only ever added. */
export const RUNS_PATH = '_dq/runs'
export const MISMATCHES_PATH = '_dq/mismatches'

const RUN_COLUMNS = columns({
  run: 'string',
  started: 'timestamp',
  table: 'string',
  check: 'string',
  verdict: 'string',
  detail: 'string',
  duration_ms: 'long',
  version: 'long',
  snapshot: 'string',
  source_rows: 'long',
  lake_rows: 'long',
  buckets: 'integer',
  mismatches: 'long',
  deferred: 'long',
  looks: 'integer',
  lag_ms: 'long',
  verified_lsn: 'string',
  verified_time: 'timestamp',
})

const MISMATCH_COLUMNS = columns({
  run: 'string',
  seen: 'timestamp',
  table: 'string',
  kind: 'string',
  key: 'string',
  columns: arrayOf('string'),
  source_count: 'integer',
  lake_count: 'integer',
})

/** One run of one check, as the lake remembers it. */
export interface PastCheck {
  readonly run: string
  readonly startedMs: number
  readonly table: string
  readonly check: Check
  readonly verdict: Verdict
  readonly detail: string | null
  readonly durationMs: number
  readonly version: number | null
  readonly sourceRows: number | null
  readonly lakeRows: number | null
  readonly mismatches: number
  readonly deferred: number
  readonly verifiedThrough: SourcePlace | null
}

/** Keeps results as Delta tables of the lake, each batch in one commit. */
export class ProofLog {
  readonly #ports: TableLogPorts
  readonly #pipeline: string

  constructor(ports: TableLogPorts, pipeline: string) {
    this.#ports = ports
    this.#pipeline = pipeline
  }

  /**
   * @param run names all that was checked together
   * @throws what a commit throws
   */
  async write(run: string, startedMs: number, results: readonly CheckResult[]): Promise<void> {
    const started = BigInt(startedMs) * 1000n
    const runs = results.map((result) => runCells(run, started, result))
    const mismatches = results.flatMap((result) => mismatchCells(run, started, result))
    // What differs first: who sees a run of the first table finds its rows in the second.
    await this.#append(MISMATCHES_PATH, MISMATCH_COLUMNS, mismatches)
    await this.#append(RUNS_PATH, RUN_COLUMNS, runs)
  }

  async #append(path: string, shape: readonly Column[], rows: readonly (readonly Cell[])[]): Promise<void> {
    if (rows.length === 0) return
    const table: TableId = { sourceName: 'alluvium', database: '', schema: '_dq', table: path }
    const contract = { ...DEFAULT_CONTRACT, name: path, mode: 'append' as const, changeFeed: 'off' as const }
    const options = { pipeline: this.#pipeline, table, contract, path, isOrdered: false }
    const writer = await TableWriter.open(this.#ports, options)
    const image = rowShape(shape)
    for (const cells of rows) writer.add(added(table, { shape: image, cells }))
    await writer.flush([])
    await writer.upkeepWhenDue()
  }
}

/** The newest checks of a lake, the newest first. */
export async function readProofs(
  store: ObjectStore,
  limit: number,
  tables: readonly string[] | null = null,
): Promise<readonly PastCheck[]> {
  const table = await DeltaTable.open(store, RUNS_PATH)
  if (table === null) return []
  const newest: PastCheck[] = []
  for await (const past of pastChecks(table)) {
    if (tables !== null && !tables.includes(past.table)) continue
    newest.push(past)
    if (newest.length >= 2 * limit) newest.sort(newestFirst).splice(limit)
  }
  return newest.sort(newestFirst).slice(0, limit)
}

/** Where each table was last shown to equal its source, by name. */
export async function readVerified(store: ObjectStore): Promise<ReadonlyMap<string, SourcePlace>> {
  const verified = new Map<string, SourcePlace>()
  const table = await DeltaTable.open(store, RUNS_PATH)
  if (table === null) return verified
  for await (const { table: name, verifiedThrough } of pastChecks(table)) {
    const known = verified.get(name)
    if (verifiedThrough === null || (known !== undefined && known.atMs > verifiedThrough.atMs)) continue
    verified.set(name, verifiedThrough)
  }
  return verified
}

/** Columns that came with a later release are not in the runs of an older one. */
async function* pastChecks(table: DeltaTable): AsyncGenerator<PastCheck> {
  const names = RUN_COLUMNS.map(({ name }) => name)
  const stored = new Set(table.schema.fields.map(({ name }) => name))
  const columns = names.filter((name) => stored.has(name))
  for await (const cells of table.rows({ columns })) {
    yield pastCheck((name) => cells[columns.indexOf(name)] ?? null)
  }
}

function columns(types: Readonly<Record<string, DeltaType>>): readonly Column[] {
  return Object.entries(types).map(([name, type]) => ({ name, type, hasDefault: false }))
}

function runCells(run: string, started: bigint, result: CheckResult): readonly Cell[] {
  const { table, check, verdict, detail, durationMs, version, snapshot, sourceRows, lakeRows } = result
  return [
    ...[run, started, table, check, verdict, detail, long(Math.round(durationMs)), long(version), snapshot],
    ...[long(sourceRows), long(lakeRows), result.buckets, long(result.mismatchCount), long(result.deferred)],
    ...[result.looks, long(result.lagMs), result.verifiedThrough?.lsn ?? null],
    result.verifiedThrough === null ? null : BigInt(result.verifiedThrough.atMs) * 1000n,
  ]
}

function mismatchCells(
  run: string,
  started: bigint,
  { table, mismatches }: CheckResult,
): (readonly Cell[])[] {
  return mismatches.map(({ kind, key, columns: names, counts }) => [
    ...[run, started, table, kind, JSON.stringify(key), names],
    ...[counts?.source ?? null, counts?.lake ?? null],
  ])
}

function long(value: number | null): bigint | null {
  return value === null ? null : BigInt(Math.round(value))
}

function added(table: TableId, after: NonNullable<ChangeEvent['after']>): ChangeEvent {
  return {
    ...{
      kind: 'change',
      op: 'c',
      table,
      key: null,
      before: null,
      after,
      position: null,
      lsn: null,
      txId: null,
    },
    ...{ sourceTimeUs: null, newKey: null, oldKey: null, sizeBytes: 0 },
    at: { topic: '', partition: 0, offset: 0n, timestampMs: 0 },
  }
}

function pastCheck(at: (name: string) => Cell): PastCheck {
  const count = (name: string) => (at(name) === null ? null : Number(at(name)))
  return {
    run: at('run') as string,
    startedMs: Number((at('started') as bigint) / 1000n),
    table: at('table') as string,
    check: at('check') as Check,
    verdict: at('verdict') as Verdict,
    detail: at('detail') as string | null,
    durationMs: Number(at('duration_ms')),
    version: count('version'),
    sourceRows: count('source_rows'),
    lakeRows: count('lake_rows'),
    mismatches: Number(at('mismatches')),
    deferred: Number(at('deferred')),
    verifiedThrough: at('verified_lsn') === null ? null : placeOf(at('verified_lsn'), at('verified_time')),
  }
}

function placeOf(lsn: Cell, time: Cell): SourcePlace {
  return { lsn: lsn as string, atMs: Number((time as bigint) / 1000n) }
}

function newestFirst(a: PastCheck, b: PastCheck): number {
  return b.startedMs - a.startedMs || (a.table < b.table ? -1 : 1)
}
