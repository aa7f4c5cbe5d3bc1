import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../support/cli-run.ts'
import { BackfillWorld } from './backfill-world.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()
const TABLE = 'public.orders'
/** Looks like a column of ours, and may be any SQL. */
const WHERE = "region = 'north' or id % 10 = 0"

describe.skipIf(database.missing !== null)('a backfill of some rows', () => {
  const world = new BackfillWorld(database)
  const config = join(world.directory, 'alluvium.json')

  beforeAll(async () => {
    await database.query(`create table orders (id int primary key, region text, pad text);
      insert into orders select i, case when i % 3 = 0 then 'north' else 'south' end, repeat('p', 400)
        from generate_series(1, 300) i`)
    const pipeline = { source: { files: world.directory }, tables: { [TABLE]: {} } }
    const content = { lake: world.lake, pipelines: { default: pipeline }, dq: { source: database.url } }
    writeFileSync(config, JSON.stringify(content))
  })

  afterAll(async () => {
    await world.close()
    await database.close()
    rmSync(world.directory, { recursive: true, force: true })
  })

  async function wanted(): Promise<number[]> {
    const { rows } = await database.query(`select id from orders where ${WHERE} order by id`)
    return rows.map(({ id }) => id as number)
  }

  const stored = async () => (await world.rows(TABLE)).map(({ id }) => id as number).sort((a, b) => a - b)

  test('dies, goes on for the same rows alone, and is proven by them', async () => {
    let left = 4
    const stepReached = (step: string) => {
      if (step === 'backfill:chunk-committed' && --left === 0) throw new Error('dead')
    }
    await expect(world.backfill(TABLE, { where: WHERE, stepReached })).rejects.toThrow('dead')
    await database.query(`update orders set region = 'north' where id = 1; insert into orders values (301, 'north', ''),
      (302, 'south', '')`)
    const other = world.backfill(TABLE, { where: 'id > 5', resume: true })
    await expect(other).rejects.toThrow(/begun with --where "region = 'north' or id % 10 = 0"/)
    const { proof } = await world.backfill(TABLE, { resume: true })
    expect(proof).toMatchObject({
      ...{ verdict: 'equal', verifiedThrough: null, detail: `of the rows where ${WHERE}` },
      ...{ sourceRows: (await wanted()).length, lakeRows: (await wanted()).length },
    })
    expect(await stored()).toEqual(await wanted())
    expect(await wanted()).toContain(301)
  })

  test('is not proven again: which rows the table should hold by now is not known', async () => {
    const args = ['dq', 'run', '-c', config, '--tables', TABLE, '--checks', 'row-count,checksum']
    const { exitCode, stdout } = await runCommand(args)
    expect([exitCode, stdout.match(/deferred/g)?.length]).toEqual([3, 3])
    expect(stdout).toContain(`laid down with rows of the source where ${WHERE} alone`)
  })

  test('is not for a table without a key, nor for several tables', async () => {
    await database.query('create table bag (a int)')
    const bag = world.backfill('public.bag', { where: 'a > 1' })
    await expect(bag).rejects.toThrow('has no key, and the stream could not tell')
    const args = ['backfill', '-c', config, '--without-stream', '--where', 'true']
    expect(await runCommand([...args, '--tables', 'public.a,public.b'])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('--where is about one table'),
    })
  })

  test('is estimated by its own rows', async () => {
    const args = ['backfill', '-c', config, '--without-stream', '--dry-run', '--json', '--tables', TABLE]
    const rowsOf = async (...more: string[]) =>
      JSON.parse((await runCommand([...args, ...more])).stdout).tables[0].rows as number
    expect(await rowsOf('--where', 'id % 100 = 0')).toBeLessThan((await rowsOf()) / 20)
  })
})
