import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ColumnSpec } from '../../schemas/column-spec.ts'
import { cellDecoder } from '../../schemas/decode/cell-decoder.ts'
import { cellPacker } from '../../schemas/decode/cell-packers.ts'
import { JsonScanner } from '../../schemas/decode/json-scanner.ts'
import { JSON_NULL } from '../../schemas/decode/json-tape.ts'
import { Fault } from '../../schemas/decode/undecodable-reasons.ts'
import { decimal } from '../../schemas/delta-types.ts'
import { packedColumn } from '../../schemas/packed-columns.ts'

const SPECS: readonly ColumnSpec[] = [
  { type: 'boolean', wire: { form: 'boolean' } },
  ...(['byte', 'short', 'integer', 'long'] as const).map(
    (type): ColumnSpec => ({ type, wire: { form: 'integer' } }),
  ),
  ...(['float', 'double'] as const).map((type): ColumnSpec => ({ type, wire: { form: 'real' } })),
  { type: 'string', wire: { form: 'text' } },
  { type: 'binary', wire: { form: 'base64' } },
  { type: 'date', wire: { form: 'date' } },
  ...(['ms', 'us', 'ns'] as const).map(
    (unit): ColumnSpec => ({ type: 'timestamp_ntz', wire: { form: 'timestamp', unit } }),
  ),
  { type: 'timestamp', wire: { form: 'zoned-timestamp' } },
  ...[decimal(4, 2), decimal(12, 2), decimal(15, 0), decimal(18, 5), decimal(38, 10)].flatMap(
    (type): ColumnSpec[] => [
      { type, wire: { form: 'text' } },
      { type, wire: { form: 'integer' } },
      { type, wire: { form: 'decimal', scale: type.scale, numberAllowed: true } },
      { type, wire: { form: 'decimal', scale: 1, numberAllowed: false } },
    ],
  ),
]

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`))
const trimmed = (text: string) => text.replace(/^0+(?=\d)/, '')
const numbers = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(20).map(trimmed),
    fc.option(digits(8)),
    fc.constantFrom('', '', '', 'e2', 'E-3'),
  )
  .map(
    ([sign, whole, fraction, exponent]) =>
      `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent}`,
  )
const borders = fc.constantFrom(
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740992', '9223372036854775807'],
  ...[
    '-9223372036854775808',
    '9223372036854775808',
    '127',
    '128',
    '-129',
    '32768',
    '2147483648',
    '-2147483649',
  ],
  ...[
    '0',
    '-0',
    '-0.0',
    '0.1',
    '123456789012345.6',
    '0.3',
    '999999999999999',
    '1e400',
    '-2147472692',
    '-2147472691',
  ],
  ...['9223372036825200', '9223372036825200000', '-9223372036832400', '9007199254741'],
)
const texts = fc.oneof(
  numbers,
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  fc.constantFrom(
    'NaN',
    'Infinity',
    '-Infinity',
    'infinity',
    '',
    '.',
    '-',
    '1.',
    '.5',
    'AA',
    'AB==',
    'AAB=',
    'B88=',
    '/2o=',
  ),
  fc
    .tuple(
      fc.integer({ min: 0, max: 9999 }),
      fc.integer({ min: 0, max: 13 }),
      fc.integer({ min: 0, max: 32 }),
      digits(6),
    )
    .map(([y, m, d, f]) => {
      const two = (n: number) => String(n).padStart(2, '0')
      return `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}T23:59:${two(d * 2)}.${f.padEnd(6, '0')}Z`
    }),
)
const values = fc.oneof(
  numbers,
  borders,
  texts.map((text) => JSON.stringify(text)),
  fc.constantFrom('true', 'false', '[]', '{}'),
)

test('a value is packed as it is decoded, and refused for the same reason', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SPECS),
      fc.array(values, { minLength: 1, maxLength: 30 }),
      (spec, list) => {
        const decode = cellDecoder(spec)!
        const pack = cellPacker(spec, decode)
        const column = packedColumn(spec.type, list.length)
        const json = new JsonScanner()
        list.forEach((value, row) => {
          if (json.scan(Buffer.from(value)) !== null || json.kind(0) === JSON_NULL) {
            column.putNull(row)
            return
          }
          const cell = decode(json, 0)
          const fault = pack(json, 0, column, row)
          expect(fault?.found, value).toBe(cell instanceof Fault ? cell.found : undefined)
          if (cell instanceof Fault) column.putNull(row)
          else expect(column.cell(row), value).toStrictEqual(cell)
        })
      },
    ),
    { numRuns: 1500 },
  )
})
