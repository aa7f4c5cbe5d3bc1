import { afterAll, describe, expect, test } from 'vitest'
import { readBackfillState } from '../../writers/backfill/backfill-state.ts'
import { liveRowCount } from '../../writers/table/row-count.ts'
import { BackfillWorld } from './backfill-world.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()

describe.skipIf(database.missing !== null)('a backfill', () => {
  const world = new BackfillWorld(database)

  afterAll(async () => {
    await world.close()
    await database.close()
  })

  test('lays a table down as its source has it, chunk by chunk, and proves it', async () => {
    await database.query(
      `create table plain (id int primary key, name text, amount numeric(12,2), at timestamptz)`,
    )
    await database.query(`insert into plain select i, 'name ' || i, i * 1.01, now() - i * interval '1 hour'
      from generate_series(1, 3000) i`)
    const outcome = await world.backfill('public.plain')
    expect(outcome).toMatchObject({ state: 'done', isResumed: false, leftOut: [] })
    expect(outcome.proof).toMatchObject({ verdict: 'equal', sourceRows: 3000, lakeRows: 3000 })
    const snapshot = await world.snapshot('public.plain')
    expect(liveRowCount(snapshot)).toBe(3000)
    expect(snapshot.files.size).toBeGreaterThan(10)
    expect(readBackfillState(snapshot.metadata.configuration)).toMatchObject({ state: 'done', parts: [] })
  })

  test('reads a partitioned table leaf by leaf, and lays its rows down in partitions of the lake', async () => {
    await database.query(`create table parted (id int, region text, note text, primary key (id, region))
      partition by list (region);
      create table parted_eu partition of parted for values in ('eu');
      create table parted_rest partition of parted default partition by range (id);
      create table parted_low partition of parted_rest for values from (0) to (500);
      create table parted_high partition of parted_rest default`)
    await database.query(`insert into parted select i, (array['eu', 'us', 'jp'])[1 + i % 3], 'n' || i
      from generate_series(1, 1500) i`)
    const { proof } = await world.backfill('public.parted', { contract: { partitionBy: ['region'] } })
    expect(proof).toMatchObject({ verdict: 'equal', lakeRows: 1500 })
    const values = [...(await world.snapshot('public.parted')).files.values()].map(
      (file) => file.partitionValues,
    )
    expect(new Set(values.map(({ region }) => region))).toEqual(new Set(['eu', 'us', 'jp']))
  })

  test('keeps every copy of equal rows of a table without a key', async () => {
    await database.query(`create table bag (a int, b text)`)
    await database.query(`insert into bag select i % 10, 'same' from generate_series(1, 1000) i`)
    const { proof } = await world.backfill('public.bag')
    expect(proof).toMatchObject({ verdict: 'equal', sourceRows: 1000, lakeRows: 1000 })
  })

  test('makes an empty table of one without rows', async () => {
    await database.query('create table empty (id bigint primary key, v text)')
    const { proof } = await world.backfill('public.empty')
    expect(proof).toMatchObject({ verdict: 'equal', sourceRows: 0, lakeRows: 0 })
  })

  test('leaves out what no connector delivers, and says so', async () => {
    await database.query(`create type pair as (a int, b int);
      create table odd (id int primary key, twice int generated always as (id * 2) stored, p pair, v text);
      insert into odd (id, p, v) values (1, row(1, 2), 'x')`)
    const { proof, leftOut } = await world.backfill('public.odd')
    expect(leftOut.map(({ column }) => column)).toEqual(['twice', 'p'])
    expect(proof).toMatchObject({ verdict: 'incomplete', mismatchCount: 0, lakeRows: 1 })
    expect(Object.keys((await world.rows('public.odd'))[0]!)).not.toContain('twice')
  })

  test('reads nulls, wide rows and texts of any characters', async () => {
    await database.query('create table texts (id int primary key, t text, b bytea)')
    const texts = [
      null,
      '',
      '\\N',
      'tab\tnew\nline\\back',
      '"quoted"',
      'ünïcödé 🌊 \u2028',
      'x'.repeat(3_000_000),
    ]
    for (const [id, text] of texts.entries()) {
      await database.query('insert into texts values ($1, $2, $3)', [
        id,
        text,
        text === null ? null : Buffer.from(text),
      ])
    }
    const { proof } = await world.backfill('public.texts')
    expect(proof).toMatchObject({ verdict: 'equal', lakeRows: texts.length })
    const rows = await world.rows('public.texts')
    expect(rows.sort((a, b) => Number(a['id']) - Number(b['id'])).map((row) => row['t'])).toEqual(texts)
  })

  test('names the column of a value that its type cannot hold', async () => {
    await database.query(
      `create table nans (id int primary key, n numeric(5,2)); insert into nans values (1, 'NaN')`,
    )
    await expect(world.backfill('public.nans')).rejects.toThrow(/column n has a value that is not finite/)
  })

  test('refuses a table that is there, and one that was begun', async () => {
    await expect(world.backfill('public.plain')).rejects.toMatchObject({ code: 'E_BACKFILL_TABLE' })
    await expect(world.backfill('public.nans')).rejects.toMatchObject({ code: 'E_BACKFILL_UNFINISHED' })
    const log = world.backfill('public.empty', { contract: { mode: 'append' } })
    await expect(log).rejects.toThrow(/audit log/)
  })

  test('reads all of one moment, whatever happens meanwhile', async () => {
    await database.query(`create table moving (id int primary key, v int);
      insert into moving select i, 0 from generate_series(1, 2000) i`)
    let steps = 0
    const happens: Promise<unknown>[] = []
    const { proof } = await world.backfill('public.moving', {
      workers: 1,
      stepReached: (step) => {
        if (step !== 'backfill:chunk-committed' || steps++ > 3) return
        happens.push(
          database.query(`update moving set v = v + 1 where id % 3 = ${steps % 3}; delete from moving
          where id % 7 = ${steps}; insert into moving select ${5000 + steps * 10} + i, 1 from generate_series(1, 9) i`),
        )
      },
    })
    await Promise.all(happens)
    expect(happens.length).toBeGreaterThan(2)
    expect(proof).toMatchObject({ verdict: 'equal', sourceRows: 2000, lakeRows: 2000 })
    expect((await world.rows('public.moving')).every((row) => row['v'] === 0)).toBe(true)
  })

  test('ends at the next row when it is told to, and goes on from there', async () => {
    await database.query(`create table paused (id int primary key, v text);
      insert into paused select i, repeat('v', 500) from generate_series(1, 600) i`)
    const controller = new AbortController()
    let steps = 0
    const paused = await world.backfill('public.paused', {
      signal: controller.signal,
      stepReached: (step) => {
        if (step === 'backfill:chunk-committed' && ++steps === 10) controller.abort()
      },
    })
    expect(paused).toMatchObject({ state: 'paused', proof: null })
    const resumed = await world.backfill('public.paused', { resume: true })
    expect(resumed).toMatchObject({
      state: 'done',
      isResumed: true,
      proof: { verdict: 'equal', lakeRows: 600 },
    })
    expect(world.rowsRead).toBeLessThan(500)
  })
})
