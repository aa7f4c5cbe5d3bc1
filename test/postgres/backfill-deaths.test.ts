import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { readBackfillState } from '../../writers/backfill/backfill-state.ts'
import { BackfillWorld } from './backfill-world.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()

/** A run ends where it stands, and another one goes on: what no commit tells has not happened. */
describe.skipIf(database.missing !== null)('a backfill that dies', () => {
  const world = new BackfillWorld(database)
  let tables = 0

  afterAll(async () => {
    await world.close()
    await database.close()
  })

  /** A table of some twenty chunks. */
  async function newTable(key = 'primary key'): Promise<string> {
    const name = `t${++tables}`
    await database.query(`create table ${name} (id int ${key}, v int, pad text)`)
    await database.query(`insert into ${name} select i, 0, repeat('p', 400) from generate_series(1, 350) i`)
    return `public.${name}`
  }

  async function dieAt(table: string, step: string, times: number, resume = false): Promise<void> {
    let left = times
    const stepReached = (reached: string) => {
      if (reached === step && --left === 0) throw new Error('dead')
    }
    await expect(world.backfill(table, { stepReached, resume })).rejects.toThrow('dead')
  }

  test.each([
    ['backfill:began', 1],
    ['backfill:chunk-staged', 1],
    ['backfill:chunk-staged', 9],
    ['backfill:chunk-committed', 1],
    ['backfill:chunk-committed', 10],
  ])(
    'at %s, the time %i, is gone on with: nothing is twice, and nothing is read twice',
    async (step, times) => {
      const table = await newTable()
      await dieAt(table, step, times)
      const resumed = await world.backfill(table, { resume: true })
      expect(resumed).toMatchObject({ isResumed: true, proof: { verdict: 'equal', lakeRows: 350 } })
      const whole = step === 'backfill:chunk-committed' ? 350 - times * 15 : 350
      expect(world.rowsRead).toBeLessThanOrEqual(whole + 2 * 17)
    },
  )

  test('again and again, is done in the end', async () => {
    const table = await newTable()
    await dieAt(table, 'backfill:chunk-committed', 2)
    for (let death = 0; death < 4; death++) await dieAt(table, 'backfill:chunk-committed', 2, true)
    const resumed = await world.backfill(table, { resume: true })
    expect(resumed.proof).toMatchObject({ verdict: 'equal', lakeRows: 350 })
  })

  test('is brought up to what was written meanwhile, wherever the rows stand', async () => {
    const table = await newTable()
    await dieAt(table, 'backfill:chunk-committed', 8)
    await database.query(`update ${table} set v = v + 1 where id % 5 = 0`)
    await database.query(`insert into ${table} select i, 9, 'new' from generate_series(1001, 1040) i`)
    await database.query(`vacuum ${table}; `)
    await database.query(`update ${table} set v = v + 1 where id % 25 = 0`)
    const resumed = await world.backfill(table, { resume: true })
    expect(resumed.proof).toMatchObject({ verdict: 'equal', lakeRows: 390 })
  })

  test('reads rows of a transaction, and of one within it, that was open when it began', async () => {
    const table = await newTable()
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query(`begin; insert into ${table} values (5000, 1, 'outer'); savepoint s;
      insert into ${table} values (5001, 1, 'inner'); update ${table} set v = 7 where id = 3; release s`)
    await dieAt(table, 'backfill:chunk-committed', 8)
    await client.query('commit')
    await client.end()
    const resumed = await world.backfill(table, { resume: true })
    expect(resumed.proof).toMatchObject({ verdict: 'equal', lakeRows: 352 })
  })

  test('tells of rows that went meanwhile: the stream takes them away', async () => {
    const table = await newTable()
    await dieAt(table, 'backfill:chunk-committed', 8)
    await database.query(`delete from ${table} where id in (1, 2)`)
    const { proof } = await world.backfill(table, { resume: true })
    expect(proof).toMatchObject({ verdict: 'different', mismatchCount: 2 })
    expect(proof!.mismatches.map(({ kind, key }) => [kind, key['id']]).sort()).toEqual([
      ['extra', '1'],
      ['extra', '2'],
    ])
  })

  test.each([
    ['it has no key', '', async () => {}],
    ['the rows were moved', 'primary key', async (t: string) => database.query(`vacuum full ${t}`)],
    ['it was truncated', 'primary key', async (t: string) => database.query(`truncate ${t}`)],
    [
      'a column came',
      'primary key',
      async (t: string) => database.query(`alter table ${t} add w int default 3`),
    ],
  ])('begins anew where %s', async (_, key, happen) => {
    const table = await newTable(key)
    await dieAt(table, 'backfill:chunk-committed', 8)
    const before = readBackfillState((await world.snapshot(table)).metadata.configuration)!
    await happen(table)
    const { rows } = await database.query(`select count(*)::int as n from ${table}`)
    const resumed = await world.backfill(table, { resume: true })
    expect(resumed.proof).toMatchObject({ verdict: 'equal', lakeRows: rows[0].n, sourceRows: rows[0].n })
    const after = readBackfillState((await world.snapshot(table)).metadata.configuration)!
    expect(after.run).not.toBe(before.run)
  })

  test('gives way to another process that goes on with it', async () => {
    const table = await newTable()
    const others: Promise<PromiseSettledResult<unknown>[]>[] = []
    const slow = world.backfill(table, {
      workers: 1,
      stepReached: (step) => {
        if (step !== 'backfill:chunk-committed' || others.length > 0) return
        others.push(Promise.allSettled([world.backfill(table, { resume: true })]))
      },
    })
    const outcomes = [...(await Promise.allSettled([slow])), ...(await others[0]!)]
    const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done'))
    expect(codes).toContain('E_FENCED')
    const ids = (await world.rows(table)).map((row) => row['id'])
    expect(new Set(ids).size).toBe(ids.length)
  })
})
