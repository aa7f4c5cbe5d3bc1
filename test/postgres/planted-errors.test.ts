import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Cell } from '../../schemas/delta-types.ts'
import { openLake } from '../../src/open-lake.ts'
import { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'
import { openParquet } from '../../writers/parquet/read-parquet.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { newAccount } from '../support/account.ts'
import { encodeRows, readRows } from '../support/parquet-file.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { checkTable } from './dq-world.ts'
import { ACCOUNTS, MiniStream } from './mini-stream.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()
const FIRST = 9_007_199_254_740_993n
const ROWS = 3_000

describe.skipIf(database.missing !== null)('an error that was planted', () => {
  const manager = new PostgresConnectionManager({ connectionString: database.url || 'postgres://none' })
  const stream = new MiniStream(database)
  const check = { lake: stream.lake, database: manager, table: ACCOUNTS, check: 'checksum' } as const

  beforeAll(async () => {
    await stream.createTable()
    const random = new SeededRandom(1)
    const accounts = Array.from({ length: ROWS }, (_, i) =>
      newAccount(FIRST + BigInt(i), 1_795_249_774_180_146, random),
    )
    await stream.fill(accounts)
    await stream.ingest()
    await database.query('create table kept as select * from accounts')
  })

  beforeEach(async () => {
    await database.query('truncate accounts; insert into accounts select * from kept')
  })

  afterAll(async () => {
    await manager.close()
    await database.close()
    rmSync(stream.directory, { recursive: true, force: true })
  })

  const key = (place: number) => ({ id: String(FIRST + BigInt(place)) })
  const different = (place: number, ...columns: string[]) => ({ kind: 'different', key: key(place), columns })
  const at = (place: number) => `id = ${FIRST + BigInt(place)}`

  test('is not found where there is none', async () => {
    expect(await checkTable(check)).toMatchObject({
      ...{
        verdict: 'equal',
        sourceRows: ROWS,
        lakeRows: ROWS,
        looks: 1,
        mismatchCount: 0,
        deferred: 0,
        notes: [],
      },
    })
  })

  test.each([
    ['one bit', `update accounts set tier = tier # 1 where ${at(7)}`, [different(7, 'tier')]],
    [
      'a null for an empty text',
      `update accounts set note = case when note is null then '' end where ${at(8)}`,
      [different(8, 'note')],
    ],
    [
      'a microsecond',
      `update accounts set updated_at = updated_at + interval '1 microsecond' where ${at(9)}`,
      [different(9, 'updated_at')],
    ],
    [
      'one missing in the lake',
      `insert into accounts select ${FIRST - 5n}, owner, balance, active, tier, note, opened_on, updated_at from accounts where ${at(3)}`,
      [{ kind: 'missing', key: key(-5), columns: [] }],
    ],
    [
      'one extra in the lake',
      `delete from accounts where ${at(11)}`,
      [{ kind: 'extra', key: key(11), columns: [] }],
    ],
    [
      'two rows that changed places',
      `update accounts a set (owner, balance) = (select owner || '!', balance + 1 from accounts b
         where b.id = ${FIRST + 20n} + ${FIRST + 21n} - a.id) where ${at(20)} or ${at(21)}`,
      [different(20, 'owner', 'balance'), different(21, 'owner', 'balance')],
    ],
    [
      'two equal errors, which XOR would lose',
      `update accounts set balance = balance + 0.01 where ${at(30)} or ${at(31)}`,
      [different(30, 'balance'), different(31, 'balance')],
    ],
  ])('is found with its key and column: %s', async (_, plant, mismatches) => {
    await database.query(plant)
    const result = await checkTable(check)
    expect(result).toMatchObject({ verdict: 'different', looks: 2, deferred: 0 })
    expect(result.mismatches).toEqual(mismatches)
    expect(result.mismatchCount).toBe(mismatches.length)
  })

  test('is counted by row-count, which needs to read no row of the lake', async () => {
    await database.query(`delete from accounts where ${at(11)}`)
    const result = await checkTable({ ...check, check: 'row-count' })
    expect(result).toMatchObject({
      verdict: 'different',
      sourceRows: ROWS - 1,
      lakeRows: ROWS,
      mismatchCount: 1,
    })
    expect(result.detail).toBe('the lake has 1 rows more than the source')
  })

  test('is found among more rows than may be held, the others are told as buckets', async () => {
    await database.query('update accounts set tier = tier + 1')
    const result = await checkTable({ ...check, limits: { rowsHeldMax: 100, mismatchesMax: 10 } })
    expect(result.verdict).toBe('different')
    expect(result.mismatchCount).toBeGreaterThan(50)
    expect(result.mismatches).toHaveLength(10)
    expect(result.detail).toMatch(/\d+ more buckets differ/)
  })

  test('is found in a data file whose log knows nothing of it', async () => {
    const table = (await DeltaTable.open(await openLake(stream.lake), 'public/accounts'))!
    const [file] = table.snapshot.files.values()
    const path = join(stream.lake, 'public/accounts', file!.path)
    const bytes = readFileSync(path)
    const reader = await openParquet({
      sizeBytes: bytes.length,
      read: async (from, to) => bytes.subarray(from, to),
    })
    const rows = await readRows(reader, table.schema)
    const [id, owner] = ['id', 'owner'].map((name) =>
      table.schema.fields.findIndex((each) => each.name === name),
    )
    const row = rows.findIndex((cells) => cells[id!] === FIRST + 40n)
    rows[row] = rows[row]!.map((cell, i): Cell => (i === owner ? `${cell}\u0301` : cell))
    const changed = encodeRows(table.schema, rows).bytes
    writeFileSync(path, changed)
    const logs = join(stream.lake, 'public/accounts/_delta_log')
    const entries = readdirSync(logs).map((name) => join(logs, name))
    const log = entries.find((each) => readFileSync(each, 'utf8').includes(`"size":${bytes.length}`))!
    const entry = readFileSync(log, 'utf8')
    writeFileSync(log, entry.replace(`"size":${bytes.length}`, `"size":${changed.length}`))
    try {
      const result = await checkTable(check)
      expect(result).toMatchObject({ verdict: 'different', mismatches: [different(40, 'owner')] })
    } finally {
      writeFileSync(path, bytes)
      writeFileSync(log, entry)
    }
  })
})
