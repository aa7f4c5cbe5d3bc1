import type { Control } from '../change-event.ts'
import type { JsonTape } from './json-tape.ts'

/** Shapes that are known (formats.md §1) and that no decoder here reads yet. */
export type ForeignFamily =
  | 'CloudEvents'
  | 'Redpanda Connect'
  | 'MongoDB change stream'
  | 'wal2json'
  | 'Maxwell'
  | 'Canal'

/** What a record is, by its members alone and by the values of very few of them. */
export type Family =
  | { readonly kind: 'envelope' }
  | { readonly kind: 'control'; readonly what: Control['what'] }
  | { readonly kind: 'foreign'; readonly name: ForeignFamily }
  | { readonly kind: 'unrecognised' }

/** What the names of a payload's members say: worked out once per sequence of names. */
export interface PayloadLayout {
  readonly names: readonly string[]
  /** What these names can be, most telling first; values decide. */
  readonly candidates: readonly Candidate[]
  readonly op: number
  readonly before: number
  readonly after: number
  readonly source: number
}

interface Candidate {
  readonly family: Family
  /** Values that a member must have for it. */
  readonly when: readonly { readonly member: number; readonly oneOf: readonly string[] }[]
}

const SIGNALS = [
  ...['execute-snapshot', 'stop-snapshot', 'pause-snapshot', 'resume-snapshot'],
  ...['log', 'schema-changes'],
]

const HEARTBEAT_TOPIC = '__debezium-heartbeat'
const UNRECOGNISED: Family = { kind: 'unrecognised' }
const HEARTBEAT: Family = control('heartbeat')

/** The table of formats.md §1, rows 6 to 15, in its order, as far as names go. */
export function payloadLayout(names: readonly string[]): PayloadLayout {
  const has = (...wanted: string[]): boolean => wanted.every((name) => names.includes(name))
  const at = (name: string): number => names.indexOf(name)
  const candidates: Candidate[] = []
  const add = (family: Family, member?: string, oneOf: readonly string[] = []): void => {
    candidates.push({ family, when: member === undefined ? [] : [{ member: at(member), oneOf }] })
  }
  if (has('specversion', 'type')) add(foreign('CloudEvents'))
  // An envelope with a broken `op` or without its `source` is still meant as one, and is refused as one.
  if (has('op') && (has('source') || has('before') || has('after'))) add({ kind: 'envelope' })
  if (has('source') && (has('ddl') || has('tableChanges'))) add(control('schema-change'))
  if (has('status', 'id') && !has('source')) add(control('transaction'), 'status', ['BEGIN', 'END'])
  if (has('aggregate_type', 'type', 'id')) add(control('notification'))
  if (has('type', 'data')) add(control('signal'), 'type', SIGNALS)
  if (has('_metadata')) add(foreign('Redpanda Connect'))
  if (has('operationType') && (has('ns') || has('documentKey'))) add(foreign('MongoDB change stream'))
  if (has('action')) add(foreign('wal2json'), 'action', ['I', 'U', 'D', 'T', 'M', 'B', 'C'])
  if (has('change') && (has('xid') || names.length === 1)) add(foreign('wal2json'))
  if (has('database', 'table', 'type', 'ts', 'data')) add(foreign(has('isDdl') ? 'Canal' : 'Maxwell'))
  return { names, candidates, op: at('op'), before: at('before'), after: at('after'), source: at('source') }
}

/**
 * @param tokens value tokens of the payload's members, in the order of `layout.names`
 * @param key bytes of the record's key
 */
export function recognise(
  json: JsonTape,
  layout: PayloadLayout,
  tokens: Int32Array,
  topic: string,
  key: Uint8Array | null,
): Family {
  for (const { family, when } of layout.candidates) {
    if (when.length === 0) return family
    const holds = when.every(({ member, oneOf }) => {
      const token = tokens[member]!
      return json.isString(token) && oneOf.includes(json.text(token))
    })
    if (holds) return family
  }
  if (topic.startsWith(HEARTBEAT_TOPIC)) return HEARTBEAT
  const isBareTime = layout.names.length === 1 && layout.names[0] === 'ts_ms'
  return isBareTime && key !== null && Buffer.from(key).includes('"serverName"') ? HEARTBEAT : UNRECOGNISED
}

function control(what: Control['what']): Family {
  return { kind: 'control', what }
}

function foreign(name: ForeignFamily): Family {
  return { kind: 'foreign', name }
}
