import {
  CONNECT_TYPES,
  type ConnectField,
  connectFieldNode,
  connectFields,
  SchemaProblem,
} from '../connect-types.ts'
import type { JsonFault, JsonScanner } from './json-scanner.ts'
import { JSON_ASCII, JSON_NULL, JSON_OBJECT } from './json-tape.ts'
import { Fault } from './undecodable-reasons.ts'

/** Schemas remembered per topic; when more than these alternate, the oldest is read anew. */
const SCHEMAS_MAX = 32

const SCHEMA = Buffer.from('schema')
const PAYLOAD = Buffer.from('payload')
const TYPE = Buffer.from('type')

/** An inline schema, read once: the columns it tells of. */
export interface InlineSchema {
  /** Fields of the struct itself: of a key, its columns. */
  readonly fields: readonly ConnectField[]
  /** Fields of `after` (or `before`): the columns of a row; `null` when this is no envelope. */
  readonly row: readonly ConnectField[] | null
}

/** What a text holds once its schema is taken off. */
export interface Opened {
  /** Token of the payload. */
  readonly payload: number
  readonly schema: InlineSchema | null
  /** It had the two members of `JsonConverter` with `schemas.enable=true`. */
  readonly isWrapped: boolean
}

/** A text without a schema. */
const BARE: Opened = { payload: 0, schema: null, isWrapped: false }

interface Remembered {
  /** Bytes of the schema itself. */
  readonly text: Buffer
  /** All bytes before the payload. */
  readonly prefix: Buffer
  /** What a text with that prefix holds. */
  readonly opened: Opened & { readonly schema: InlineSchema }
}

/**
 * Takes `{"schema":…,"payload":…}` apart (formats.md §1 row 5, §2.2).
 *
 * The schema is repeated in every record and is most of its bytes. Those up to the payload are remembered: a record
 * that begins with the very same bytes has the same schema, and only its payload is scanned.
 */
export class InlineSchemas {
  #remembered: Remembered[] = []

  /** @returns the payload, which for a text without a schema is all of it; or why the text is refused */
  open(json: JsonScanner, text: Buffer): Opened | Fault | JsonFault {
    for (let i = 0; i < this.#remembered.length; i++) {
      const { prefix, opened } = this.#remembered[i]!
      if (text.length <= prefix.length || text.compare(prefix, 0, prefix.length, 0, prefix.length) !== 0)
        continue
      // Anything unusual behind the payload is judged by the whole scan.
      if (json.scanLastMember(text, prefix.length) !== null) break
      this.#toFront(i)
      return opened
    }
    const fault = json.scan(text)
    return fault === null ? this.#openWhole(json, text) : fault
  }

  #openWhole(json: JsonScanner, text: Buffer): Opened | Fault {
    if (json.kind(0) !== JSON_OBJECT) return BARE
    const schemaToken = json.member(0, SCHEMA)
    const payload = schemaToken < 0 ? -1 : json.member(0, PAYLOAD)
    if (payload < 0 || memberCount(json, 0) !== 2) return BARE
    const isNullSchema = json.kind(schemaToken) === JSON_NULL
    if (isNullSchema || json.kind(payload) === JSON_NULL) return { payload, schema: null, isWrapped: true }
    if (!isConnectSchema(json, schemaToken)) return BARE
    const schemaText = Buffer.from(json.raw(schemaToken))
    const known = this.#remembered.find((r) => r.text.equals(schemaText))
    const schema = known?.opened.schema ?? readSchema(schemaText)
    if (schema instanceof SchemaProblem) return new Fault('BAD_SCHEMA', schema.problem)
    if (schemaToken < payload)
      this.#remember(schemaText, text, json.raw(payload).byteOffset - text.byteOffset, schema)
    return { payload, schema, isWrapped: true }
  }

  #remember(text: Buffer, value: Buffer, payloadStart: number, schema: InlineSchema): void {
    const prefix = Buffer.from(value.subarray(0, payloadStart))
    this.#remembered.unshift({ text, prefix, opened: { payload: 0, schema, isWrapped: true } })
    if (this.#remembered.length > SCHEMAS_MAX) this.#remembered.pop()
  }

  #toFront(index: number): void {
    if (index === 0) return
    const [found] = this.#remembered.splice(index, 1)
    this.#remembered.unshift(found!)
  }
}

/** A row of a table may own columns `schema` and `payload`: only a Connect type name makes it a schema. */
function isConnectSchema(json: JsonScanner, token: number): boolean {
  if (json.kind(token) !== JSON_OBJECT) return false
  const type = json.member(token, TYPE)
  return type >= 0 && json.kind(type) === JSON_ASCII && CONNECT_TYPES.has(json.text(type))
}

function memberCount(json: JsonScanner, object: number): number {
  let count = 0
  for (let at = object + 1; at < json.next(object); at = json.next(at + 1)) count++
  return count
}

/** The text is known to be JSON of bounded depth, and no number in it matters. */
function readSchema(text: Buffer): InlineSchema | SchemaProblem {
  const node: unknown = JSON.parse(text.toString())
  if ((node as { type?: unknown }).type !== 'struct') return { fields: [], row: null }
  const rowNode = connectFieldNode(node, 'after') ?? connectFieldNode(node, 'before')
  // An envelope's own fields are known; only those of its rows are wanted.
  if (rowNode !== undefined && connectFieldNode(node, 'op') !== undefined) {
    const row = connectFields(rowNode)
    return row instanceof SchemaProblem ? row : { fields: [], row }
  }
  const fields = connectFields(node)
  return fields instanceof SchemaProblem ? fields : { fields, row: null }
}
