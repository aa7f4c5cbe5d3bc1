import type { ColumnSpec, WireField } from '../column-spec.ts'
import { arrayOf, field, type StructField, struct } from '../delta-types.ts'
import {
  JSON_ARRAY,
  JSON_FALSE,
  JSON_INTEGER,
  JSON_NULL,
  JSON_OBJECT,
  JSON_REAL,
  JSON_TRUE,
  type JsonTape,
} from './json-tape.ts'

/**
 * The type that a bare JSON value shows (formats.md §8): boolean, long, double, string, array, struct, and never a
 * date, a timestamp, a decimal or binary, which only a schema or a contract can tell.
 *
 * @returns `null` when the value shows none: null, an empty array, an object without a value
 */
export function inferSpec(json: JsonTape, token: number): ColumnSpec | null {
  switch (json.kind(token)) {
    case JSON_NULL:
      return null
    case JSON_TRUE:
    case JSON_FALSE:
      return { type: 'boolean', wire: { form: 'boolean' } }
    case JSON_INTEGER:
      return { type: 'long', wire: { form: 'integer' } }
    case JSON_REAL:
      return { type: 'double', wire: { form: 'real' } }
    case JSON_ARRAY:
      return inferArray(json, token)
    case JSON_OBJECT:
      return inferStruct(json, token)
    default:
      return { type: 'string', wire: { form: 'text' } }
  }
}

/** The first element that shows a type decides. */
function inferArray(json: JsonTape, token: number): ColumnSpec | null {
  const end = json.next(token)
  for (let at = token + 1; at < end; at = json.next(at)) {
    const element = inferSpec(json, at)
    if (element !== null) {
      return { type: arrayOf(element.type), wire: { form: 'array', element: element.wire } }
    }
  }
  return null
}

/** Members without a value here have no type and are not kept. */
function inferStruct(json: JsonTape, token: number): ColumnSpec | null {
  const fields: StructField[] = []
  const wires: WireField[] = []
  const end = json.next(token)
  for (let name = token + 1; name < end; name = json.next(name + 1)) {
    const spec = inferSpec(json, name + 1)
    if (spec === null) continue
    fields.push(field(json.text(name), spec.type))
    wires.push({ name: json.text(name), wire: spec.wire })
  }
  return fields.length === 0
    ? null
    : { type: struct(fields), wire: { form: 'struct', fields: wires, isOpen: false } }
}
