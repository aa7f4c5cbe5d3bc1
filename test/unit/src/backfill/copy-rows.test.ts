import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cell, decimal } from '../../../../schemas/delta-types.ts'
import { CopyBlock } from '../../../../src/backfill/copy-block.ts'
import { INT64, TEXT } from '../../../../src/backfill/copy-fields.ts'
import { CopyRows } from '../../../../src/backfill/copy-rows.ts'
import { numericForm } from '../../../../src/backfill/numeric-field.ts'
import { rowShape } from '../../../../writers/table/table-layout.ts'

const SHAPE = rowShape([
  { name: 'id', type: 'long', hasDefault: false },
  { name: 'note', type: 'string', hasDefault: false },
])
const COLUMNS = [
  { name: 'id', put: INT64.put },
  { name: 'note', put: TEXT.put },
]

type Row = readonly [id: bigint, note: string | null]

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function field(content: Buffer | null): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content?.length ?? -1)
  return content === null ? length : Buffer.concat([length, content])
}

function rowBytes([id, note]: Row): Buffer {
  const number = Buffer.alloc(8)
  number.writeBigInt64BE(id)
  return Buffer.concat([int16(2), field(number), field(note === null ? null : Buffer.from(note))])
}

const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])
const END = int16(-1)

function read(pieces: readonly Buffer[]): readonly (readonly Cell[])[] {
  const rows = new CopyRows('t', COLUMNS)
  const block = new CopyBlock(SHAPE)
  const found: Cell[][] = []
  const empty = () => {
    for (let row = 0; row < block.rowCount; row++)
      found.push(block.columns.map((column) => column.cell(row) as Cell))
    block.clear()
  }
  for (const piece of pieces) {
    rows.take(piece)
    while (rows.fill(block)) empty()
  }
  rows.end()
  empty()
  return found
}

test('rows are the same wherever the pieces end', () => {
  const row = fc.tuple(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.option(fc.string({ unit: 'grapheme' })),
  )
  fc.assert(
    fc.property(fc.array(row), fc.array(fc.nat(), { maxLength: 20 }), (rows, places) => {
      const bytes = Buffer.concat([HEADER, ...rows.map(rowBytes), END])
      const cuts = [...places.map((place) => place % bytes.length), bytes.length].sort((a, b) => a - b)
      const pieces = cuts.map((end, i) => bytes.subarray(cuts[i - 1] ?? 0, end))
      expect(read(pieces)).toEqual(rows)
    }),
  )
})

test('a row that is larger than all room for pieces is put together once', () => {
  const note = 'wide '.repeat(400_000)
  const bytes = Buffer.concat([HEADER, rowBytes([1n, 'a']), rowBytes([2n, note]), rowBytes([3n, null]), END])
  const pieces = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, i) =>
    bytes.subarray(i * 65_536, (i + 1) * 65_536),
  )
  expect(read(pieces)).toEqual([
    [1n, 'a'],
    [2n, note],
    [3n, null],
  ])
})

test('rows that end before their end are an error', () => {
  expect(() => read([HEADER, rowBytes([1n, 'a'])])).toThrow(
    expect.objectContaining({ code: 'E_BACKFILL_CUT' }),
  )
})

/** As `numeric_send` writes it: groups of four digits, the place of the first, sign, digits after the point. */
function numeric(text: string): Buffer {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const digits =
    whole.padStart(Math.ceil(whole.length / 4) * 4, '0') +
    fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0')
  const groups = (digits.match(/\d{4}/g) ?? []).map(Number)
  let weight = Math.ceil(whole.length / 4) - 1
  while (groups[0] === 0) {
    groups.shift()
    weight--
  }
  while (groups.at(-1) === 0) groups.pop()
  const head = [
    groups.length,
    groups.length === 0 ? 0 : weight,
    text.startsWith('-') ? 0x4000 : 0,
    fraction.length,
  ]
  return Buffer.concat([...head, ...groups].map(int16))
}

test.each([
  ['0', 0n],
  ['0.00', 0n],
  ['12.34', 1234n],
  ['-0.05', -5n],
  ['10000', 1_000_000n],
  ['9999999999999999.99', 999_999_999_999_999_999n],
  ['-90071992547409.93', -9_007_199_254_740_993n],
])('the numeric %s keeps every digit', (text, unscaled) => {
  const { read: readField, put } = numericForm(decimal(18, 2))
  const bytes = numeric(text)
  expect(readField(bytes, 0, bytes.length)).toBe(unscaled)
  const block = new CopyBlock(rowShape([{ name: 'n', type: decimal(18, 2), hasDefault: false }]))
  expect(put(bytes, 0, bytes.length, block.columns[0]!, 0)).toBeNull()
  expect(block.columns[0]!.cell(0)).toBe(unscaled)
})

test.each([
  ['1.234', 'DECIMAL_OUT_OF_RANGE'],
  ['1234567.00', 'DECIMAL_OUT_OF_RANGE'],
])('the numeric %s does not fit a decimal(5,2)', (text, reason) => {
  const { put } = numericForm(decimal(5, 2))
  const bytes = numeric(text)
  const block = new CopyBlock(rowShape([{ name: 'n', type: decimal(5, 2), hasDefault: false }]))
  expect(put(bytes, 0, bytes.length, block.columns[0]!, 0)).toMatchObject({ reason })
})
