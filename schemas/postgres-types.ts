import { EngineError } from '../core/errors.ts'
import { type ColumnSpec, fittingDecimal } from './column-spec.ts'
import { arrayOf, type DeltaType, decimal, field, struct } from './delta-types.ts'

/** Names that Postgres itself takes for another one (`format_type` and SQL spellings). */
const ALIASES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int2: 'smallint',
  smallserial: 'smallint',
  serial2: 'smallint',
  int: 'integer',
  int4: 'integer',
  serial: 'integer',
  serial4: 'integer',
  int8: 'bigint',
  bigserial: 'bigint',
  serial8: 'bigint',
  float4: 'real',
  float8: 'double precision',
  double: 'double precision',
  float: 'double precision',
  decimal: 'numeric',
  dec: 'numeric',
  'character varying': 'varchar',
  character: 'char',
  bpchar: 'char',
  'bit varying': 'varbit',
  'timestamp without time zone': 'timestamp',
  timestamptz: 'timestamp with time zone',
  'time without time zone': 'time',
  timetz: 'time with time zone',
}

/** Types whose values are delivered, and kept, as text. */
const TEXTS = [
  ...[
    'text',
    'varchar',
    'char',
    'name',
    'citext',
    'json',
    'jsonb',
    'xml',
    'uuid',
    'ltree',
    'tsvector',
    'isbn',
  ],
  ...['inet', 'cidr', 'macaddr', 'macaddr8', 'enum', 'time with time zone'],
  ...['int4range', 'int8range', 'numrange', 'daterange', 'tsrange', 'tstzrange'],
] as const

const TEXT: ColumnSpec = { type: 'string', wire: { form: 'text' } }
const LONG: ColumnSpec = { type: 'long', wire: { form: 'integer' } }

/** What a type is, given the numbers in its parentheses. `null`: it does not take such numbers. */
type Make = (args: readonly number[]) => ColumnSpec | null

const PLAIN: Readonly<Record<string, ColumnSpec>> = {
  boolean: { type: 'boolean', wire: { form: 'boolean' } },
  smallint: { type: 'short', wire: { form: 'integer' } },
  integer: { type: 'integer', wire: { form: 'integer' } },
  bigint: LONG,
  oid: LONG,
  real: { type: 'float', wire: { form: 'real' } },
  'double precision': { type: 'double', wire: { form: 'real' } },
  bytea: { type: 'binary', wire: { form: 'base64' } },
  date: { type: 'date', wire: { form: 'date' } },
  // Two digits after the point, as the connector's `money.fraction.digits` has it by default.
  money: { type: decimal(19, 2), wire: { form: 'decimal', scale: 2, numberAllowed: false } },
  hstore: { ...TEXT, followsEvent: true },
  point: pointSpec(),
}

const WITH_NUMBERS: Readonly<Record<string, Make>> = {
  numeric: makeNumeric,
  interval: (args) => (args.length <= 1 ? { ...LONG, followsEvent: true } : null),
  bit: (args) => (args.length <= 1 ? bitSpec(args[0] ?? 1) : null),
  varbit: (args) => (args[0] === 1 ? bitSpec(1) : args.length <= 1 ? bitsSpec(null) : null),
  time: (args) => (isFraction(args) ? { type: 'string', wire: { form: 'time', unit: unitOf(args) } } : null),
  timestamp: (args) =>
    isFraction(args) ? { type: 'timestamp_ntz', wire: { form: 'timestamp', unit: unitOf(args) } } : null,
  'timestamp with time zone': (args) =>
    isFraction(args) ? { type: 'timestamp', wire: { form: 'zoned-timestamp' } } : null,
}

/** All type names a contract may use, for messages and completion. */
export const POSTGRES_TYPE_NAMES: readonly string[] = [
  ...new Set([...Object.keys(PLAIN), ...Object.keys(WITH_NUMBERS), ...TEXTS, ...Object.keys(ALIASES)]),
].sort()

/**
 * Reads a Postgres type as a contract names it: `numeric(10,2)`, `timestamp(3)`, `text[]`, `varchar(20)`, `bit(8)`.
 * A domain is named by its base type, an enum type by `enum`.
 *
 * Without an inline schema the wire form is that of the connector's default settings: decimals `precise`, time
 * `adaptive`, `bytea` as bytes, intervals `numeric`, `hstore` as JSON.
 *
 * @param column named by the error, `schema.table.column` or as the caller likes
 * @throws EngineError `E_UNKNOWN_TYPE`, `usage`: names the column and the nearest known type
 */
export function parsePostgresType(text: string, column: string): ColumnSpec {
  const parsed = TYPE.exec(text.trim().toLowerCase().replace(/\s+/g, ' '))
  const spec = parsed === null ? null : baseSpec(parsed)
  if (spec === null) throw unknownType(text, column)
  if (parsed?.[4] === undefined) return spec
  return { type: arrayOf(spec.type), wire: { form: 'array', element: spec.wire } }
}

/** name (numbers) rest-of-name [] — the rest is `with time zone` after `timestamp(3)`. */
const TYPE =
  /^([a-z][a-z0-9_ ]*?) ?(?:\( ?(-?\d{1,4}(?: ?, ?-?\d{1,4})?) ?\))?( with(?:out)? time zone)?((?:\[\d*\])+| array)?$/

function baseSpec(parsed: RegExpExecArray): ColumnSpec | null {
  const written = `${parsed[1]}${parsed[3] ?? ''}`
  const name = Object.hasOwn(ALIASES, written) ? ALIASES[written]! : written
  const args = parsed[2] === undefined ? [] : parsed[2].split(',').map(Number)
  if (Object.hasOwn(WITH_NUMBERS, name)) return WITH_NUMBERS[name]!(args)
  if ((TEXTS as readonly string[]).includes(name)) return args.length <= 1 ? TEXT : null
  return Object.hasOwn(PLAIN, name) && args.length === 0 ? PLAIN[name]! : null
}

function makeNumeric(args: readonly number[]): ColumnSpec | null {
  const [precision, scale = 0] = args
  if (precision === undefined) return { type: 'string', wire: { form: 'variable-decimal' } }
  if (args.length > 2 || precision < 1 || precision > 1000) return null
  const fitted = fittingDecimal(precision, scale)
  const type: DeltaType = fitted === null ? 'string' : decimal(fitted.precision, fitted.scale)
  return { type, wire: { form: 'decimal', scale, numberAllowed: false } }
}

/** `bit` and `bit(1)` are delivered as booleans. */
function bitSpec(length: number): ColumnSpec {
  return length === 1 ? PLAIN['boolean']! : bitsSpec(length)
}

function bitsSpec(length: number | null): ColumnSpec {
  return { type: 'string', wire: { form: 'bits', length } }
}

/** `time.precision.mode=adaptive`: milliseconds up to three digits, else microseconds. */
function unitOf(args: readonly number[]): 'ms' | 'us' {
  return (args[0] ?? 6) <= 3 ? 'ms' : 'us'
}

function isFraction(args: readonly number[]): boolean {
  return args.length === 0 || (args.length === 1 && args[0]! >= 0 && args[0]! <= 6)
}

/** A point is its two numbers; the well-known binary beside them says the same again. */
export function pointSpec(): ColumnSpec {
  const real = { form: 'real' } as const
  return {
    type: struct([field('x', 'double'), field('y', 'double')]),
    wire: {
      form: 'struct',
      fields: [
        { name: 'x', wire: real },
        { name: 'y', wire: real },
      ],
      isOpen: true,
    },
  }
}

function unknownType(text: string, column: string): EngineError {
  const near = nearestNames(
    text
      .trim()
      .toLowerCase()
      .replace(/[([].*$/, '')
      .trim(),
  )
  return new EngineError(
    'E_UNKNOWN_TYPE',
    'usage',
    `Column ${column}: "${text}" is not a Postgres type known here; near: ${near.join(', ')}. ` +
      'Name a domain by its base type, an enum type by "enum", and a type that is kept as text by "text".',
  )
}

function nearestNames(name: string): string[] {
  const ranked = POSTGRES_TYPE_NAMES.map((known) => ({ known, distance: editDistance(name, known) }))
  ranked.sort((a, b) => a.distance - b.distance || (a.known < b.known ? -1 : 1))
  return ranked.slice(0, 3).map((r) => r.known)
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const above = row
    row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(replaced, above[j]! + 1, row[j - 1]! + 1)
    }
  }
  return row[b.length]!
}
