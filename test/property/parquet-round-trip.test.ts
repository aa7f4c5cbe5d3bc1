import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Cell } from '../../schemas/delta-types.ts'
import { ColumnSet } from '../../writers/parquet/column-set.ts'
import { encodeParquet } from '../../writers/parquet/encode-parquet.ts'
import { openParquet } from '../../writers/parquet/read-parquet.ts'
import { deltaTypes, rowsOf, structs } from '../support/arbitrary-cells.ts'
import { memorySource } from '../support/memory-source.ts'

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
