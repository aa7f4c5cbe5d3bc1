import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChangeEvent } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { liveRowCount } from '../../writers/table/row-count.ts'
import { tallyTotal } from '../../writers/tally.ts'
import { deriveFeed, type VersionChanges } from '../support/derived-feed.ts'
import { longText, record, type Sent, type SourceRow, type Step } from '../support/made-up-source.ts'
import { type StoredRow, sortRows, sourceColumns, TestTable, textOf } from '../support/test-table.ts'

/** How a stream is cut: batch sizes that are taken in turn, and after which of them the writer starts anew. */
interface Cut {
  readonly sizes: readonly number[]
  readonly restarts: readonly boolean[]
}

const CUTS: readonly Cut[] = [1, 7, 1000].map((size) => ({ sizes: [size], restarts: [false] }))

const anyCut: fc.Arbitrary<Cut> = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
  restarts: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
})

const ROW_ACTS = ['insert', 'insert', 'update', 'update', 'touch', 'delete', 'copy', 'resend'] as const
const KEY_ACTS = [...ROW_ACTS, 'move', 'move', 'swap'] as const

function steps(acts: readonly Step['act'][]): fc.Arbitrary<Step[]> {
  const step = fc.record({
    act: fc.constantFrom(...acts),
    a: fc.nat(30),
    b: fc.nat(30),
    joins: fc.boolean(),
    early: fc.boolean(),
    toast: fc.boolean(),
  })
  return fc.array(step, { maxLength: 30, size: 'max' })
}

const snapshotRows: fc.Arbitrary<SourceRow[]> = fc
  .uniqueArray(fc.nat(11), { maxLength: 5 })
  .map((ids) => ids.map((id) => ({ id, n: id, grp: id % 2 === 0 ? 'a' : null, big: longText(`old ${id}`) })))

interface Case {
  readonly partitions: number
  readonly keyed?: boolean
  /** `REPLICA IDENTITY FULL`. */
  readonly full?: boolean
  readonly acts: readonly Step['act'][]
  readonly contract?: Partial<TableContract>
  readonly numRuns?: number
}

/** Plays random streams of one kind, each in several cuts, and holds every table that comes of it to `expected`. */
async function holdsForEveryCut(
  { partitions, keyed = true, full = false, acts, contract = {}, numRuns = 8 }: Case,
  expected: (rows: readonly SourceRow[], changes: readonly Sent[]) => readonly StoredRow[],
  observed: (table: TestTable) => Promise<readonly StoredRow[]> = (table) => table.rows(),
): Promise<void> {
  const property = fc.asyncProperty(
    keyed ? snapshotRows : fc.constant([]),
    steps(acts),
    fc.nat(),
    anyCut,
    async (initial, played, seed, cut) => {
      const { events, rows, changes } = record(initial, played, { partitions, keyed, full, seed })
      const wanted = sortRows(expected(rows, changes))
      for (const way of [...CUTS, cut]) {
        const table = await play(events, contract, way)
        expect(await observed(table), JSON.stringify(way)).toEqual(wanted)
        await expectSoundTable(table, contract, keyed)
      }
    },
  )
  await fc.assert(property, { numRuns })
}

async function play(
  events: readonly ChangeEvent[],
  contract: Partial<TableContract>,
  { sizes, restarts }: Cut,
): Promise<TestTable> {
  const table = await TestTable.open({ contract })
  let rest = events
  let isSecondReading = false
  for (let batch = 0; rest.length > 0; batch++) {
    const taken = rest.slice(0, sizes[batch % sizes.length]!)
    rest = rest.slice(taken.length)
    const before = table.reports.length
    await table.apply(...taken)
    const tallies = table.reports.slice(before).map((report) => tallyTotal(report.tally))
    expect(
      tallies.reduce((sum, total) => sum + total, 0),
      'every event is counted once',
    ).toBe(taken.length)
    if (isSecondReading || !restarts[batch % restarts.length] || table.writer.version === null) {
      isSecondReading = false
      continue
    }
    await table.reopen()
    // What changed nothing was not committed: it is read again, unless the passed mark has gone past it.
    const isRead = sizes.length % 2 === 0
    const unpassed = taken.filter(({ at }) => isRead && !table.writer.hasPassed(at))
    isSecondReading = unpassed.length > 0
    rest = [...unpassed, ...rest]
  }
  return table
}

async function expectSoundTable(
  table: TestTable,
  contract: Partial<TableContract>,
  keyed: boolean,
): Promise<void> {
  if (table.writer.version === null) return
  const rows = await table.storedRows()
  expect(liveRowCount(await table.snapshot()), 'rows as the log counts them').toBe(rows.length)
  if (contract.changeFeed === 'off') return
  const feed = await deriveFeed(table.store)
  if (keyed) feed.filter(({ isWritten }) => isWritten).forEach(expectNetChanges)
  expect(replay(feed), 'the change feed from nothing').toEqual(
    rows.map((row) => textOf(sourceColumns(row))).sort(),
  )
}

/** Replays a feed onto nothing. Every image of an old row must be the row as it was, but for our own columns. */
function replay(feed: readonly VersionChanges[]): string[] {
  const rows = new Map<string, number>()
  for (const { version, changes } of feed) {
    for (const { type, row } of changes) {
      if (type !== 'delete' && type !== 'update_preimage') continue
      const text = textOf(sourceColumns(row))
      const count = rows.get(text) ?? 0
      expect(count, `version ${version} removes ${text}`).toBeGreaterThan(0)
      rows.set(text, count - 1)
    }
    for (const { type, row } of changes) {
      if (type === 'delete' || type === 'update_preimage') continue
      const text = textOf(sourceColumns(row))
      rows.set(text, (rows.get(text) ?? 0) + 1)
    }
  }
  return [...rows].flatMap(([text, count]) => new Array<string>(count).fill(text)).sort()
}

/** One net change per key and commit. */
function expectNetChanges({ version, changes }: VersionChanges): void {
  const typesOf = new Map<unknown, string[]>()
  for (const { type, row } of changes) typesOf.set(row['id'], [...(typesOf.get(row['id']) ?? []), type])
  for (const [id, types] of typesOf) {
    expect(
      ['insert', 'delete', 'update_postimage+update_preimage'],
      `version ${version}, key ${id}`,
    ).toContain(types.sort().join('+'))
  }
}

const theSource = (rows: readonly SourceRow[]): readonly StoredRow[] =>
  rows as readonly (SourceRow & StoredRow)[]

describe('where a batch is cut changes nothing, nor does a restart:', () => {
  test.each<[string, Case]>([
    ['one partition', { partitions: 1, acts: [...KEY_ACTS, 'truncate', 'read'] }],
    ['three partitions', { partitions: 3, acts: [...KEY_ACTS, 'read'] }],
    ['three partitions that are truncated', { partitions: 3, acts: [...KEY_ACTS, 'truncate'] }],
    ['full before-images that nobody announced', { partitions: 1, full: true, acts: [...ROW_ACTS, 'move'] }],
  ])('a table with a key, %s', async (_, of) => {
    await holdsForEveryCut(of, theSource)
  })

  const FULL = { full: true, partitions: 2, acts: KEY_ACTS }

  test.each<[string, Case]>([
    ['full before-images', { ...FULL, contract: { replicaIdentity: 'full' } }],
    ['a full feed', { ...FULL, contract: { replicaIdentity: 'full', changeFeed: 'full' } }],
    ['a full feed without full before-images', { ...FULL, full: false, contract: { changeFeed: 'full' } }],
    ['a feed of rows', { ...FULL, contract: { replicaIdentity: 'full', changeFeed: 'rows' } }],
    ['no feed', { ...FULL, contract: { replicaIdentity: 'full', changeFeed: 'off' } }],
    [
      'rows that change their partition',
      { ...FULL, contract: { replicaIdentity: 'full', partitionBy: ['grp'], changeFeed: 'full' } },
    ],
    ['files that are rewritten', { ...FULL, full: false, contract: { merge: 'at-once' } }],
    [
      'files that are rewritten by partition, without a full feed',
      {
        ...FULL,
        contract: { replicaIdentity: 'full', merge: 'at-once', partitionBy: ['grp'], changeFeed: 'rows' },
      },
    ],
  ])('a table with a key, %s', async (_, of) => {
    await holdsForEveryCut({ ...of, numRuns: 5 }, theSource)
  })

  test.each<[string, Case]>([
    ['', { partitions: 1, acts: [...ROW_ACTS, 'truncate'] }],
    [' whose topic has partitions', { partitions: 3, acts: [...ROW_ACTS, 'truncate'] }],
    [' whose files are rewritten', { partitions: 1, acts: ROW_ACTS, contract: { merge: 'at-once' } }],
    [' by partition', { partitions: 1, acts: ROW_ACTS, contract: { partitionBy: ['grp'] } }],
  ])('a table without a key%s', async (_, of) => {
    await holdsForEveryCut({ ...of, keyed: false, full: true }, theSource)
  })

  test('a log of all events', async () => {
    const acts = [...ROW_ACTS, 'truncate'] as const
    const of: Case = { partitions: 1, keyed: false, full: true, acts, contract: { mode: 'append' } }
    await holdsForEveryCut(
      of,
      (_, changes) =>
        changes.map(({ op, before, after }) => ({ ...NOTHING, ...before, ...after, op }) as StoredRow),
      async (table) =>
        sortRows(
          (await table.storedRows()).map((row) => ({
            ...NOTHING,
            ...sourceColumns(row),
            op: row['_cdc_op']!,
          })),
        ),
    )
  })

  test('deleted rows that stay', async () => {
    const of: Case = { partitions: 1, full: true, acts: KEY_ACTS.filter((act) => act !== 'swap') }
    const contract = { replicaIdentity: 'full', deletes: 'soft' } as const
    await holdsForEveryCut(
      { ...of, contract },
      (_, changes) => [...withDeletedRows(changes).values()],
      async (table) =>
        sortRows(
          (await table.storedRows()).map((row) => ({ ...sourceColumns(row), gone: row['_cdc_deleted']! })),
        ),
    )
  })
})

const NOTHING: StoredRow = { id: null, grp: null, n: null, big: null }

function withDeletedRows(changes: readonly Sent[]): Map<unknown, StoredRow> {
  const rows = new Map<unknown, StoredRow>()
  for (const { op, before, after } of changes) {
    const row = (op === 'd' ? before : after) as StoredRow
    rows.set(row['id'], { ...row, gone: op === 'd' })
  }
  return rows
}
