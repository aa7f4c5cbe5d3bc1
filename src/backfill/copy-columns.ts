import type { SourceColumn } from '../../core/ports.ts'
import { parseSourceType, type SourceType } from '../../dq/canonical/source-type.ts'
import type { DeltaType } from '../../schemas/delta-types.ts'
import {
  arrayForm,
  BOOLEAN,
  BYTES,
  COMPACT_JSON,
  DATE,
  type FieldForm,
  FLOAT32,
  FLOAT64,
  INT16,
  INT32,
  INT64,
  POINT,
  TEXT,
  TIME,
  TIMESTAMP,
  UUID,
} from './copy-fields.ts'
import { numericForm } from './numeric-field.ts'

/** How a column of the source is asked for, and how its fields are read. */
export interface CopyField extends FieldForm {
  /** @param value the column; may be repeated */
  sql(value: string): string
}

type Make = (type: SourceType, delta: DeltaType) => CopyField | null

/**
 * How the values of a source column become cells of a Delta type: the ones that the stream would have told, to the bit
 * (formats §7). What Postgres keeps in a plain form is sent as it is; the rest is brought into such a form by Postgres.
 *
 * @returns `null` when that type does not hold such values, or no connector delivers them
 */
export function copyField({ type, kind }: SourceColumn, delta: DeltaType): CopyField | null {
  if (kind === 'composite' || kind === 'multirange' || kind === 'pseudo') return null
  const source = parseSourceType(type)
  if (!source.isArray) return plainField(source, delta)
  if (typeof delta === 'string' || delta.kind !== 'array') return null
  const element = plainField(source, delta.element)
  if (element === null) return null
  return {
    ...arrayForm(element.read),
    // An element that is sent as it is needs no look at the array.
    sql: (value) =>
      element.sql('x') === 'x'
        ? value
        : `CASE WHEN ${value} IS NOT NULL THEN ARRAY(SELECT ${element.sql('u.x')} FROM unnest(${value})
            WITH ORDINALITY u(x, o) ORDER BY u.o) END`,
  }
}

function plainField(type: SourceType, delta: DeltaType): CopyField | null {
  if (delta === 'string') return (AS_TEXT[type.name] ?? formatted)(type, delta)
  return AS_VALUE[type.name]?.(type, delta) ?? null
}

const asIs = (value: string) => value

function cast(name: string): (value: string) => string {
  return (value) => `(${value})::${name}`
}

/** Forms of numbers, and what Postgres calls them. */
const NUMBERS: Readonly<Record<string, { readonly form: FieldForm; readonly name: string }>> = {
  short: { form: INT16, name: 'smallint' },
  integer: { form: INT32, name: 'integer' },
  long: { form: INT64, name: 'bigint' },
  float: { form: FLOAT32, name: 'real' },
  double: { form: FLOAT64, name: 'double precision' },
}

/** A number as one of the forms, or as a decimal. @param forms that hold such a number */
function numbers(...forms: string[]): Make {
  return ({ name }, delta) => {
    if (typeof delta !== 'string') {
      if (delta.kind !== 'decimal' || !forms.includes('decimal')) return null
      return { ...numericForm(delta), sql: name === 'numeric' ? asIs : cast('numeric') }
    }
    const found = forms.includes(delta) ? NUMBERS[delta] : undefined
    return found === undefined ? null : { ...found.form, sql: name === found.name ? asIs : cast(found.name) }
  }
}

/** One form for one Delta type. */
function only(wanted: DeltaType, form: FieldForm, sql: (value: string) => string = asIs): Make {
  return (_, delta) => (delta === wanted ? { ...form, sql } : null)
}

const INTEGERS = numbers('short', 'integer', 'long', 'decimal')
const REALS = numbers('float', 'double')
/** A connector delivers single bits as booleans. */
const BIT = only('boolean', BOOLEAN, (value) => `(${value}) = B'1'`)

const AS_VALUE: Readonly<Record<string, Make>> = {
  boolean: only('boolean', BOOLEAN),
  bit: BIT,
  'bit varying': BIT,
  smallint: INTEGERS,
  integer: INTEGERS,
  bigint: INTEGERS,
  oid: INTEGERS,
  real: REALS,
  'double precision': REALS,
  numeric: numbers('decimal', 'double'),
  money: numbers('decimal'),
  bytea: only('binary', BYTES),
  date: only('date', DATE),
  'timestamp without time zone': only('timestamp_ntz', TIMESTAMP),
  'timestamp with time zone': only('timestamp', TIMESTAMP),
  interval: only('long', INT64, approximateMicros),
  point: (_, delta) =>
    typeof delta !== 'string' && delta.kind === 'struct' ? { ...POINT, sql: asIs } : null,
}

const verbatim: Make = () => ({ ...TEXT, sql: asIs })
/** By the output function, which is what the connector is sent: a cast to text would add the length of a mask. */
const formatted: Make = () => ({
  ...TEXT,
  // Of NULL, format makes an empty text.
  sql: (value) => `CASE WHEN ${value} IS NOT NULL THEN format('%s', ${value}) END`,
})
const none: Make = () => null

const AS_TEXT: Readonly<Record<string, Make>> = {
  text: verbatim,
  'character varying': verbatim,
  character: verbatim,
  name: verbatim,
  citext: verbatim,
  json: verbatim,
  jsonb: () => ({ ...TEXT, sql: cast('text') }),
  uuid: () => ({ ...UUID, sql: asIs }),
  // Of one without a scale of its own the stream tells no zeros at the end.
  numeric: ({ length }) => ({
    ...TEXT,
    sql: length === null ? (value) => `trim_scale(${value})::text` : cast('text'),
  }),
  'time without time zone': () => ({ ...TIME, sql: asIs }),
  'time with time zone': () => ({
    ...TEXT,
    sql: (value) => `(${value} AT TIME ZONE 'UTC')::time::text || 'Z'`,
  }),
  bit: () => ({ ...TEXT, sql: cast('text') }),
  'bit varying': ({ length }) => ({ ...TEXT, sql: (value) => openBits(value, length) }),
  interval: () => ({ ...TEXT, sql: isoInterval }),
  hstore: ({ prefix }) => ({ ...COMPACT_JSON, sql: (value) => `${prefix}hstore_to_json(${value})::text` }),
  // Values that are no text on the wire: a contract that calls them text makes dead letters of them.
  boolean: none,
  smallint: none,
  integer: none,
  bigint: none,
  oid: none,
  real: none,
  'double precision': none,
  money: none,
  bytea: none,
  date: none,
  'timestamp without time zone': none,
  'timestamp with time zone': none,
  point: none,
}

/** Zeros at the front are not sent; a schema that tells a length makes the decoder put some back. */
function openBits(value: string, length: number | null): string {
  return length === null ? `ltrim((${value})::text, '0')` : `lpad((${value})::text, ${length}, '0')`
}

/** `interval.handling.mode=numeric`, as connectors reckon: in doubles, step by step, a month as 30.4375 days. */
function approximateMicros(value: string): string {
  const part = (name: string) => `extract(${name} FROM ${value})::float8`
  const days = `(${part('year')} * 12 + ${part('month')}) * 30.4375::float8 + ${part('day')}`
  const seconds = `(((${days}) * 24 + ${part('hour')}) * 60 + ${part('minute')}) * 60 + ${part('second')}`
  return `trunc((${seconds}) * 1000000)::int8`
}

/** `interval.handling.mode=string`: all parts, each with its own sign. */
function isoInterval(value: string): string {
  const part = (name: string) => `extract(${name} FROM ${value})::int8`
  const [date, time] = [
    `'P' || ${part('year')} || 'Y' || ${part('month')} || 'M' || ${part('day')} || 'DT'`,
    `${part('hour')} || 'H' || ${part('minute')} || 'M' || trim_scale(extract(second FROM ${value})) || 'S'`,
  ]
  return `${date} || ${time}`
}
