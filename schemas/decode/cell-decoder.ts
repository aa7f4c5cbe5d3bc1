import type { ColumnSpec, Wire, WireField } from '../column-spec.ts'
import type { Cell, DeltaType, StructType } from '../delta-types.ts'
import {
  decimalCell,
  decimalTextCell,
  type ReadDecimal,
  readFixedDecimal,
  readIntegerDecimal,
  readTextDecimal,
  readVariableDecimal,
} from './decimal-cells.ts'
import { JSON_ARRAY, JSON_NULL, JSON_OBJECT, type JsonTape } from './json-tape.ts'
import {
  booleanCell,
  type CellDecoder,
  doubleCell,
  floatCell,
  longCell,
  smallIntegerCell,
} from './number-cells.ts'
import { binaryCell, bitsCell, textCell } from './text-cells.ts'
import { dateCell, timeCell, timestampCell, zonedTimestampCell } from './time-cells.ts'
import { Fault } from './undecodable-reasons.ts'

const NOT_ARRAY = new Fault('BAD_ARRAY', 'is not an array')
const NOT_MAP = new Fault('BAD_MAP', 'is not a map')
const NULL_KEY = new Fault('BAD_MAP', 'has a null key')
const NOT_STRUCT = new Fault('BAD_STRUCT', 'is not an object')
const UNKNOWN_FIELD = new Fault('BAD_STRUCT', 'has a member that its type does not have')

/**
 * How values of one wire form become cells of one type (formats.md §7).
 *
 * @returns `null` when that form does not hold such a type: the contract and the event disagree
 */
export function cellDecoder(spec: ColumnSpec): CellDecoder | null {
  const { type, wire } = spec
  if (typeof type === 'string') return PRIMITIVES[type](wire)
  switch (type.kind) {
    case 'decimal': {
      const read = decimalReader(wire)
      return read === null ? null : decimalCell(type, read)
    }
    case 'array': {
      const element = wire.form === 'array' ? cellDecoder({ type: type.element, wire: wire.element }) : null
      return element === null ? null : arrayCell(element)
    }
    case 'map': {
      if (wire.form !== 'map') return null
      const [key, value] = [
        cellDecoder({ type: type.key, wire: wire.key }),
        cellDecoder({ type: type.value, wire: wire.value }),
      ]
      return key === null || value === null ? null : mapCell(key, value)
    }
    case 'struct':
      return wire.form === 'struct' ? structDecoder(type, wire.fields, wire.isOpen) : null
  }
}

type Primitive = Extract<DeltaType, string>

const isNumeric = (wire: Wire): boolean => wire.form === 'integer' || wire.form === 'real'

const PRIMITIVES: Readonly<Record<Primitive, (wire: Wire) => CellDecoder | null>> = {
  boolean: (wire) => (wire.form === 'boolean' ? booleanCell : null),
  byte: (wire) => (wire.form === 'integer' ? smallIntegerCell(8) : null),
  short: (wire) => (wire.form === 'integer' ? smallIntegerCell(16) : null),
  integer: (wire) => (wire.form === 'integer' ? smallIntegerCell(32) : null),
  long: (wire) => (wire.form === 'integer' ? longCell : null),
  float: (wire) => (isNumeric(wire) ? floatCell : null),
  double: (wire) => (isNumeric(wire) ? doubleCell : null),
  string: stringDecoder,
  binary: (wire) => (wire.form === 'base64' ? binaryCell : null),
  date: (wire) => (wire.form === 'date' ? dateCell : null),
  timestamp: (wire) => (wire.form === 'zoned-timestamp' ? zonedTimestampCell : null),
  timestamp_ntz: (wire) => (wire.form === 'timestamp' ? timestampCell(wire.unit) : null),
}

/** Text takes in what has no type of its own in Delta: times, bit strings, numbers of any length. */
function stringDecoder(wire: Wire): CellDecoder | null {
  switch (wire.form) {
    case 'text':
      return textCell
    case 'time':
      return timeCell(wire.unit)
    case 'bits':
      return bitsCell(wire.length)
    case 'decimal':
      return decimalTextCell(readFixedDecimal(wire.scale, wire.numberAllowed))
    case 'variable-decimal':
      return decimalTextCell(readVariableDecimal)
    default:
      return null
  }
}

function decimalReader(wire: Wire): ReadDecimal | null {
  switch (wire.form) {
    case 'decimal':
      return readFixedDecimal(wire.scale, wire.numberAllowed)
    case 'variable-decimal':
      return readVariableDecimal
    case 'text':
      return readTextDecimal
    case 'integer':
      return readIntegerDecimal
    default:
      return null
  }
}

function arrayCell(element: CellDecoder): CellDecoder {
  return (json, token) => {
    if (json.kind(token) !== JSON_ARRAY) return NOT_ARRAY
    const cells: Cell[] = []
    const end = json.next(token)
    for (let at = token + 1; at < end; at = json.next(at)) {
      const cell = json.kind(at) === JSON_NULL ? null : element(json, at)
      if (cell instanceof Fault) return cell.of('has an element that')
      cells.push(cell)
    }
    return cells
  }
}

function mapCell(key: CellDecoder, value: CellDecoder): CellDecoder {
  return (json, token) => {
    const isObject = json.kind(token) === JSON_OBJECT
    if (!isObject && json.kind(token) !== JSON_ARRAY) return NOT_MAP
    const entries: Cell[] = []
    const end = json.next(token)
    for (let at = token + 1; at < end; ) {
      if (!isObject && !isPair(json, at)) return NOT_MAP
      const keyToken = isObject ? at : at + 1
      const valueToken = json.next(keyToken)
      if (json.kind(keyToken) === JSON_NULL) return NULL_KEY
      const [k, v] = [
        key(json, keyToken),
        json.kind(valueToken) === JSON_NULL ? null : value(json, valueToken),
      ]
      if (k instanceof Fault) return k.of('has a key that')
      if (v instanceof Fault) return v.of('has a value that')
      entries.push([k, v])
      at = isObject ? json.next(valueToken) : json.next(at)
    }
    return entries
  }
}

function isPair(json: JsonTape, token: number): boolean {
  if (json.kind(token) !== JSON_ARRAY) return false
  const end = json.next(token)
  return token + 1 < end && json.next(token + 1) < end && json.next(json.next(token + 1)) === end
}

function structDecoder(type: StructType, wires: readonly WireField[], isOpen: boolean): CellDecoder | null {
  const members = new Map<string, { index: number; decode: CellDecoder }>()
  for (const [index, f] of type.fields.entries()) {
    const wire = wires.find((w) => w.name === f.name)?.wire
    const decode = wire === undefined ? null : cellDecoder({ type: f.type, wire })
    if (decode === null) return null
    members.set(f.name, { index, decode })
  }
  return structCell(members, isOpen)
}

/** A member that is missing is null; one that the type does not have is refused unless it is null or the form is open. */
function structCell(
  members: ReadonlyMap<string, { readonly index: number; readonly decode: CellDecoder }>,
  isOpen: boolean,
): CellDecoder {
  return (json, token) => {
    if (json.kind(token) !== JSON_OBJECT) return NOT_STRUCT
    const cells: Cell[] = new Array(members.size).fill(null)
    const end = json.next(token)
    for (let name = token + 1; name < end; name = json.next(name + 1)) {
      if (json.kind(name + 1) === JSON_NULL) continue
      const member = members.get(json.text(name))
      if (member === undefined) {
        if (isOpen) continue
        return UNKNOWN_FIELD
      }
      const cell = member.decode(json, name + 1)
      if (cell instanceof Fault) return cell.of('has a member that')
      cells[member.index] = cell
    }
    return cells
  }
}
