import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ChangeEvent, RowImage, RowShape } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { arrayOf, type Cell, type DeltaType, decimal, UNAVAILABLE } from '../../schemas/delta-types.ts'
import { widening } from '../../schemas/evolution.ts'
import { type PackedRow, PackedRows } from '../../schemas/packed-rows.ts'
import { cellsOf, nullable } from '../support/arbitrary-cells.ts'
import { type ColumnTypes, changeEvent } from '../support/change-event.ts'
import { TestTable } from '../support/test-table.ts'

/** What the source's table looks like at first, and after it was altered: columns widened, and one more. */
const ERAS: readonly ColumnTypes[] = [
  {
    id: 'long',
    n: 'integer',
    s: 'short',
    price: decimal(9, 2),
    cost: decimal(15, 3),
    huge: decimal(30, 0),
    part: 'string',
    text: 'string',
    bytes: 'binary',
    flag: 'boolean',
    ratio: 'double',
    list: arrayOf('integer'),
  },
  {
    id: 'long',
    n: 'long',
    s: 'integer',
    price: decimal(11, 4),
    cost: decimal(15, 3),
    huge: decimal(30, 0),
    part: 'string',
    text: 'string',
    bytes: 'binary',
    flag: 'boolean',
    ratio: 'double',
    list: arrayOf('long'),
    added: 'timestamp',
  },
]

const rowsOf = ERAS.map((columns) =>
  fc.record(
    Object.fromEntries(
      Object.entries(columns)
        .filter(([name]) => name !== 'id')
        .map(([name, type]) => [
          name,
          name === 'part' ? fc.constantFrom('', 'a', 'b', null) : nullable(cellsOf(type as 'string')),
        ]),
    ),
  ),
)

interface Step {
  readonly id: number
  readonly row: Readonly<Record<string, Cell>>
  readonly isDelete: boolean
  /** `text` is out of line, and was not changed. */
  readonly leavesText: boolean
}

/** Two batches an era. */
const histories = fc.tuple(
  ...rowsOf.flatMap((rows) => {
    const step: fc.Arbitrary<Step> = fc.record({
      id: fc.nat(6),
      row: rows as fc.Arbitrary<Step['row']>,
      isDelete: fc.boolean(),
      leavesText: fc.boolean(),
    })
    const batch = fc.array(step, { minLength: 1, maxLength: 14 })
    return [batch, batch]
  }),
)

/** @param isFull `before` is the whole row */
function batchesOf(
  history: readonly Step[][],
  isFull: boolean,
  key: readonly string[] | null,
): ChangeEvent[][] {
  const live = new Map<number, Readonly<Record<string, Cell>>>()
  let position = 100
  return history.map((steps, batch) => {
    if (batch === 2) for (const [id, row] of live) live.set(id, altered(row))
    return steps.flatMap(({ id, row, isDelete, leavesText }): ChangeEvent[] => {
      const before = live.get(id) ?? null
      if (isDelete && before === null) return []
      const text = (leavesText && before !== null ? before : row)['text']!
      const now = isDelete ? null : { ...row, text, id: BigInt(id) }
      if (now === null) live.delete(id)
      else live.set(id, now)
      const isSent = !leavesText || before === null || isFull
      const told = { columns: ERAS[batch >> 1]!, key, position: position++, tx: position >> 2 }
      return [
        changeEvent({
          ...told,
          before: isFull || isDelete ? before : null,
          after: now === null || isSent ? now : { ...now, text: UNAVAILABLE },
          op: isDelete ? 'd' : before === null ? 'c' : 'u',
        }),
      ]
    })
  })
}

/** A row of the first era as the source has it in the second. */
function altered(row: Readonly<Record<string, Cell>>): Record<string, Cell> {
  const [first, second] = ERAS as readonly Record<string, DeltaType>[]
  return Object.fromEntries(
    Object.entries(row).map(([name, cell]) => {
      const widen = widening(first![name]!, second![name]!)
      return [name, widen === null ? cell : widen(cell)]
    }),
  )
}

/** The same events with their images in blocks. */
function packed(events: readonly ChangeEvent[]): ChangeEvent[] {
  const blocks = new Map<RowShape, PackedRows>()
  const pack = (image: RowImage | null): PackedRow | null => {
    if (image === null) return null
    let block = blocks.get(image.shape)
    if (block === undefined || block.count === 5) block = new PackedRows(image.shape)
    blocks.set(image.shape, block)
    const row = block.begin()
    image.cells.forEach((cell, i) => {
      if (cell === null) block.columns[i]!.putNull(row)
      else if (cell === UNAVAILABLE) block.columns[i]!.putUnsent(row)
      else block.columns[i]!.putCell(row, cell)
    })
    return block.add(image.cells.includes(UNAVAILABLE))
  }
  return events.map((event) => ({ ...event, before: pack(event.before), after: pack(event.after) }))
}

/** Every Parquet file and deletion vector that a table's life leaves, in the order in which they were put. */
async function filesOf(
  batches: readonly ChangeEvent[][],
  contract: Partial<TableContract>,
): Promise<string[]> {
  const table = await TestTable.open({ contract: { ...contract, merging: 'off' } })
  for (const events of batches) if (events.length > 0) await table.apply(...events)
  return [...table.store.objects].flatMap(([path, { bytes }]) =>
    path.includes('_delta_log') ? [] : [Buffer.from(bytes).toString('latin1')],
  )
}

test.each<[string, Partial<TableContract>, boolean, readonly string[] | null]>([
  ['whole before-images, full feed', { replicaIdentity: 'full', changeFeed: 'full' }, true, ['id']],
  ['keys before, full feed', { changeFeed: 'full' }, false, ['id']],
  ['keys before, feed of rows', { changeFeed: 'rows' }, false, ['id']],
  ['partitions', { replicaIdentity: 'full', partitionBy: ['part'] }, true, ['id']],
  ['deleted rows that stay', { replicaIdentity: 'full', deletes: 'soft' }, true, ['id']],
  ['files rewritten at once', { replicaIdentity: 'full', merge: 'at-once' }, true, ['id']],
  ['a bag', { replicaIdentity: 'full' }, true, null],
  ['a log', { mode: 'append' }, false, null],
])('packed images and plain ones give the same files: %s', async (_, contract, isFull, key) => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const batches = batchesOf(history, isFull, key)
      const plain = await filesOf(batches, contract)
      expect(plain.length).toBeGreaterThan(0)
      expect(await filesOf(batches.map(packed), contract)).toEqual(plain)
    }),
    { numRuns: 10 },
  )
})

test('a batch of more rows than go into columns at once comes back whole, packed and plain', async () => {
  const columns: ColumnTypes = { id: 'long', n: 'integer', part: 'string', text: 'string' }
  const events = Array.from({ length: 5_000 }, (_, i) =>
    changeEvent({
      columns,
      after: {
        id: BigInt(i),
        n: i % 7 === 0 ? null : i,
        part: i % 3 === 0 ? 'a' : 'b',
        text: i % 11 === 0 ? null : `${'text '.repeat(i % 40)}${i}`,
      },
      position: 100 + i,
    }),
  )
  const contract: Partial<TableContract> = { partitionBy: ['part'] }
  const table = await TestTable.open({ contract })
  await table.apply(...packed(events))
  const stored = new Map((await table.rows()).map((row) => [row['id'], row]))
  expect(stored.size).toBe(events.length)
  for (const { after } of events) {
    const [id, n, part, text] = after!.cells as Cell[]
    expect(stored.get(id!)).toEqual({ id, n, part, text })
  }
  expect(await filesOf([packed(events)], contract)).toEqual(await filesOf([events], contract))
})
