import { type ColumnSpec, fittingDecimal, type TimeUnit } from './column-spec.ts'
import { arrayOf, decimal, field, mapOf, struct } from './delta-types.ts'
import { pointSpec } from './postgres-types.ts'

/** Names of Kafka Connect's types: what `schema.type` may be. */
export const CONNECT_TYPES: ReadonlySet<string> = new Set([
  ...[
    'int8',
    'int16',
    'int32',
    'int64',
    'float',
    'double',
    'boolean',
    'string',
    'bytes',
    'array',
    'map',
    'struct',
  ],
])

/** One field of a struct schema. */
export interface ConnectField {
  readonly name: string
  readonly spec: ColumnSpec
  readonly hasDefault: boolean
  /** `__debezium.unavailable.value.placeholder`: the exact form of "not sent" in this column. */
  readonly placeholder: string | null
}

/** A schema that cannot be read: which part, and what is wrong with it. */
export class SchemaProblem {
  readonly problem: string

  constructor(problem: string) {
    this.problem = problem
  }
}

type SchemaNode = Readonly<Record<string, unknown>>

/** Semantic names (formats.md §7) whose meaning the plain type does not show; all others are read by their type. */
const BY_NAME: Readonly<Record<string, (node: SchemaNode) => ColumnSpec | SchemaProblem>> = {
  'org.apache.kafka.connect.data.Decimal': decimalSpec,
  'io.debezium.data.VariableScaleDecimal': () => ({ type: 'string', wire: { form: 'variable-decimal' } }),
  'io.debezium.data.Bits': bitsSpec,
  'io.debezium.data.geometry.Point': pointSpec,
  'io.debezium.time.Date': dateSpec,
  'org.apache.kafka.connect.data.Date': dateSpec,
  'io.debezium.time.IsoDate': dateSpec,
  'io.debezium.time.Time': () => timeSpec('ms'),
  'org.apache.kafka.connect.data.Time': () => timeSpec('ms'),
  'io.debezium.time.MicroTime': () => timeSpec('us'),
  'io.debezium.time.NanoTime': () => timeSpec('ns'),
  'io.debezium.time.IsoTime': () => timeSpec('us'),
  'io.debezium.time.Timestamp': () => timestampSpec('ms'),
  'org.apache.kafka.connect.data.Timestamp': () => timestampSpec('ms'),
  'io.debezium.time.MicroTimestamp': () => timestampSpec('us'),
  'io.debezium.time.NanoTimestamp': () => timestampSpec('ns'),
  'io.debezium.time.IsoTimestamp': () => timestampSpec('us'),
  'io.debezium.time.ZonedTimestamp': () => ({ type: 'timestamp', wire: { form: 'zoned-timestamp' } }),
}

/** The column that a Connect schema node describes (formats.md §2.2, §7). */
export function connectSpec(node: unknown): ColumnSpec | SchemaProblem {
  if (!isNode(node) || typeof node['type'] !== 'string') return new SchemaProblem('a field has no type')
  const name = node['name']
  if (typeof name === 'string' && Object.hasOwn(BY_NAME, name)) return BY_NAME[name]!(node)
  switch (node['type']) {
    case 'boolean':
      return { type: 'boolean', wire: { form: 'boolean' } }
    case 'int8':
      return { type: 'byte', wire: { form: 'integer' } }
    case 'int16':
      return { type: 'short', wire: { form: 'integer' } }
    case 'int32':
      return { type: 'integer', wire: { form: 'integer' } }
    case 'int64':
      return { type: 'long', wire: { form: 'integer' } }
    case 'float':
      return { type: 'float', wire: { form: 'real' } }
    case 'double':
      return { type: 'double', wire: { form: 'real' } }
    case 'string':
      return { type: 'string', wire: { form: 'text' } }
    case 'bytes':
      return { type: 'binary', wire: { form: 'base64' } }
    case 'array':
      return arraySpec(node)
    case 'map':
      return mapSpec(node)
    case 'struct':
      return structSpec(node)
    default:
      return new SchemaProblem('a field has a type that Connect does not have')
  }
}

/** The fields of a struct schema, in order. */
export function connectFields(node: unknown): readonly ConnectField[] | SchemaProblem {
  if (!isNode(node) || node['type'] !== 'struct' || !Array.isArray(node['fields'])) {
    return new SchemaProblem('a struct has no list of fields')
  }
  const fields: ConnectField[] = []
  const names = new Set<string>()
  for (const item of node['fields'] as unknown[]) {
    if (!isNode(item) || typeof item['field'] !== 'string') return new SchemaProblem('a field has no name')
    const name = item['field']
    if (names.has(name)) return new SchemaProblem('two fields have one name')
    names.add(name)
    const spec = connectSpec(item)
    if (spec instanceof SchemaProblem) return spec
    const placeholder = parameter(item, '__debezium.unavailable.value.placeholder')
    fields.push({ name, spec, hasDefault: item['default'] != null, placeholder })
  }
  return fields
}

/** The schema node of a struct's field, or `undefined`. */
export function connectFieldNode(node: unknown, name: string): unknown {
  if (!isNode(node) || !Array.isArray(node['fields'])) return undefined
  return (node['fields'] as unknown[]).find((item) => isNode(item) && item['field'] === name)
}

function isNode(node: unknown): node is SchemaNode {
  return typeof node === 'object' && node !== null && !Array.isArray(node)
}

function parameter(node: SchemaNode, name: string): string | null {
  const parameters = node['parameters']
  if (!isNode(parameters) || !Object.hasOwn(parameters, name)) return null
  const value = parameters[name]
  return typeof value === 'string' ? value : null
}

function integerParameter(node: SchemaNode, name: string): number | null {
  const text = parameter(node, name)
  return text !== null && /^-?\d{1,10}$/.test(text) ? Number(text) : null
}

/** Without a precision it is `money`: 19 digits hold all of its int64. */
function decimalSpec(node: SchemaNode): ColumnSpec | SchemaProblem {
  const scale = integerParameter(node, 'scale')
  if (scale === null || Math.abs(scale) > 16_383) return new SchemaProblem('a decimal has no scale')
  const precision = integerParameter(node, 'connect.decimal.precision') ?? 19
  if (precision < 1) return new SchemaProblem('a decimal has no digits')
  const fitted = fittingDecimal(precision, scale)
  return {
    type: fitted === null ? 'string' : decimal(fitted.precision, fitted.scale),
    wire: { form: 'decimal', scale, numberAllowed: true },
  }
}

/** `length` is that of `bit(n)`; of `varbit(n)` it is only the greatest, but the schema of both is the same. */
function bitsSpec(node: SchemaNode): ColumnSpec {
  const length = integerParameter(node, 'length')
  const isKnown = length !== null && length > 0 && length !== 2_147_483_647
  return { type: 'string', wire: { form: 'bits', length: isKnown ? length : null } }
}

function dateSpec(): ColumnSpec {
  return { type: 'date', wire: { form: 'date' } }
}

function timeSpec(unit: TimeUnit): ColumnSpec {
  return { type: 'string', wire: { form: 'time', unit } }
}

function timestampSpec(unit: TimeUnit): ColumnSpec {
  return { type: 'timestamp_ntz', wire: { form: 'timestamp', unit } }
}

function arraySpec(node: SchemaNode): ColumnSpec | SchemaProblem {
  const element = connectSpec(node['items'])
  if (element instanceof SchemaProblem) return element
  return { type: arrayOf(element.type), wire: { form: 'array', element: element.wire } }
}

function mapSpec(node: SchemaNode): ColumnSpec | SchemaProblem {
  const [key, value] = [connectSpec(node['keys']), connectSpec(node['values'])]
  if (key instanceof SchemaProblem) return key
  if (value instanceof SchemaProblem) return value
  return {
    type: mapOf(key.type, value.type),
    wire: { form: 'map', key: key.wire, value: value.wire },
  }
}

function structSpec(node: SchemaNode): ColumnSpec | SchemaProblem {
  const fields = connectFields(node)
  if (fields instanceof SchemaProblem) return fields
  if (fields.length === 0) return new SchemaProblem('a struct has no fields')
  return {
    type: struct(fields.map((f) => field(f.name, f.spec.type))),
    wire: { form: 'struct', fields: fields.map((f) => ({ name: f.name, wire: f.spec.wire })), isOpen: false },
  }
}
