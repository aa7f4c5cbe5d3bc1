import type { RawRecord } from '../../core/ports.ts'
import type { Control, Decoded, Operation, RecordCoordinates, TableId, Undecodable } from '../change-event.ts'
import type { DecodeOptions } from './decode-options.ts'
import { EnvelopeDecoder } from './envelope.ts'
import { InlineSchemas, type Opened } from './inline-schemas.ts'
import { type JsonFault, JsonScanner } from './json-scanner.ts'
import { JSON_ASCII, JSON_NULL, JSON_OBJECT, type JsonTape } from './json-tape.ts'
import { MemberLayouts } from './member-layouts.ts'
import { payloadLayout, recognise } from './recognise.ts'
import { Fault } from './undecodable-reasons.ts'

/** Decodes the records of one topic. Pure but for its caches: the same records give the same events. */
export interface TopicDecoder {
  /** One record in, exactly one value out; bad data is a value, never an exception. */
  decode(record: RawRecord): Decoded
}

/**
 * A decoder for one topic.
 *
 * `decode` throws only what is no data: an `EngineError` (`E_UNKNOWN_TYPE`, `usage`) when the contract of the record's
 * table names a type that is not known.
 */
export function createTopicDecoder(options: DecodeOptions): TopicDecoder {
  return new JsonTopicDecoder(options)
}

const REGISTRY_HEADERS: ReadonlySet<string> = new Set([
  ...['apicurio.value.globalId', 'apicurio.value.contentId', 'apicurio.value.encoding', '__value_schema_id'],
])
const BLANKS = [...Buffer.from(' \t\n\r')]
const JSON_STARTS = [...Buffer.from('{["-0123456789tfn')]
const MESSAGE = 'm'
/** By the one letter that they are, as a byte. */
const OPERATIONS: ReadonlyMap<number, Operation | typeof MESSAGE> = new Map(
  (['r', 'c', 'u', 'd', 't', MESSAGE] as const).map((letter) => [letter.charCodeAt(0), letter]),
)

const FRAMED = new Fault('REGISTRY_FRAMED', 'is framed for a schema registry: use a JSON converter')
const UNKNOWN_ENCODING = new Fault('UNKNOWN_ENCODING', 'does not begin like JSON')
const UNRECOGNISED = new Fault(
  'UNRECOGNISED_SHAPE',
  'is no Debezium envelope (a row without one is not read yet)',
)
const UNKNOWN_OP = new Fault('UNKNOWN_OP', 'has an op other than c, u, d, r, t, m')

const JSON_FAULTS: Readonly<Record<JsonFault, Fault>> = {
  BAD_JSON: new Fault('BAD_JSON', 'is not one JSON value'),
  BAD_UTF8: new Fault('BAD_UTF8', 'is not UTF-8'),
  DUPLICATE_MEMBER: new Fault('DUPLICATE_MEMBER', 'has two members of one name in one object'),
  TOO_DEEP: new Fault('TOO_DEEP', 'has too many objects inside one another'),
}

class JsonTopicDecoder implements TopicDecoder {
  readonly #json = new JsonScanner()
  readonly #schemas = new InlineSchemas()
  readonly #payloads = new MemberLayouts(payloadLayout)
  readonly #envelopes: EnvelopeDecoder

  constructor(options: DecodeOptions) {
    this.#envelopes = new EnvelopeDecoder(options)
  }

  decode(record: RawRecord): Decoded {
    const { topic, partition, offset, timestampMs, value } = record
    const at: RecordCoordinates = { topic, partition, offset, timestampMs }
    if (value === null || value.length === 0) return { kind: 'tombstone', at }
    const framing = judgeBytes(record, value)
    if (framing !== null) return undecodable(framing, null, at)
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length)
    const opened = this.#schemas.open(this.#json, bytes)
    if (typeof opened === 'string') return undecodable(JSON_FAULTS[opened], null, at)
    if (opened instanceof Fault) return undecodable(opened.of('has an inline schema in which'), null, at)
    const kind = this.#json.kind(opened.payload)
    if (kind === JSON_NULL) return { kind: 'tombstone', at }
    if (kind !== JSON_OBJECT) return undecodable(UNRECOGNISED, null, at)
    return this.#decodePayload(opened, record, at)
  }

  #decodePayload(opened: Opened, record: RawRecord, at: RecordCoordinates): Decoded {
    const json = this.#json
    const { payload, schema } = opened
    const layout = this.#payloads.find(json, payload)
    const { tokens } = this.#payloads
    const family = recognise(json, layout, tokens, record.topic, record.key)
    switch (family.kind) {
      case 'control':
        return control(family.what, at)
      case 'foreign':
        return undecodable(
          new Fault('UNSUPPORTED_FORMAT', `has the shape of ${family.name}, which is not read yet`),
          null,
          at,
        )
      case 'unrecognised':
        return undecodable(UNRECOGNISED, null, at)
      case 'envelope': {
        const operation = operationAt(json, tokens[layout.op]!)
        if (operation === MESSAGE) return control('message', at)
        if (operation === null) return undecodable(UNKNOWN_OP, null, at)
        const sizeBytes = json.end(payload) - json.start(payload)
        const envelope = { json, layout, tokens, schema, sizeBytes }
        const event = this.#envelopes.decode(envelope, operation, record, at)
        return 'fault' in event ? undecodable(event.fault, event.table, at) : event
      }
    }
  }
}

/** @returns `null` when it is none that we know */
function operationAt(json: JsonTape, token: number): Operation | typeof MESSAGE | null {
  if (json.kind(token) !== JSON_ASCII) return escapedOperation(json, token)
  const start = json.start(token)
  return json.end(token) === start + 1 ? (OPERATIONS.get(json.bytes[start]!) ?? null) : null
}

/** Nobody writes a letter with an escape, and JSON allows it. */
function escapedOperation(json: JsonTape, token: number): Operation | typeof MESSAGE | null {
  const letter = json.isString(token) ? json.text(token) : ''
  return letter.length === 1 ? (OPERATIONS.get(letter.charCodeAt(0)) ?? null) : null
}

/** Rows 2 to 4 of formats.md §1: what is not JSON at all. */
function judgeBytes(record: RawRecord, value: Uint8Array): Fault | null {
  if (record.headers.length > 0 && record.headers.some(([name]) => REGISTRY_HEADERS.has(name))) return FRAMED
  const first = value[0]!
  if ((first === 0 && value.length >= 6) || (first === 1 && value.length >= 18)) return FRAMED
  return startsLikeJson(value) ? null : UNKNOWN_ENCODING
}

/** `{ [ " - digit t f n`, after blanks. */
function startsLikeJson(value: Uint8Array): boolean {
  let at = 0
  while (at < value.length && BLANKS.includes(value[at]!)) at++
  return at < value.length && JSON_STARTS.includes(value[at]!)
}

function control(what: Control['what'], at: RecordCoordinates): Control {
  return { kind: 'control', what, at }
}

function undecodable(fault: Fault, table: TableId | null, at: RecordCoordinates): Undecodable {
  return { kind: 'undecodable', reason: fault.reason, message: `The record ${fault.found}.`, table, at }
}
