import fc from 'fast-check'
import {
  arrayOf,
  type Cell,
  type DeltaType,
  decimal,
  mapOf,
  type PrimitiveType,
  type StructType,
  struct,
} from '../../schemas/delta-types.ts'

const PRIMITIVES: readonly PrimitiveType[] = [
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
]

export const leafTypes = fc.oneof(
  fc.constantFrom(...PRIMITIVES),
  fc
    .integer({ min: 1, max: 38 })
    .chain((precision) => fc.integer({ min: 0, max: precision }).map((scale) => decimal(precision, scale))),
)

/** Every type that Delta knows. */
export const { type: deltaTypes } = fc.letrec<{ type: DeltaType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leafTypes,
    tie('type').map(arrayOf),
    fc.tuple(leafTypes, tie('type')).map(([key, value]) => mapOf(key, value)),
    structs(tie('type')),
  ),
}))

/** Structs with fields of these types, `c0`, `c1`, …; some may not be null. */
export function structs(types: fc.Arbitrary<DeltaType>): fc.Arbitrary<StructType> {
  return fc
    .array(fc.tuple(types, fc.boolean()), { minLength: 1, maxLength: 4 })
    .map((fields) =>
      struct(fields.map(([type, nullable], i) => ({ name: `c${i}`, type, nullable, metadata: {} }))),
    )
}

function integersOf(bits: number): fc.Arbitrary<bigint> {
  return fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n })
}

function primitiveCells(type: PrimitiveType): fc.Arbitrary<Cell> {
  switch (type) {
    case 'boolean':
      return fc.boolean()
    case 'byte':
      return integersOf(8).map(Number)
    case 'short':
      return integersOf(16).map(Number)
    case 'integer':
    case 'date':
      return integersOf(32).map(Number)
    case 'long':
    case 'timestamp':
    case 'timestamp_ntz':
      return integersOf(64)
    case 'float':
      return fc.float()
    case 'double':
      return fc.double()
    case 'string':
      return fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom('a', 'b', '\ufeff', ''))
    case 'binary':
      return fc.uint8Array({ maxLength: 20 })
  }
}

/** Cells of a type, none of them null. */
export function cellsOf(type: DeltaType): fc.Arbitrary<Cell> {
  if (typeof type === 'string') return primitiveCells(type)
  switch (type.kind) {
    case 'decimal': {
      const max = 10n ** BigInt(type.precision) - 1n
      return fc.bigInt({ min: -max, max })
    }
    case 'array':
      return fc.array(nullable(cellsOf(type.element)), { maxLength: 4 })
    case 'map':
      return fc.array(fc.tuple(cellsOf(type.key), nullable(cellsOf(type.value))), { maxLength: 3 })
    case 'struct':
      return rowsOf(type)
  }
}

export function nullable(cells: fc.Arbitrary<Cell>): fc.Arbitrary<Cell> {
  return fc.option(cells, { nil: null, freq: 4 })
}

export function rowsOf(schema: StructType): fc.Arbitrary<Cell[]> {
  return fc.tuple(
    ...schema.fields.map((field) => (field.nullable ? nullable(cellsOf(field.type)) : cellsOf(field.type))),
  )
}
