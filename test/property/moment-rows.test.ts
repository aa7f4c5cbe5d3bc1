import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ChangeEvent } from '../../schemas/change-event.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import type { MomentReport, MomentRow } from '../../writers/moment-rows.ts'
import { changeEvent, ITEM_COLUMNS, rowImage, shapeOf } from '../support/change-event.ts'
import { TestTable } from '../support/test-table.ts'

const KEYS = 3
const PARTITIONS = [{ topic: 'shop.public.items', partition: 0 }]

type State = ReadonlyMap<number, string>

/** A transaction of the source: what it did to one key, and the event that tells of it. */
interface Transaction {
  readonly key: number
  readonly event: ChangeEvent
  /** All rows, once it is committed. */
  readonly after: State
}

/** The source's history, cut where the owner began to watch, where the moment was, and where the rows came. */
interface Course {
  readonly history: readonly Transaction[]
  readonly watchedAt: number
  /** The moment sees so many transactions, but for `unseen`. */
  readonly seen: number
  /** Committed before others that the moment sees: the order of the log is not that of visibility. `null`: none. */
  readonly unseen: number | null
  readonly givenAt: number
  /** Events that the lake has lost, of those that the moment sees. */
  readonly lost: ReadonlySet<number>
  /** After the rows the stream is sent again from here. */
  readonly resentFrom: number
  readonly batch: number
  readonly deletes: 'hard' | 'soft'
}

const courses: fc.Arbitrary<Course> = fc
  .record({
    steps: fc.array(fc.record({ key: fc.nat(KEYS - 1), deletes: fc.boolean() }), {
      minLength: 1,
      maxLength: 14,
    }),
    cuts: fc.tuple(fc.nat(14), fc.nat(14), fc.nat(14)),
    lost: fc.uniqueArray(fc.nat(13), { maxLength: 5 }),
    resentFrom: fc.nat(14),
    batch: fc.integer({ min: 1, max: 4 }),
    deletes: fc.constantFrom('hard', 'soft'),
    overtaken: fc.option(fc.nat(KEYS - 1)),
  })
  .map(({ steps, cuts, lost, resentFrom, batch, deletes, overtaken }) => {
    const history = historyOf(steps)
    const [watchedAt, seen, givenAt] = cuts.map((cut) => Math.min(cut, history.length)).sort((a, b) => a - b)
    const last = history.slice(0, seen).findLastIndex(({ key }) => key === overtaken)
    const unseen = last >= 0 && history[last]!.event.after !== null ? last : null
    return {
      ...{ history, watchedAt: watchedAt!, seen: seen!, unseen, givenAt: givenAt!, batch, deletes },
      lost: new Set(lost.filter((at) => at < seen! && at !== unseen)),
      resentFrom: Math.min(resentFrom, history.length),
    }
  })

function historyOf(steps: readonly { readonly key: number; readonly deletes: boolean }[]): Transaction[] {
  const rows = new Map<number, string>()
  return steps.map(({ key, deletes }, i) => {
    const before = rows.has(key) ? { id: BigInt(key), v: rows.get(key)! } : null
    const isDelete = deletes && before !== null
    const after = isDelete ? null : { id: BigInt(key), v: `v${i}` }
    if (after === null) rows.delete(key)
    else rows.set(key, after.v)
    const parts = { before: before === null ? null : { id: before.id }, after, offset: i + 1 }
    const event = changeEvent({ ...parts, position: [20 + 10 * i, 25 + 10 * i], tx: 100 + i })
    return { key, event, after: new Map(rows) }
  })
}

/** The rows that a moment has, of every key: what repair and backfill read of the source. */
function rowsOf(state: State): MomentRow[] {
  const shape = shapeOf(ITEM_COLUMNS)
  return Array.from({ length: KEYS }, (_, key) => {
    const v = state.get(key)
    const image = v === undefined ? null : rowImage(shape, { id: BigInt(key), v })
    return { key: { columns: [shape.columns[0]!], values: [BigInt(key)] }, image }
  })
}

function stateAfter({ history }: Course, count: number): State {
  return history[count - 1]?.after ?? new Map()
}

/** What the moment has. */
function momentOf(course: Course): { readonly snapshot: string; readonly state: State } {
  const { history, seen, unseen } = course
  const state = new Map(stateAfter(course, seen))
  if (unseen === null) return { snapshot: `${100 + seen}:${100 + seen}:`, state }
  const { key } = history[unseen]!
  const before = stateAfter(course, unseen).get(key)
  if (before === undefined) state.delete(key)
  else state.set(key, before)
  return { snapshot: `${100 + unseen}:${100 + seen}:${100 + unseen}`, state }
}

async function live(table: TestTable): Promise<Map<number, Cell>> {
  const rows = (await table.storedRows()).filter((row) => row['_cdc_deleted'] !== true)
  return new Map(rows.map(({ id, v }) => [Number(id), v!]))
}

async function give(
  table: TestTable,
  watch: string,
  { snapshot, state }: ReturnType<typeof momentOf>,
  id: bigint,
): Promise<MomentReport> {
  return table.writer.give({ id, watch, snapshot, rows: rowsOf(state) }, PARTITIONS)
}

test('rows of a moment beat what it sees, and are beaten by all that it does not see', async () => {
  await fc.assert(
    fc.asyncProperty(courses, async (course) => {
      const { history, watchedAt, seen, unseen, givenAt, lost, resentFrom, batch, deletes } = course
      const table = await TestTable.open({ contract: { deletes } })
      // There is a table, and its partition has a mark, before anybody brings rows.
      await table.apply(changeEvent({ after: { id: 99n, v: 'first' }, position: [10, 15], tx: 1, offset: 0 }))
      const apply = async (from: number, to: number, offset = 0, isWhole = false) => {
        for (let at = from; at < to; at += batch) {
          const events = history
            .slice(at, Math.min(at + batch, to))
            .filter(({ event }) => isWhole || !lost.has(Number(event.at.offset) - 1))
            .map(({ event }) => ({ ...event, at: { ...event.at, offset: event.at.offset + BigInt(offset) } }))
          if (events.length > 0) await table.apply(...events)
        }
      }
      await apply(0, watchedAt)
      const watch = await table.writer.watch()
      await apply(watchedAt, givenAt)
      const version = table.writer.version!
      const report = await give(table, watch, momentOf(course), 1n)

      const newer = new Set(history.slice(seen, givenAt).map(({ key }) => key))
      if (unseen !== null) newer.add(history[unseen]!.key)
      expect(report.deferred).toEqual([...newer].sort())
      const { inserted, updated, deleted } = report.counts
      const changed = inserted + updated + deleted
      expect(changed + report.unchanged + report.deferred.length).toBe(KEYS)
      expect(table.writer.version! - version).toBe(changed > 0 ? 1 : 0)

      await apply(givenAt, history.length)
      await apply(resentFrom, history.length, 100, true)
      const rows = await live(table)
      const truth = stateAfter(course, history.length)
      for (let key = 0; key < KEYS; key++) if (!newer.has(key)) expect(rows.get(key)).toBe(truth.get(key))

      // What was left to another moment is right after it, and then there is nothing to do.
      const last = momentOf({ ...course, seen: history.length, unseen: null })
      for (const id of [2n, 3n]) {
        const all = await give(table, await table.writer.watch(), last, id)
        expect(all.deferred).toEqual([])
        if (id === 3n) expect(all.unchanged).toBe(KEYS)
      }
      rows.clear()
      for (const [key, v] of await live(table)) if (key !== 99) rows.set(key, v)
      expect(rows).toEqual(truth)
    }),
    { numRuns: 70 },
  )
})
