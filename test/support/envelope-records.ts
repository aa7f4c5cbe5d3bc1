import type { RawRecord } from '../../core/ports.ts'
import type { ChangeEvent, Decoded } from '../../schemas/change-event.ts'
import type { Cell, UNAVAILABLE } from '../../schemas/delta-types.ts'

/** Parts of an envelope, as JSON text: numbers beyond 2^53 and broken parts can be written down. `null`: left out. */
export interface EnvelopeParts {
  readonly op?: string | null
  readonly before?: string | null
  readonly after?: string | null
  /** Members of the source block that differ from the usual ones. */
  readonly source?: Readonly<Record<string, string | null>> | string | null
  readonly key?: string | Uint8Array | null
  readonly headers?: readonly (readonly [string, string])[]
  readonly topic?: string
  /** Schemas of the columns (text of Connect fields): wraps value and key in `schema` and `payload`. */
  readonly fields?: readonly string[]
}

const SOURCE: Readonly<Record<string, string>> = {
  version: '"3.7.0.Final"',
  connector: '"postgresql"',
  name: '"shop"',
  ts_ms: '1772368215123',
  snapshot: '"false"',
  db: '"cdcdb"',
  sequence: '"[\\"97500059000\\",\\"97500059720\\"]"',
  ts_us: '1772368215123456',
  ts_ns: '1772368215123456000',
  schema: '"public"',
  table: '"t"',
  txId: '999',
  lsn: '97500059720',
  xmin: 'null',
}

/** A record of `public.t` as Debezium would send it, but for the given parts. */
export function envelope(parts: EnvelopeParts = {}): RawRecord {
  const { op = '"c"', before = 'null', after = '{"id":1}', source = {}, fields } = parts
  const members = [
    ['before', before],
    ['after', after],
    ['source', typeof source === 'string' || source === null ? source : object({ ...SOURCE, ...source })],
    ['transaction', 'null'],
    ['op', op],
    ['ts_ms', '1772368215400'],
  ] as const
  const payload = object(Object.fromEntries(members))
  const value = fields === undefined ? payload : wrapped(payload, valueSchema(fields))
  return record(value, { ...parts, key: parts.key === undefined ? null : parts.key })
}

/** Any value at all. */
export function record(
  value: string | Uint8Array | null,
  rest: Pick<EnvelopeParts, 'key' | 'headers' | 'topic'> = {},
): RawRecord {
  return {
    topic: rest.topic ?? 'shop.public.t',
    partition: 0,
    offset: 7n,
    timestampMs: 1772368215500,
    key: rest.key == null ? null : Buffer.from(rest.key),
    value: value === null ? null : Buffer.from(value),
    headers: (rest.headers ?? []).map(([name, text]) => [name, Buffer.from(text)] as const),
  }
}

export function wrapped(payload: string, schema: string): string {
  return `{"schema":${schema},"payload":${payload}}`
}

/** The schema of an envelope whose rows have these fields. */
export function valueSchema(fields: readonly string[]): string {
  const rowOf = (field: string): string =>
    `{"type":"struct","fields":[${fields.join(',')}],"optional":true,"name":"shop.public.t.Value","field":"${field}"}`
  const others = '{"type":"struct","fields":[],"field":"source"},{"type":"string","field":"op"}'
  return `{"type":"struct","fields":[${rowOf('before')},${rowOf('after')},${others}],"name":"shop.public.t.Envelope"}`
}

export function changeOf(decoded: Decoded): ChangeEvent {
  if (decoded.kind !== 'change') throw new TypeError(`not a change: ${JSON.stringify(decoded, String)}`)
  return decoded
}

/** Cells of `after` by column; a symbol stands for "not sent". */
export function afterOf(decoded: Decoded): Record<string, Cell | typeof UNAVAILABLE> {
  const { after } = changeOf(decoded)
  if (after === null) return {}
  return Object.fromEntries(after.shape.columns.map((c, i) => [c.name, after.cells[i]!]))
}

export function reasonOf(decoded: Decoded): string {
  return decoded.kind === 'undecodable' ? decoded.reason : `not refused: ${decoded.kind}`
}

function object(members: Readonly<Record<string, string | null>>): string {
  const present = Object.entries(members).filter(([, text]) => text !== null)
  return `{${present.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}
