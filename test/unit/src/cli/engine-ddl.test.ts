import { describe, expect, test } from 'vitest'
import { engineDdl, readersThatRefuse, type TableToTell } from '../../../../src/cli/engine-ddl.ts'

const ON_S3: TableToTell = {
  schema: 'shop',
  table: 'orders',
  path: 'shop/orders',
  location: 's3://lake/delta/shop/orders',
  features: ['deletionVectors'],
}
const ON_DISK: TableToTell = { ...ON_S3, location: "/data/it's \\ lake/shop/orders" }

describe('a table on S3', () => {
  test('Spark is told through s3a, with the version that reads its features', () => {
    expect(engineDdl('spark', ON_S3)).toEqual({
      engine: 'spark',
      canRead: true,
      statements: [
        'CREATE SCHEMA IF NOT EXISTS `shop`;',
        "CREATE TABLE IF NOT EXISTS `shop`.`orders` USING DELTA LOCATION 's3a://lake/delta/shop/orders';",
      ],
      notes: ['needs Delta Lake 2.3 or newer (deletionVectors)'],
    })
  })

  test('Databricks and Athena', () => {
    expect(engineDdl('databricks', ON_S3)).toMatchObject({
      canRead: true,
      statements: [
        'CREATE SCHEMA IF NOT EXISTS `shop`;',
        "CREATE TABLE IF NOT EXISTS `shop`.`orders` USING DELTA LOCATION 's3://lake/delta/shop/orders';",
      ],
      notes: ['needs Databricks Runtime 12.2 LTS or newer (deletionVectors)'],
    })
    expect(engineDdl('athena', ON_S3)).toMatchObject({
      canRead: true,
      statements: [
        'CREATE DATABASE IF NOT EXISTS `shop`;',
        "CREATE EXTERNAL TABLE IF NOT EXISTS `shop`.`orders` LOCATION 's3://lake/delta/shop/orders/' TBLPROPERTIES ('table_type' = 'DELTA');",
      ],
    })
  })

  test('Trino registers it, DuckDB scans it', () => {
    expect(engineDdl('trino', ON_S3).statements).toEqual([
      'CREATE SCHEMA IF NOT EXISTS delta."shop";',
      "CALL delta.system.register_table(schema_name => 'shop', table_name => 'orders', table_location => 's3://lake/delta/shop/orders');",
    ])
    expect(engineDdl('duckdb', ON_S3).statements.slice(1)).toEqual([
      'CREATE SECRET (TYPE s3, PROVIDER credential_chain);',
      "SELECT * FROM delta_scan('s3://lake/delta/shop/orders');",
    ])
  })
})

describe('a table on a disk', () => {
  test('texts are quoted as each engine reads them', () => {
    const last = (engine: 'spark' | 'trino' | 'duckdb') => engineDdl(engine, ON_DISK).statements.at(-1)
    expect(last('spark')).toContain("LOCATION 'file:///data/it\\'s \\\\ lake/shop/orders';")
    expect(last('trino')).toContain("table_location => 'file:///data/it''s \\ lake/shop/orders')")
    expect(last('duckdb')).toBe("SELECT * FROM delta_scan('/data/it''s \\ lake/shop/orders');")
  })

  test('is nothing for engines that read object stores only, which is said with what would do', () => {
    for (const engine of ['databricks', 'athena'] as const) {
      const { canRead, statements, notes } = engineDdl(engine, ON_DISK)
      expect(canRead).toBe(false)
      expect(notes[0]).toContain('object stores only')
      expect(statements.at(-1)).toContain("LOCATION 's3://BUCKET/shop/orders")
    }
  })

  test('DuckDB does not find it below a directory with a %', () => {
    expect(engineDdl('duckdb', { ...ON_DISK, location: '/data/50%/t' })).toMatchObject({ canRead: false })
  })
})

test('names that a catalog cannot hold are changed, and this is said', () => {
  const odd = { ...ON_S3, schema: 'Größe', table: 'Order `Lines`' }
  expect(engineDdl('spark', odd)).toMatchObject({
    statements: ['CREATE SCHEMA IF NOT EXISTS `Gr__e`;', expect.stringContaining('`Gr__e`.`Order__Lines_`')],
    notes: [expect.stringContaining('Gr__e.Order__Lines_'), expect.any(String)],
  })
  expect(engineDdl('trino', odd).statements[1]).toContain(
    "schema_name => 'gr__e', table_name => 'order__lines_'",
  )
  expect(engineDdl('spark', { ...ON_S3, schema: '' }).statements[1]).toContain('`default`.`orders`')
})

test('features that a reader does not know are said', () => {
  const plain = { ...ON_S3, features: [] }
  expect(readersThatRefuse(plain)).toEqual([])
  expect(engineDdl('spark', plain).notes).toEqual([])
  const features = ['deletionVectors', 'v2Checkpoint', 'vacuumProtocolCheck']
  expect(readersThatRefuse({ ...ON_S3, features }).map(({ engine, notes }) => [engine, ...notes])).toEqual([
    ['delta-rs (QueryBuilder)', 'it refuses vacuumProtocolCheck'],
    [
      'delta-rs (to_pyarrow_table, to_pandas)',
      'it refuses deletionVectors, v2Checkpoint, vacuumProtocolCheck',
    ],
    ['polars', 'it refuses v2Checkpoint, vacuumProtocolCheck'],
  ])
  expect(engineDdl('athena', { ...ON_S3, features })).toMatchObject({ canRead: false })
  expect(engineDdl('athena', { ...ON_S3, features: ['timestampNtz'] })).toMatchObject({ canRead: true })
})
