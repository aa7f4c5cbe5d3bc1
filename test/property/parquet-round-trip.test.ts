import fc from 'fast-check'
import { expect, test } from 'vitest'
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
import { ColumnSet } from '../../writers/parquet/column-set.ts'
import { encodeParquet } from '../../writers/parquet/encode-parquet.ts'
import { openParquet } from '../../writers/parquet/read-parquet.ts'
import { memorySource } from '../support/memory-source.ts'

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

const leafTypes = fc.oneof(
  fc.constantFrom(...PRIMITIVES),
  fc
    .integer({ min: 1, max: 38 })
    .chain((precision) => fc.integer({ min: 0, max: precision }).map((scale) => decimal(precision, scale))),
)

const { type: deltaTypes } = fc.letrec<{ type: DeltaType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leafTypes,
    tie('type').map(arrayOf),
    fc.tuple(leafTypes, tie('type')).map(([key, value]) => mapOf(key, value)),
    structs(tie('type')),
  ),
}))

function structs(types: fc.Arbitrary<DeltaType>): fc.Arbitrary<StructType> {
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

function cellsOf(type: DeltaType): fc.Arbitrary<Cell> {
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

function nullable(cells: fc.Arbitrary<Cell>): fc.Arbitrary<Cell> {
  return fc.option(cells, { nil: null, freq: 4 })
}

function rowsOf(schema: StructType): fc.Arbitrary<Cell[]> {
  return fc.tuple(
    ...schema.fields.map((field) => (field.nullable ? nullable(cellsOf(field.type)) : cellsOf(field.type))),
  )
}

/** Rows drawn from few distinct ones, so that some columns get a dictionary. */
const tables = structs(deltaTypes).chain((schema) =>
  fc
    .array(rowsOf(schema), { minLength: 1, maxLength: 12 })
    .chain((distinct) => fc.array(fc.constantFrom(...distinct), { maxLength: 120 }))
    .map((rows) => ({ schema, rows })),
)

const options = fc.record({
  codec: fc.constantFrom('uncompressed' as const, 'snappy' as const),
  pageRows: fc.integer({ min: 1, max: 50 }),
  rowGroupRows: fc.integer({ min: 1, max: 70 }),
  pageIndex: fc.boolean(),
  createdBy: fc.constant('test'),
})

test('what is written is read back, whole and by single rows, for every schema', async () => {
  await fc.assert(
    fc.asyncProperty(
      tables,
      options,
      fc.infiniteStream(fc.boolean()),
      async ({ schema, rows }, chosen, coin) => {
        const columns = new ColumnSet(schema)
        for (const row of rows) columns.append(row)
        const { bytes, rowCount } = encodeParquet(columns, chosen)
        const reader = await openParquet(memorySource(bytes))
        const read: Cell[][] = []
        for await (const batch of reader.batches(schema)) {
          for (let i = 0; i < batch.rowCount; i++) read.push(batch.columns.map((column) => column[i]!))
        }
        expect(rowCount).toBe(rows.length)
        expect(read).toStrictEqual(rows)
        const some = rows.map((_, i) => i).filter(() => coin.next().value)
        expect(await reader.rows(schema, some)).toStrictEqual(some.map((i) => rows[i]))
      },
    ),
    { numRuns: 150 },
  )
})
