import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CanonicalText, canonicalText, type NonNullCell } from '../../dq/canonical/canonical-text.ts'
import { lengthPrefixed, lengthPrefixedSql } from '../../dq/canonical/length-prefix.ts'
import { PINNED_SETTINGS } from '../../dq/source-settings.ts'
import { decimalText } from '../../schemas/decimal-text.ts'
import {
  arrayOf,
  type Cell,
  type DeltaType,
  decimal,
  field,
  mapOf,
  struct,
} from '../../schemas/delta-types.ts'
import { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()

/** Cells of a type, how Postgres is given the same value, and pairs that no generator would find. */
interface TypeCase {
  readonly type: string
  readonly delta: DeltaType
  readonly cells: fc.Arbitrary<NonNullCell>
  /** What Postgres reads the value from; default: its text. */
  readonly literal?: (cell: NonNullCell) => string
  /** Makes the value of a text `x`; default: a cast. */
  readonly cast?: string
  readonly pairs?: readonly (readonly [literal: string, cell: NonNullCell])[]
  readonly kind?: 'enum'
}

// Postgres's text holds all but U+0000.
const text = fc.string({ unit: 'binary', maxLength: 20 }).map((each) => each.replaceAll('\0', ''))
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const micros = fc.bigInt({
  min: -210_866_803_200_000_000n,
  max: 9_224_318_015_999_999_999n - 10n ** 15n * 2n,
})
const LAST = 253_402_300_799_999_999n
const FIRST = -62_135_596_800_000_000n
const floatText = (cell: NonNullCell) => (Object.is(cell, -0) ? '-0' : String(cell))
const hex = (cell: NonNullCell) => `\\x${Buffer.from(cell as Uint8Array).toString('hex')}`
const timeOf = (us: number) => {
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0')
  const s = Math.floor(us / 1e6)
  return `${two(s / 3600)}:${two((s / 60) % 60)}:${two(s % 60)}.${String(us % 1e6).padStart(6, '0')}`
}
const dayMicros = fc.integer({ min: 0, max: 86_400_000_000 })
const quoted = (value: string | null) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`)
const arrayLiteral = (literal: (cell: NonNullCell) => string) => (cells: NonNullCell) =>
  `{${(cells as readonly Cell[]).map((cell) => quoted(cell === null ? null : literal(cell))).join(',')}}`
const list = (cell: fc.Arbitrary<NonNullCell>) => fc.array(fc.option(cell), { maxLength: 6 })
const hstorePairs = fc.uniqueArray(fc.tuple(text, fc.option(text)), {
  selector: ([key]) => key,
  maxLength: 5,
})
const hstoreLiteral = (pairs: readonly (readonly [string, string | null])[]) =>
  pairs.map(([key, value]) => `${quoted(key)}=>${quoted(value)}`).join(',')

const CASES: readonly TypeCase[] = [
  { type: 'boolean', delta: 'boolean', cells: fc.boolean() },
  { type: 'bit(1)', delta: 'boolean', cells: fc.boolean(), literal: (cell) => (cell === true ? '1' : '0') },
  { type: 'smallint', delta: 'short', cells: fc.integer({ min: -32768, max: 32767 }) },
  { type: 'integer', delta: 'integer', cells: fc.integer() },
  { type: 'integer', delta: 'long', cells: fc.integer().map(BigInt) },
  { type: 'bigint', delta: 'long', cells: int64 },
  { type: 'oid', delta: 'long', cells: fc.bigInt({ min: 0n, max: 4_294_967_295n }) },
  {
    type: 'numeric(20,5)',
    delta: decimal(20, 5),
    cells: fc.bigInt({ min: -(10n ** 20n) + 1n, max: 10n ** 20n - 1n }),
    literal: (cell) => decimalText(cell as bigint, 5),
  },
  {
    type: 'numeric(4,-2)',
    delta: decimal(6, 0),
    cells: fc.bigInt({ min: -9999n, max: 9999n }).map((n) => n * 100n),
  },
  {
    type: 'numeric',
    delta: 'string',
    cells: fc
      .tuple(fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }), fc.integer({ min: 0, max: 70 }))
      .map(([unscaled, scale]) => decimalText(unscaled, scale)),
    pairs: [
      ['NaN', 'NAN'],
      ['NaN', 'NaN'],
      ['Infinity', 'POSITIVE_INFINITY'],
      ['-Infinity', 'NEGATIVE_INFINITY'],
      ['1e300', `1${'0'.repeat(300)}`],
      ['1e-300', `0.${'0'.repeat(299)}1`],
      ['100', '100'],
      ['0.000', '0'],
      ['-0.0', '0'],
      ['12.50', '12.500'],
    ],
  },
  { type: 'numeric(30,10)', delta: 'double', cells: fc.integer().map((n) => n / 1024) },
  {
    type: 'money',
    delta: decimal(19, 2),
    cells: fc.bigInt({ min: -(2n ** 63n) / 2n, max: 2n ** 62n }),
    literal: (cell) => decimalText(cell as bigint, 2),
    cast: 'x::numeric::money',
  },
  {
    type: 'real',
    delta: 'float',
    cells: fc.float(),
    literal: floatText,
    pairs: [
      ['1e20', Math.fround(1e20)],
      ['1e-45', Math.fround(1e-45)],
      ['-0', -0],
    ],
  },
  {
    type: 'double precision',
    delta: 'double',
    cells: fc.double(),
    literal: floatText,
    pairs: [
      ['1e20', 1e20],
      ['5e-324', 5e-324],
      ['-0', -0],
      ['NaN', Number.NaN],
      ['0.1', 0.1],
    ],
  },
  { type: 'text', delta: 'string', cells: text },
  { type: 'character varying(50)', delta: 'string', cells: text },
  { type: 'citext', delta: 'string', cells: text },
  { type: 'mood', kind: 'enum', delta: 'string', cells: fc.constantFrom('sad', 'öld', "it's; --") },
  {
    type: 'character(24)',
    delta: 'string',
    cells: text.map((each) => [...each].slice(0, 20).join('').padEnd(24)),
    pairs: [
      ['', ' '.repeat(24)],
      ['a b  ', 'a b'],
    ],
  },
  { type: '"char"', delta: 'string', cells: fc.constantFrom('a', '', '~') },
  {
    type: 'name',
    delta: 'string',
    cells: fc.string({ maxLength: 40 }).map((each) => each.replaceAll('\0', '')),
  },
  { type: 'json', delta: 'string', cells: fc.json({ stringUnit: 'grapheme-ascii' }) },
  {
    type: 'jsonb',
    delta: 'string',
    cells: fc.integer().map((n) => `{"a": [${n}, null]}`),
    pairs: [
      ['{"bb":1,"a":2,"a":3}', '{"a": 3, "bb": 1}'],
      ['1e2', '100'],
      ['1.10', '1.10'],
      ['null', 'null'],
      ['"\\u00e9"', '"é"'],
    ],
  },
  { type: 'uuid', delta: 'string', cells: fc.uuid() },
  {
    type: 'inet',
    delta: 'string',
    cells: fc.ipV4(),
    pairs: [
      ['::1', '::1'],
      ['10.0.0.1/8', '10.0.0.1/8'],
      ['1.2.3.4/32', '1.2.3.4'],
    ],
  },
  { type: 'cidr', delta: 'string', cells: fc.constantFrom('10.0.0.0/8', '::/0', '1.2.3.4/32') },
  { type: 'macaddr', delta: 'string', cells: fc.constant('08:00:2b:01:02:03') },
  { type: 'int4range', delta: 'string', cells: fc.constantFrom('[1000,6000)', 'empty', '(,)') },
  { type: 'tsrange', delta: 'string', cells: fc.constantFrom('["2026-03-01 15:30:00",infinity)') },
  { type: 'xml', delta: 'string', cells: fc.constantFrom('<a b="1">ü</a>') },
  { type: 'ltree', delta: 'string', cells: fc.constantFrom('a.b.c', '') },
  { type: 'tsvector', delta: 'string', cells: fc.constantFrom("'a':1 'b'", '') },
  { type: 'bytea', delta: 'binary', cells: fc.uint8Array({ maxLength: 30 }), literal: hex },
  { type: 'bit(7)', delta: 'string', cells: bits(7, 7) },
  {
    type: 'bit varying(12)',
    delta: 'string',
    cells: bits(0, 12),
    pairs: [
      ['0001', '1'],
      ['000', ''],
    ],
  },
  {
    type: 'date',
    delta: 'date',
    cells: fc.integer({ min: -2_440_588, max: 2_145_000_000 }),
    cast: "date '1970-01-01' + x::int",
  },
  {
    type: 'date',
    delta: 'date',
    cells: fc.constant(0),
    literal: () => '1970-01-01',
    pairs: [
      ['infinity', 2_932_896],
      ['-infinity', -719_162],
      ['0044-03-15 BC', -735_160],
    ],
  },
  {
    type: 'timestamp without time zone',
    delta: 'timestamp_ntz',
    cells: micros,
    cast: "timestamp '1970-01-01' + (x || ' microseconds')::interval",
  },
  {
    type: 'timestamp(3) with time zone',
    delta: 'timestamp',
    cells: fc.constant(1_772_368_215_123_000n),
    literal: () => '2026-03-01T12:30:15.1234Z',
    pairs: [
      ['infinity', LAST],
      ['-infinity', FIRST],
      ['0044-03-15 00:00:00+00 BC', -63_517_824_000_000_000n],
      ['1969-12-31T23:59:59.999Z', -1000n],
    ],
  },
  {
    type: 'timestamp with time zone',
    delta: 'timestamp',
    cells: micros,
    cast: "timestamptz '1970-01-01Z' + (x || ' microseconds')::interval",
  },
  {
    type: 'time without time zone',
    delta: 'string',
    cells: dayMicros.map(timeOf),
    pairs: [['24:00:00', '24:00:00.000000']],
  },
  {
    type: 'time with time zone',
    delta: 'string',
    cells: dayMicros.map((us) => `${timeOf(us)}Z`),
    pairs: [
      ['10:30:15.5+02', '08:30:15.5Z'],
      ['01:00:00+15:59', '09:01:00Z'],
      ['23:00:00-15:59', '14:59:00Z'],
      ['24:00:00+00', '24:00:00Z'],
      ['24:00:00+00', '00:00:00Z'],
    ],
  },
  {
    type: 'interval',
    delta: 'string',
    cells: fc
      .array(fc.integer({ min: -5000, max: 5000 }), { minLength: 6, maxLength: 6 })
      .map(([y, mo, d, h, mi, s]) => `P${y}Y${mo}M${d}DT${h}H${mi}M${s}.25S`),
    pairs: [
      ['1 year 2 mons 3 days 04:05:06.78', 'P1Y2M3DT4H5M6.78S'],
      ['-1 mons +2 days -00:00:00.000001', 'P0Y-1M2DT0H0M-0.000001S'],
      ['0', 'P0Y0M0DT0H0M0S'],
    ],
  },
  {
    type: 'interval',
    delta: 'long',
    cells: fc.constant(37_091_106_780_000n),
    literal: () => '1 year 2 mons 3 days 04:05:06.78',
    pairs: [
      ['-1 mons +2 days -00:00:00.000001', -2_457_000_000_001n],
      ['0', 0n],
      ['1 microsecond', 1n],
    ],
  },
  {
    type: 'point',
    delta: struct([field('x', 'double'), field('y', 'double')]),
    cells: fc.tuple(fc.double(), fc.double()),
    literal: (cell) => `(${(cell as readonly number[]).map(floatText).join(',')})`,
  },
  {
    type: 'hstore',
    delta: 'string',
    cells: hstorePairs.map((pairs) => JSON.stringify(Object.fromEntries(pairs))),
    literal: (cell) => hstoreLiteral(Object.entries(JSON.parse(cell as string))),
  },
  {
    type: 'hstore',
    delta: mapOf('string', 'string'),
    cells: hstorePairs,
    literal: (cell) => hstoreLiteral(cell as unknown as [string, string | null][]),
  },
  { type: 'text[]', delta: arrayOf('string'), cells: list(text), literal: arrayLiteral(String) },
  { type: 'bigint[]', delta: arrayOf('long'), cells: list(int64), literal: arrayLiteral(String) },
  {
    type: 'bytea[]',
    delta: arrayOf('binary'),
    cells: list(fc.uint8Array({ maxLength: 5 })),
    literal: arrayLiteral(hex),
  },
  {
    type: 'double precision[]',
    delta: arrayOf('double'),
    cells: list(fc.double()),
    literal: arrayLiteral(floatText),
  },
  {
    type: 'numeric(9,3)[]',
    delta: arrayOf(decimal(9, 3)),
    cells: list(fc.bigInt({ min: -999_999_999n, max: 999_999_999n })),
    literal: arrayLiteral((cell) => decimalText(cell as bigint, 3)),
  },
]

function bits(minLength: number, maxLength: number): fc.Arbitrary<string> {
  const bit = fc.constantFrom('0', '1')
  return fc.array(bit, { minLength, maxLength }).map((each) => each.join(''))
}

describe.skipIf(database.missing !== null)('a value and its cell in the lake have one canonical text', () => {
  const manager = new PostgresConnectionManager({
    connectionString: database.url || 'postgres://none',
    poolSize: 1,
  })

  beforeAll(async () => {
    // As a server may be set: what is pinned counts.
    const name = new URL(database.url).pathname.slice(1)
    for (const setting of [
      `datestyle = 'SQL, DMY'`,
      `timezone = 'Asia/Kolkata'`,
      `intervalstyle = 'sql_standard'`,
    ]) {
      await database.query(`alter database ${name} set ${setting}`)
    }
    await database.query(`create extension hstore; create extension citext; create extension ltree;
      create type mood as enum ('sad', 'öld', 'it''s; --')`)
  })

  afterAll(async () => {
    await manager.close()
    await database.close()
  })

  test.each(CASES.map((each) => [each.type, JSON.stringify(each.delta), each] as const))(
    '%s kept as %s',
    async (type, _, { delta, cells, literal = String, cast, pairs = [], kind }) => {
      const canonical = canonicalText({ type, kind: kind ?? 'base' }, delta) as CanonicalText
      expect(canonical).toHaveProperty('sql')
      const sql = async (literals: readonly (string | null)[], make: string) => {
        const asked = `select ${lengthPrefixedSql('t')} as t from (
          select ${canonical.sql('v')} as t, o from (
            select ${make} as v, o from unnest($1::text[]) with ordinality u(x, o) offset 0) s offset 0) r order by o`
        return manager.session(async (session) => {
          await session.query('test', 'BEGIN')
          await session.query('test', PINNED_SETTINGS)
          const rows = await session.query('test', asked, [literals])
          await session.query('test', 'COMMIT')
          return rows.map((row) => row['t'])
        })
      }
      const given = pairs.map(([, cell]) => lengthPrefixed(canonical, cell))
      expect(
        await sql(
          pairs.map(([each]) => each),
          `x::${type}`,
        ),
      ).toEqual(given)
      await fc.assert(
        fc.asyncProperty(fc.array(fc.option(cells), { minLength: 1, maxLength: 60 }), async (many) => {
          const literals = many.map((cell) => (cell === null ? null : literal(cell)))
          const expected = many.map((cell) => lengthPrefixed(canonical, cell))
          expect(await sql(literals, cast ?? `x::${type}`)).toEqual(expected)
        }),
        { numRuns: 12 },
      )
    },
  )
})

describe('a canonical text is read back as', () => {
  test.each(CASES.map((each) => [each.type, JSON.stringify(each.delta), each] as const))(
    'a cell of the same text: %s kept as %s',
    (type, _, { delta, cells, pairs = [], kind }) => {
      const canonical = canonicalText({ type, kind: kind ?? 'base' }, delta) as CanonicalText
      const check = (cell: NonNullCell) => {
        const again = canonical.cell(canonical.text(cell))
        expect(canonical.text(again)).toBe(canonical.text(cell))
        if (canonical.isOneToOne) expect(again).toEqual(cell)
      }
      for (const [, cell] of pairs) check(cell)
      fc.assert(fc.property(cells, check), { numRuns: 50 })
    },
  )
})
