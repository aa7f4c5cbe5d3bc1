import type { Column, Operation, RowImage, RowKey } from '../change-event.ts'
import { type Cell, UNAVAILABLE } from '../delta-types.ts'
import { cellOf } from '../packed-rows.ts'
import { isSameCell } from '../same-cell.ts'
import { InlineSchemas } from './inline-schemas.ts'
import { JsonScanner } from './json-scanner.ts'
import { JSON_NULL, JSON_OBJECT } from './json-tape.ts'
import { MemberLayouts } from './member-layouts.ts'
import type { RowReader } from './row-reader.ts'
import type { ReadableColumn, TableColumns } from './table-columns.ts'
import { Fault } from './undecodable-reasons.ts'

const NOT_OBJECT = new Fault('BAD_KEY', 'is not a JSON object of key columns: name them under "key"')
const NOT_JSON = new Fault('BAD_KEY', 'is not JSON: name the key columns under "key"')
const NO_COLUMNS = new Fault('KEY_MISSING', 'has no columns')
const NO_IMAGE = new Fault('BEFORE_MISSING', 'is a delete without a before image and without a key')
const UNTRUSTED = new Fault(
  'KEY_UNTRUSTED',
  'is a delete whose before image may hold fillers in the columns under "key": set REPLICA IDENTITY FULL and ' +
    'replicaIdentity: full, or use the columns of the record key',
)

/** Members that routing adds to a key; they are no columns. */
const ADDED = /^__(?:dbz__|debezium)/

interface KeyLayout {
  readonly members: readonly { readonly name: string; readonly isAdded: boolean }[]
  /** Of the key that was read last: those of one table are told apart from others by their array alone. */
  columns: readonly Column[]
}

/** Reads the keys of one topic's records (formats.md §2.3). */
export class KeyReader {
  readonly #json = new JsonScanner()
  readonly #schemas = new InlineSchemas()
  readonly #layouts = new MemberLayouts<KeyLayout>((names) => ({
    members: names.map((name) => ({ name, isAdded: ADDED.test(name) })),
    columns: [],
  }))

  /**
   * The key of a row: the contract's columns, else those of the record key; `null` for a table without a key.
   *
   * A key column has the value and the type that the row has; where record key and row tell different values, the
   * record is refused.
   */
  read(
    bytes: Uint8Array | null,
    op: Operation,
    table: TableColumns,
    rows: RowReader,
    image: RowImage | null,
  ): RowKey | null | Fault {
    const declared = table.contract.key
    const fromRecord = this.fromBytes(bytes, rows)
    if (declared !== undefined) return declaredKey(declared, fromRecord, op, table, image)
    if (fromRecord instanceof Fault) return fromRecord.of('has a record key that')
    if (fromRecord === null) return op === 'd' && image === null ? NO_IMAGE : null
    return image === null ? fromRecord : agreeing(fromRecord, image)
  }

  /** A key as bytes: of the record, or of a `__debezium.newkey`/`oldkey` header. `null`: there is none. */
  fromBytes(bytes: Uint8Array | null, rows: RowReader): RowKey | null | Fault {
    if (bytes === null || bytes.length === 0) return null
    const json = this.#json
    const opened = this.#schemas.open(json, asBuffer(bytes))
    if (typeof opened === 'string') return NOT_JSON
    if (opened instanceof Fault) return opened.of('has an inline schema in which')
    const { payload, schema } = opened
    if (json.kind(payload) === JSON_NULL) return null
    if (json.kind(payload) !== JSON_OBJECT) return NOT_OBJECT
    const layout = this.#layouts.find(json, payload)
    const { members } = layout
    let { columns } = layout
    const values: Cell[] = new Array(columns.length)
    let count = 0
    for (let i = 0; i < members.length; i++) {
      const { name, isAdded } = members[i]!
      if (isAdded) continue
      const token = this.#layouts.tokens[i]!
      if (json.kind(token) === JSON_NULL) return new Fault('KEY_NULL', `has a null in column ${quoted(name)}`)
      const field = schema === null ? null : (schema.fields.find((f) => f.name === name) ?? null)
      const column: ReadableColumn | Fault | null = rows.keyColumn(name, field, json, token)
      if (column === null)
        return new Fault('BAD_KEY', `has a key column ${quoted(name)} whose type nothing tells`)
      if (column instanceof Fault) return column
      const cell = column.decode(json, token)
      if (cell instanceof Fault) return cell.of(`has in column ${quoted(name)} a value that`)
      if (columns[count] !== column.column) columns = [...columns.slice(0, count), column.column]
      values[count++] = cell
    }
    if (members.length === 0) return NO_COLUMNS
    layout.columns = columns
    return count === 0 ? null : { columns, values }
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The contract's key, from the row. A record key that is no object of columns then does not matter. */
function declaredKey(
  names: readonly string[],
  fromRecord: RowKey | null | Fault,
  op: Operation,
  table: TableColumns,
  image: RowImage | null,
): RowKey | null | Fault {
  if (names.length === 0) return null
  const recordKey = fromRecord instanceof Fault ? null : fromRecord
  if (fromRecord instanceof Fault && fromRecord.reason !== 'BAD_KEY')
    return fromRecord.of('has a record key that')
  if (image === null) return recordKey === null ? NO_IMAGE : picked(names, recordKey)
  if (recordKey !== null && isOf(recordKey, names) && isOfRow(recordKey, image)) return recordKey
  if (op === 'd' && table.contract.replicaIdentity !== 'full' && recordKey !== null) {
    const known = new Set(recordKey.columns.map((c) => c.name))
    if (!names.every((name) => known.has(name))) return UNTRUSTED
  }
  const key = keyOfRow(names, image)
  if (key instanceof Fault || recordKey === null) return key
  const shared = recordKey.columns.findIndex((c, i) => {
    const at = names.indexOf(c.name)
    return at >= 0 && !isSameCell(recordKey.values[i]!, key.values[at]!)
  })
  return shared < 0 ? key : mismatch(recordKey.columns[shared]!.name)
}

/** Whether the key is of these columns, in their order. */
function isOf({ columns }: RowKey, names: readonly string[]): boolean {
  if (columns.length !== names.length) return false
  for (let i = 0; i < names.length; i++) if (columns[i]!.name !== names[i]) return false
  return true
}

function isOfRow({ columns, values }: RowKey, image: RowImage): boolean {
  for (let i = 0; i < columns.length; i++) {
    const at = image.shape.indexOf.get(columns[i]!.name)
    const cell = at === undefined ? UNAVAILABLE : cellOf(image, at)
    if (cell === UNAVAILABLE || !isSameCell(cell, values[i]!)) return false
  }
  return true
}

function picked(names: readonly string[], key: RowKey): RowKey | Fault {
  const at = names.map((name) => key.columns.findIndex((c) => c.name === name))
  if (at.includes(-1)) return NO_IMAGE
  return { columns: at.map((i) => key.columns[i]!), values: at.map((i) => key.values[i]!) }
}

function keyOfRow(names: readonly string[], image: RowImage): RowKey | Fault {
  const columns: Column[] = []
  const values: Cell[] = []
  for (const name of names) {
    const at = image.shape.indexOf.get(name)
    if (at === undefined) return missing(name)
    const cell = cellOf(image, at)
    if (cell === UNAVAILABLE) return missing(name)
    if (cell === null) return new Fault('KEY_NULL', `has a null in key column ${quoted(name)}`)
    columns.push(image.shape.columns[at]!)
    values.push(cell)
  }
  return { columns, values }
}

/** The record's key, once the row is seen to say the same. */
function agreeing(key: RowKey, image: RowImage): RowKey | Fault {
  for (let i = 0; i < key.columns.length; i++) {
    const { name } = key.columns[i]!
    const at = image.shape.indexOf.get(name)
    if (at === undefined) return missing(name)
    const cell = cellOf(image, at)
    if (cell !== UNAVAILABLE && !isSameCell(cell, key.values[i]!)) return mismatch(name)
  }
  return key
}

function missing(name: string): Fault {
  return new Fault('KEY_MISSING', `has no value for key column ${quoted(name)} in its row`)
}

function mismatch(name: string): Fault {
  return new Fault(
    'KEY_MISMATCH',
    `has different values for key column ${quoted(name)} in its key and in its row`,
  )
}

function quoted(name: string): string {
  return JSON.stringify(name)
}
