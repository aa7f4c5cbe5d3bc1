import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inspect, isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ComparedTable, comparedTable } from '../../dq/compared-table.ts'
import { DEFAULT_LIMITS } from '../../dq/dq-ports.ts'
import type { WithTaker } from '../../dq/repair.ts'
import { runChecks } from '../../dq/run-checks.ts'
import { NO_STREAM } from '../../dq/stream-barrier.ts'
import type { CheckResult } from '../../dq/verdict.ts'
import { systemClock } from '../../src/io/system-clock.ts'
import { openLake } from '../../src/open-lake.ts'
import { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { INVENTORY, type SourceTable } from '../e2e/source-schema.ts'
import { ingestInto, RECORDING, temporaryDirectory } from '../support/lake-of-recording.ts'
import { checkTable } from './dq-world.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()

/** What the recorded stream tells less of than the database holds (`fixtures/known-differences.json`, `docs/guide/types.md`). */
const NOT_EQUAL: Readonly<Record<string, object>> = {
  all_types: { verdict: 'source-lossy', mismatches: [] },
  all_types_full: { verdict: 'source-lossy', mismatches: [] },
  evolving: { verdict: 'incomplete', mismatches: [] },
  // A null arrives as the column's default, by a setting of the recorded converter.
  customers: {
    verdict: 'different',
    mismatches: [{ kind: 'different', key: { id: '5000' }, columns: ['balance'] }],
  },
}

/** Leaves of a partitioned table: their changes came by the topic of the table above them. */
const NOT_STREAMED = ['debezium_signal', 'events_2024', 'events_2025', 'gen_cols']

/** What Postgres held when a real Debezium had been recorded, against the lake made of the recording. */
describe.skipIf(database.missing !== null)('a recorded table', () => {
  const lake = join(temporaryDirectory(), 'lake')
  const manager = new PostgresConnectionManager({ connectionString: database.url || 'postgres://none' })

  beforeAll(async () => {
    await database.query(`create extension hstore; create extension citext; create extension ltree;
      create type mood as enum ('sad', 'ok', 'happy'); create schema inventory`)
    await ingestInto(lake)
  })

  afterAll(async () => {
    await manager.close()
    await database.close()
    rmSync(join(lake, '..'), { recursive: true, force: true })
  })

  test.each(Object.keys(INVENTORY).filter((name) => !NOT_STREAMED.includes(name)))(
    '%s is what it was',
    async (name) => {
      await fill(name, INVENTORY[name]!)
      const check = { lake, database: manager, table: `inventory.${name}` }
      const result = await checkTable({ ...check, check: 'checksum' })
      expect(result).toMatchObject({
        deferred: 0,
        ...(NOT_EQUAL[name] ?? { verdict: 'equal', looks: 1, mismatches: [] }),
      })
      expect(result.lakeRows).toBe(result.sourceRows)
      expect(await checkTable({ ...check, check: 'row-count' })).toMatchObject({ mismatchCount: 0 })
      expect(await checkTable({ ...check, check: 'checksum', limits: { digest: 'sha256' } })).toMatchObject({
        verdict: result.verdict,
      })
      expect(await writtenOtherwise(name)).toEqual([])
    },
  )

  test('a table without a key is not repaired, and it is said', async () => {
    await database.query(
      'delete from inventory.nopk_inserts where ctid = (select min(ctid) from inventory.nopk_inserts)',
    )
    const ports = { store: await openLake(lake), database: manager, clock: systemClock, barrier: NO_STREAM }
    const table = 'inventory.nopk_inserts'
    const checked = {
      name: table,
      source: await manager.getTableSchema(table),
      path: table.replace('.', '/'),
    }
    const give = async () => expect.unreachable('rows without a key were given')
    const repairThrough: WithTaker = (_, work) => work({ watch: async () => 'watch', give })
    const results: CheckResult[] = []
    const dq = { ...ports, topics: null, pipeline: 'default' }
    for await (const result of runChecks(dq, DEFAULT_LIMITS, [checked], ['checksum'], repairThrough))
      results.push(result)
    expect(results.map(({ verdict }) => verdict)).toEqual(['different', 'different'])
    expect(results[1]!.repair).toEqual({
      ...{ inserted: 0, updated: 0, deleted: 0, unchanged: 0, deferred: 0, impossible: 1, verified: false },
      notes: [expect.stringContaining('without a key are not repaired')],
    })
  })

  /** Values that a repair would write otherwise than the stream did, but for columns that lose something on their way. */
  async function writtenOtherwise(name: string): Promise<readonly string[]> {
    const table = (await DeltaTable.open(await openLake(lake), `inventory/${name}`))!
    const source = await manager.getTableSchema(`inventory.${name}`)
    const { columns } = comparedTable({ name, source, path: '' }, table.snapshot) as ComparedTable
    const found: string[] = []
    for await (const cells of table.rows({ columns: columns.map(({ field }) => field.name) })) {
      columns.forEach(({ name: column, canonical }, i) => {
        const cell = cells[i]!
        if (cell === null || canonical.loss !== null) return
        const again = canonical.cell(canonical.text(cell))
        if (!isDeepStrictEqual(again, cell)) found.push(`${column}: ${inspect(again)} for ${inspect(cell)}`)
      })
    }
    return found
  }

  async function fill(name: string, { key, columns }: SourceTable): Promise<void> {
    const definitions = Object.entries(columns).map(
      ([column, type]) => `${column} ${type.replace('enum', 'mood')}`,
    )
    const primary = key.length === 0 ? '' : `, primary key (${key.join(', ')})`
    await database.query(`create table inventory.${name} (${definitions.join(', ')}${primary})`)
    const file = join(RECORDING, '_final', `inventory.${name}.jsonl`)
    for (const line of readFileSync(file, 'utf8')
      .split('\n')
      .filter((each) => each !== '')) {
      const { c_hstore: pairs } = JSON.parse(line) as { readonly c_hstore?: Readonly<Record<string, string>> }
      await database.query(
        `insert into inventory.${name} select * from json_populate_record(null::inventory.${name}, $1::json)`,
        [line.replace(/"c_hstore":\{[^}]*\}/, '"c_hstore":null')],
      )
      if (pairs == null) continue
      const hstore = 'hstore($1::text[], $2::text[])'
      const { id } = JSON.parse(line) as { readonly id: number }
      await database.query(`update inventory.${name} set c_hstore = ${hstore} where id = $3`, [
        Object.keys(pairs),
        Object.values(pairs),
        id,
      ])
    }
  }
})
