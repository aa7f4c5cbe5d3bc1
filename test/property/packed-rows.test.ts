import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RowImage, RowShape } from '../../schemas/change-event.ts'
import { type Cell, type DeltaType, UNAVAILABLE } from '../../schemas/delta-types.ts'
import { cellOf, type PackedRow, PackedRows } from '../../schemas/packed-rows.ts'
import { hasGaps, isSameRow } from '../../writers/row-image.ts'
import { cellsOf, deltaTypes, nullable } from '../support/arbitrary-cells.ts'

type Known = Cell | typeof UNAVAILABLE

function shapeOf(types: readonly DeltaType[]): RowShape {
  const columns = types.map((type, i) => ({ name: `c${i}`, type, hasDefault: false }))
  return { columns, indexOf: new Map(columns.map(({ name }, i) => [name, i])) }
}

/** Rows of one shape, drawn from few distinct ones so that some are the same. */
const tables = fc.array(deltaTypes, { minLength: 1, maxLength: 5 }).chain((types) => {
  const cells = types.map((type) =>
    fc.oneof(
      { weight: 6, arbitrary: nullable(cellsOf(type)) as fc.Arbitrary<Known> },
      { weight: 1, arbitrary: fc.constant(UNAVAILABLE as Known) },
    ),
  )
  return fc
    .array(fc.tuple(...cells), { minLength: 1, maxLength: 8 })
    .chain((distinct) => fc.array(fc.constantFrom(...distinct), { maxLength: 90 }))
    .map((rows) => ({ shape: shapeOf(types), rows: rows as Known[][] }))
})

/** @param putTwice puts another row first, which is given up */
function pack(block: PackedRows, cells: readonly Known[], putTwice: readonly Known[] | null): PackedRow {
  for (const each of putTwice === null ? [cells] : [putTwice, cells]) {
    const row = block.begin()
    each.forEach((cell, i) => {
      const column = block.columns[i]!
      if (cell === null) column.putNull(row)
      else if (cell === UNAVAILABLE) column.putUnsent(row)
      else column.putCell(row, cell)
    })
  }
  return block.add(cells.includes(UNAVAILABLE))
}

test('packed rows hold what was put, and are the same as each other when their cells are', () => {
  fc.assert(
    fc.property(tables, fc.infiniteStream(fc.boolean()), ({ shape, rows }, coin) => {
      let block = new PackedRows(shape)
      const packed = rows.map((cells, i) => {
        if (block.isFull || (i > 0 && i % 40 === 0)) block = new PackedRows(shape, 40)
        return pack(block, cells, coin.next().value ? rows[0]! : null)
      })
      const plain: RowImage[] = rows.map((cells) => ({ shape, cells }))
      packed.forEach((row, i) => {
        expect(row.cells).toStrictEqual(rows[i])
        expect(shape.columns.map((_, c) => cellOf(row, c))).toStrictEqual(rows[i])
        expect(hasGaps(row)).toBe(hasGaps(plain[i]!))
        const other = (i * 7) % rows.length
        expect(isSameRow(row, packed[other]!)).toBe(isSameRow(plain[i]!, plain[other]!))
        expect(isSameRow(row, plain[other]!)).toBe(isSameRow(plain[i]!, plain[other]!))
      })
    }),
    { numRuns: 100 },
  )
})

test('a whole number goes into an int64 column without a bigint, and comes out as one', () => {
  const block = new PackedRows(shapeOf(['long']))
  const [column] = block.columns
  const numbers = [
    0,
    1,
    -1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    -(2 ** 32) - 1,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ]
  for (const number of numbers) {
    const row = block.begin()
    ;(column as unknown as { putInteger(row: number, value: number): void }).putInteger(row, number)
    expect(block.add(false).cells).toEqual([BigInt(number)])
  }
})

test('a block is full when its text is long, however few its rows', () => {
  const block = new PackedRows(shapeOf(['string']))
  expect(block.isFull).toBe(false)
  block.columns[0]!.putCell(block.begin(), 'x'.repeat(300_000))
  block.add(false)
  expect(block.isFull).toBe(true)
})
