import { EngineError, messageOf } from '../../core/errors.ts'
import type { DeltaType, PrimitiveType, StructField, StructType } from '../../schemas/delta-types.ts'
import { type ExactJson, parseExactJson, stringifyExactJson } from './exact-json.ts'

const PRIMITIVES: ReadonlySet<string> = new Set<PrimitiveType>([
  'boolean',
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'string',
  'binary',
  'date',
  'timestamp',
  'timestamp_ntz',
])

/**
 * Reads the schema of a table from `metaData.schemaString`. Field metadata is kept as it is, large integers as `bigint`.
 *
 * @throws EngineError `E_SCHEMA_STRING` (stop-table) naming the field when it is no schema or has a type we cannot hold
 * @see PROTOCOL.md "Schema Serialization Format"; delta-protocol §8
 */
export function parseSchemaString(text: string): StructType {
  let json: ExactJson
  try {
    json = parseExactJson(text)
  } catch (error) {
    throw refused('', `it is not JSON (${messageOf(error)})`)
  }
  const type = typeOf(json, '')
  if (typeof type === 'string' || type.kind !== 'struct') throw refused('', 'its top is not a struct')
  return type
}

/** The text for `metaData.schemaString`; `parseSchemaString` gives the schema back. */
export function renderSchemaString(schema: StructType): string {
  return stringifyExactJson(jsonOf(schema))
}

function typeOf(json: ExactJson | undefined, at: string): DeltaType {
  if (typeof json === 'string') return namedType(json, at)
  if (!isObject(json)) throw refused(at, 'a type is missing')
  switch (json['type']) {
    case 'struct':
      return { kind: 'struct', fields: list(json['fields'], at).map((entry) => fieldOf(entry, at)) }
    case 'array':
      return {
        kind: 'array',
        element: typeOf(json['elementType'], `${at}.element`),
        containsNull: json['containsNull'] !== false,
      }
    case 'map':
      return {
        kind: 'map',
        key: typeOf(json['keyType'], `${at}.key`),
        value: typeOf(json['valueType'], `${at}.value`),
        valueContainsNull: json['valueContainsNull'] !== false,
      }
    default:
      throw refused(at, `type ${JSON.stringify(json['type'])} is not one we can read or write`)
  }
}

function namedType(name: string, at: string): DeltaType {
  if (PRIMITIVES.has(name)) return name as PrimitiveType
  const match = /^decimal(?:\(\s*(\d+)\s*,\s*(\d+)\s*\))?$/.exec(name)
  if (match === null) throw refused(at, `type "${name}" is not one we can read or write`)
  const precision = Number(match[1] ?? 10)
  const scale = Number(match[2] ?? 0)
  if (precision < 1 || precision > 38 || scale > precision)
    throw refused(at, `type "${name}" is out of range`)
  return { kind: 'decimal', precision, scale }
}

function fieldOf(json: ExactJson, parent: string): StructField {
  if (!isObject(json) || typeof json['name'] !== 'string') throw refused(parent, 'a field has no name')
  const name = json['name']
  const at = parent === '' ? name : `${parent}.${name}`
  const metadata = json['metadata']
  return {
    name,
    type: typeOf(json['type'], at),
    nullable: json['nullable'] !== false,
    metadata: isObject(metadata) ? metadata : {},
  }
}

function jsonOf(type: DeltaType): unknown {
  if (typeof type === 'string') return type
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'array':
      return { type: 'array', elementType: jsonOf(type.element), containsNull: type.containsNull }
    case 'map':
      return {
        type: 'map',
        keyType: jsonOf(type.key),
        valueType: jsonOf(type.value),
        valueContainsNull: type.valueContainsNull,
      }
    case 'struct':
      return {
        type: 'struct',
        fields: type.fields.map(({ name, type: fieldType, nullable, metadata }) => ({
          name,
          type: jsonOf(fieldType),
          nullable,
          metadata,
        })),
      }
    default:
      return type satisfies never
  }
}

function isObject(json: ExactJson | undefined): json is { readonly [key: string]: ExactJson } {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function list(json: ExactJson | undefined, at: string): readonly ExactJson[] {
  if (!Array.isArray(json)) throw refused(at, 'a struct has no list of fields')
  return json
}

function refused(at: string, why: string): EngineError {
  const where = at === '' ? 'the schema of the table' : `column ${at}`
  return new EngineError(
    'E_SCHEMA_STRING',
    'stop-table',
    `${where} cannot be used: ${why}. Change it with the engine that wrote it, or write to a new table`,
  )
}
