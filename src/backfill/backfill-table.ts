import { EngineError } from '../../core/errors.ts'
import type { SourceTable } from '../../core/ports.ts'
import { DEFAULT_LIMITS, type DqPorts } from '../../dq/dq-ports.ts'
import { runChecks } from '../../dq/run-checks.ts'
import { NO_STREAM } from '../../dq/stream-barrier.ts'
import type { CheckResult, ColumnNote } from '../../dq/verdict.ts'
import type { TableId } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import type { BackfillState, LoadPart } from '../../writers/backfill/backfill-state.ts'
import { TableLoad } from '../../writers/backfill/table-load.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import type { PostgresConnectionManager } from '../postgres/connection-manager.ts'
import { catchUp } from './catch-up.ts'
import { chunkBlocksFor, chunksOf } from './chunk-plan.ts'
import { type BackfillProgress, type LoadTask, loadTable, type ReadColumn } from './load-table.ts'
import type { Pacing } from './pacing.ts'
import { type SourceColumns, sourceColumns } from './source-columns.ts'
import { SourceSnapshot } from './source-snapshot.ts'

/** A table of the source, and what it is to become. */
export interface BackfilledTable {
  readonly source: SourceTable
  readonly id: TableId
  readonly contract: TableContract
  /** From the root of the lake. */
  readonly path: string
  /** SQL on columns of the source that a row has to fulfil; `null`: all rows are meant. */
  readonly where: string | null
}

export interface BackfillOptions {
  readonly pipeline: string
  /** Connections that read at a time. */
  readonly workers: number
  /** Go on with what was begun; else such a table is refused. */
  readonly resume: boolean
  readonly signal: AbortSignal
  /** Blocks of a chunk; default: by the size of the table. */
  readonly chunkBlocks?: number
}

export interface BackfillPorts extends TableLogPorts {
  readonly database: PostgresConnectionManager
  readonly pacing: Pacing
}

/** What became of a table. */
export interface BackfillOutcome {
  readonly table: string
  /** `paused`: it was told to end, and can be gone on with. `skipped`: an earlier run has laid the table down. */
  readonly state: 'done' | 'paused' | 'skipped'
  /** It was begun by another run, so that its rows are of more than one moment. */
  readonly isResumed: boolean
  /** The proof, at the moment that the rows were read at; `null`: it is not done. */
  readonly proof: CheckResult | null
  readonly leftOut: readonly ColumnNote[]
}

/** What the source has that the stream never tells cannot differ; all else is as the source has it. */
export function isVerified({ proof }: BackfillOutcome): boolean {
  return proof !== null && proof.verdict !== 'different' && proof.verdict !== 'deferred'
}

/**
 * Lays down what a table of the source holds at one moment, and proves it. The lake has no such table yet, or one that an
 * earlier run has begun.
 *
 * @throws EngineError `E_BACKFILL_TABLE`, `E_BACKFILL_UNFINISHED` (usage); what the source and the store throw
 */
export async function backfillTable(
  ports: BackfillPorts,
  table: BackfilledTable,
  options: BackfillOptions,
  progress: BackfillProgress,
): Promise<BackfillOutcome> {
  const { contract, path, source } = table
  if (contract.mode === 'append') throw noLog(contract.name)
  const columns = sourceColumns(source, contract)
  const load = await TableLoad.open(ports, { table: table.id, contract, path })
  refuseOthers(load, table, options)
  if (table.where !== null && columns.key === null) throw partOfBag(contract.name)
  const isResumed = load.state !== null
  const outcome = { table: contract.name, isResumed, leftOut: columns.leftOut }
  if (load.state?.state === 'done') return { ...outcome, state: 'skipped', proof: null }
  return SourceSnapshot.hold(ports.database, async (snapshot) => {
    await beginOrGoOn(ports, load, snapshot, columns, table.where, options)
    const task = taskOf(ports, load, snapshot, columns, options, progress)
    progress.begin(load.chunksDone, chunksOf(load.state!).length)
    if (!(await loadTable(ports, task))) return { ...outcome, state: 'paused', proof: null }
    if (load.state!.snapshot !== snapshot.text) {
      const writer = await TableWriter.open(ports, {
        ...{ table: table.id, contract, path, pipeline: options.pipeline, isOrdered: true, isBackfill: true },
      })
      await catchUp(task, writer, ports.random)
      await writer.release()
      await load.refresh()
      ports.stepReached('backfill:caught-up')
    }
    await load.finish()
    return {
      ...outcome,
      state: 'done',
      proof: await proofAt(ports, snapshot, table, load.state!.where, options),
    }
  })
}

function taskOf(
  { pacing }: BackfillPorts,
  load: TableLoad,
  snapshot: SourceSnapshot,
  { reads }: SourceColumns,
  { workers, signal }: BackfillOptions,
  progress: BackfillProgress,
): LoadTask {
  const columns = load.layout.shape.columns.map(({ name }): ReadColumn => reads.get(name)!)
  return { load, snapshot, columns, workers, pacing, signal, progress }
}

/**
 * What was begun is gone on with where it still tells what is missing: rows stand where they stood, under the same columns,
 * and can be told apart. Else it is begun anew.
 */
async function beginOrGoOn(
  { random }: BackfillPorts,
  load: TableLoad,
  snapshot: SourceSnapshot,
  columns: SourceColumns,
  where: string | null,
  { workers, chunkBlocks }: BackfillOptions,
): Promise<void> {
  const parts = await snapshot.parts(load.options.table)
  if (load.state !== null && canGoOn(load, load.state, parts, columns)) return
  const state: BackfillState = {
    run: random.uuid(),
    state: 'loading',
    snapshot: snapshot.text,
    lsn: snapshot.lsn,
    parts,
    chunkBlocks: chunkBlocks ?? chunkBlocksFor(parts, workers),
    where: load.state?.where ?? where,
  }
  await load.begin(columns, state)
}

function canGoOn(
  load: TableLoad,
  { parts: begun }: BackfillState,
  parts: readonly LoadPart[],
  columns: SourceColumns,
): boolean {
  const places = (all: readonly LoadPart[]) =>
    JSON.stringify(all.map(({ schema, table, storage }) => [schema, table, storage]))
  return columns.key !== null && places(begun) === places(parts) && load.fits(columns)
}

/** The lake against the very moment that was read: what the source does meanwhile is of no concern. */
async function proofAt(
  { store, clock }: BackfillPorts,
  snapshot: SourceSnapshot,
  { source, contract: { name }, path }: BackfilledTable,
  where: string | null,
  { pipeline }: BackfillOptions,
): Promise<CheckResult> {
  const database = snapshot.asDatabase()
  const dq: DqPorts = { store, clock, database, barrier: NO_STREAM, topics: null, pipeline }
  const results: CheckResult[] = []
  for await (const result of runChecks(dq, DEFAULT_LIMITS, [{ name, source, path, where }], ['checksum'])) {
    results.push(result)
  }
  return results[0]!
}

function refuseOthers(
  { state, exists, options: { contract } }: TableLoad,
  { where }: BackfilledTable,
  { resume }: BackfillOptions,
): void {
  if (!exists) return
  // Of many tables a run that died had finished some.
  if (resume && state !== null) {
    if (where !== null && where !== state.where) throw otherRows(contract.name, state.where)
    return
  }
  if (state?.state === 'loading') {
    throw new EngineError(
      'E_BACKFILL_UNFINISHED',
      'usage',
      `a backfill of ${contract.name} was begun before; go on with it by --resume`,
    )
  }
  throw new EngineError(
    'E_BACKFILL_TABLE',
    'usage',
    `the lake has a table ${contract.name}: a backfill lays down tables that are not there yet; what this one lacks, ` +
      '`alluvium dq run --repair` brings',
  )
}

function otherRows(table: string, where: string | null): EngineError {
  const begun = where === null ? 'for all rows' : `with --where ${JSON.stringify(where)}`
  return new EngineError(
    'E_BACKFILL_TABLE',
    'usage',
    `the backfill of ${table} was begun ${begun}; go on without --where, or drop the table and begin anew`,
  )
}

/** A row of the stream that the table lacks could not be told from one that is still to come. */
function partOfBag(table: string): EngineError {
  return new EngineError(
    'E_BACKFILL_TABLE',
    'usage',
    `${table} has no key, and the stream could not tell which of its rows were left out by --where: lay down all of them`,
  )
}

function noLog(table: string): EngineError {
  return new EngineError(
    'E_BACKFILL_TABLE',
    'usage',
    `${table} is an audit log (mode: append): it holds events, and a backfill reads none`,
  )
}
