import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cell } from '../../schemas/delta-types.ts'
import { typeText } from '../../schemas/evolution.ts'
import { openLake } from '../../src/open-lake.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { INVENTORY } from '../e2e/source-schema.ts'
import { ingestInto, RECORDING, temporaryDirectory } from '../support/lake-of-recording.ts'
import { BackfillWorld } from './backfill-world.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()

/** What Postgres held when a real Debezium had been recorded, laid down in two ways. */
describe.skipIf(database.missing !== null)('a backfilled table', () => {
  const world = new BackfillWorld(database)
  const streamed = join(temporaryDirectory(), 'lake')

  beforeAll(async () => {
    await database.query(`create extension hstore; create extension citext; create extension ltree;
      create type mood as enum ('sad', 'ok', 'happy'); create schema inventory`)
    await ingestInto(streamed)
  })

  afterAll(async () => {
    await world.close()
    await database.close()
    rmSync(join(streamed, '..'), { recursive: true, force: true })
  })

  test.each(['all_types', 'all_types_full'])(
    '%s has the types and cells that the stream tells',
    async (name) => {
      await fill(name)
      await world.backfill(`inventory.${name}`)
      const [ours, theirs] = [await contentOf(world.lake, name), await contentOf(streamed, name)]
      expect(ours.types).toEqual(theirs.types)
      for (const [id, row] of theirs.rows) expect([id, ours.rows.get(id)]).toEqual([id, row])
      expect(ours.rows.size).toBe(theirs.rows.size)
    },
  )

  async function contentOf(lake: string, name: string) {
    const table = (await DeltaTable.open(await openLake(lake), `inventory/${name}`))!
    const fields = table.schema.fields.filter((field) => !field.name.startsWith('_cdc_'))
    const names = fields.map((field) => field.name)
    const types = Object.fromEntries(fields.map((field) => [field.name, typeText(field.type)]))
    const rows = new Map<string, Record<string, Cell>>()
    for await (const cells of table.rows({ columns: names })) {
      rows.set(String(cells[0]), Object.fromEntries(names.map((column, i) => [column, cells[i]!])))
    }
    return { types, rows }
  }

  async function fill(name: string): Promise<void> {
    const { key, columns } = INVENTORY[name]!
    const definitions = Object.entries(columns).map(
      ([column, type]) => `${column} ${type.replace('enum', 'mood')}`,
    )
    await database.query(
      `create table inventory.${name} (${definitions.join(', ')}, primary key (${key.join(', ')}))`,
    )
    const file = join(RECORDING, '_final', `inventory.${name}.jsonl`)
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line === '') continue
      const { id, c_hstore: pairs } = JSON.parse(line) as {
        readonly id: number
        readonly c_hstore?: Readonly<Record<string, string>>
      }
      await database.query(
        `insert into inventory.${name} select * from json_populate_record(null::inventory.${name}, $1::json)`,
        [line.replace(/"c_hstore":\{[^}]*\}/, '"c_hstore":null')],
      )
      if (pairs == null) continue
      await database.query(
        `update inventory.${name} set c_hstore = hstore($1::text[], $2::text[]) where id = $3`,
        [Object.keys(pairs), Object.values(pairs), id],
      )
    }
  }
})
