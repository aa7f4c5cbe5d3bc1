import type { TableSnapshot } from '../writers/delta/snapshot.ts'
import { readChanges } from '../writers/table/change-feed.ts'
import { awaitVersion, type CheckedTable, newestVersion } from './checked-table.ts'
import { type ComparedTable, comparedTable, readSchema } from './compared-table.ts'
import type { DqLimits, DqPorts } from './dq-ports.ts'
import { KeyHistories } from './key-histories.ts'
import { LakeRows } from './lake-rows.ts'
import { RowDigests } from './row-digests.ts'
import { atSourceMoment, type SourceMoment } from './source-moment.ts'
import { SourceRows, throttle } from './source-rows.ts'
import type { Found } from './verdict.ts'

/** Everything that is asked in one look: one moment of the source, one version of the lake, and what lies between. */
export interface Look {
  readonly table: ComparedTable
  readonly version: TableSnapshot
  readonly digests: RowDigests
  readonly moment: SourceMoment
  readonly source: SourceRows
  readonly lake: LakeRows
  /** Keys that changed in the lake since before the moment. */
  readonly touched: KeyHistories
}

/** What is done in a look. */
export interface LookWork<Early, Result> {
  /** On the source's side alone: it begins at once, and goes on while the lake comes to hold the moment and is read. */
  readonly early: (source: SourceRows) => Promise<Early>
  readonly work: (look: Look, early: Promise<Early>) => Promise<Result>
}

export interface TakenLook<Result> {
  readonly kind: 'taken'
  readonly look: Look
  readonly result: Result
}

/** There was nothing to look at: the verdict says why. */
export interface NoLook {
  readonly kind: 'none'
  readonly found: Found
}

/** Work that gives way to others of the process after so much time. */
const SLICE_MS = 50

/**
 * Takes one look at a table: a moment of the source, then a version of the lake that holds it, then the work.
 *
 * @throws EngineError what the source, the store and the change feed throw
 */
export async function takeLook<Early, Result>(
  ports: DqPorts,
  limits: DqLimits,
  checked: CheckedTable,
  { early, work }: LookWork<Early, Result>,
): Promise<TakenLook<Result> | NoLook> {
  const before = await newestVersion(ports, checked)
  const table = comparedTable(checked, before)
  if ('reason' in table) return none({ verdict: 'deferred', detail: table.reason, version: before.version })
  return atSourceMoment(ports.database, async (moment) => {
    const source = new SourceRows(
      moment.session,
      table,
      limits.digest,
      throttle(ports.clock, limits.rowsPerSecond),
    )
    const made = early(source)
    // Whoever awaits it is told of its failure; until then nobody else is to be alarmed.
    made.catch(() => {})
    const version = await awaitVersion(ports, checked, limits.waitMs, moment.stayOpen)
    if (version === null || version.metadata.schemaString !== before.metadata.schemaString) {
      await made
      const found = version === null ? late(limits.waitMs) : movedColumns()
      return none({ ...found, version: before.version, snapshot: moment.visibility.snapshot })
    }
    const digests = new RowDigests(table, limits.digest)
    const touched = await keysTouched(
      ports,
      checked,
      new KeyHistories(table, digests),
      before.version,
      version,
    )
    if (touched.size > limits.rowsHeldMax) {
      await made
      return none({
        ...movedTooMuch(touched.size),
        version: version.version,
        snapshot: moment.visibility.snapshot,
      })
    }
    const lake = new LakeRows(ports.store, checked.path, version, table, steps(ports, moment))
    const look = { table, version, digests, moment, source, lake, touched }
    return { kind: 'taken', look, result: await work(look, made) }
  })
}

async function keysTouched(
  { store }: DqPorts,
  { path }: CheckedTable,
  touched: KeyHistories,
  from: number,
  to: TableSnapshot,
): Promise<KeyHistories> {
  const range = { from: from + 1, to, schema: readSchema(touched.table), alsoWhenOff: true }
  for await (const change of readChanges(store, path, range)) touched.add(change)
  return touched
}

/** Between two pieces of work on the lake: the process does other things, and the source's transaction stays open. */
function steps({ clock }: DqPorts, { stayOpen }: SourceMoment): () => Promise<void> {
  let sinceMs = clock.monotonicMs()
  return async () => {
    if (clock.monotonicMs() - sinceMs < SLICE_MS) return
    await clock.sleep(0)
    await stayOpen()
    sinceMs = clock.monotonicMs()
  }
}

function none(found: Found): NoLook {
  return { kind: 'none', found }
}

function movedTooMuch(keys: number): Found {
  const detail = `${keys} rows changed while the lake came to hold the moment, more than are held at once; run it again`
  return { verdict: 'deferred', deferred: keys, detail }
}

function movedColumns(): Found {
  return { verdict: 'deferred', detail: 'its columns changed while it was looked at; run it again' }
}

function late(waitMs: number): Found {
  const detail = `the lake did not come to hold what the source had within ${waitMs / 1000} s: does the pipeline run?`
  return { verdict: 'deferred', detail }
}
