import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NO_STREAM, type StreamBarrier } from '../../dq/stream-barrier.ts'
import { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'
import { type Account, newAccount } from '../support/account.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { checkTable } from './dq-world.ts'
import { ACCOUNTS, MiniStream, type OpenTransaction } from './mini-stream.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()
const ROWS = 60

/** Both sides move while they are compared: what a look meets is drawn by a seed. */
describe.skipIf(database.missing !== null)('a table that moves while it is compared', () => {
  const manager = new PostgresConnectionManager({ connectionString: database.url || 'postgres://none' })
  const stream = new MiniStream(database)

  beforeAll(async () => {
    await stream.createTable()
    const random = new SeededRandom(5)
    await stream.fill(Array.from({ length: ROWS }, (_, i) => account(i, random)))
    await stream.ingest()
  })

  afterAll(async () => {
    await manager.close()
    await database.close()
    rmSync(stream.directory, { recursive: true, force: true })
  })

  test.each([1, 2, 3, 4, 5, 6])('is never called different when it is not (seed %i)', async (seed) => {
    const random = new SeededRandom(seed)
    // Open before the moment is held, and committed after it: what it wrote the moment does not see.
    const open = await write(random, await stream.begin(), 0)
    // Committed before the moment, and not in the lake yet.
    await (await write(random, await stream.begin(), 1)).commit()
    const barrier = movingBarrier(2, async () => {
      await (await write(random, await stream.begin(), 2)).commit()
      if (random.chance(0.5)) await stream.ingest()
      await open()
      await (await write(random, await stream.begin(), 3)).commit()
      await stream.ingest()
    })
    for (const check of ['checksum', 'row-count'] as const) {
      const result = await checkTable({
        lake: stream.lake,
        database: manager,
        table: ACCOUNTS,
        check,
        barrier,
      })
      expect(result).toMatchObject({ verdict: 'equal', mismatchCount: 0, deferred: 0 })
    }

    async function write(random: SeededRandom, transaction: OpenTransaction, quarter: number) {
      // Transactions that are open side by side keep to rows of their own.
      for (let i = 0; i < 6; i++) {
        const place = quarter === 0 ? 100 + random.below(5) : random.below(ROWS)
        if (random.chance(0.3)) await transaction.remove(idOf(place))
        else await transaction.put(account(place, random))
      }
      let isOver = false
      const commit = async () => {
        if (!isOver) await transaction.commit()
        isOver = true
      }
      return Object.assign(commit, { commit })
    }
  })

  const question = { lake: stream.lake, database: manager, table: ACCOUNTS, check: 'checksum' } as const

  test('needs one look where each commit of the lake tells what came before', async () => {
    const random = new SeededRandom(7)
    await stream.commit(
      [1, 2, 3, 4].map((place) => account(place, random)),
      [idOf(200)],
    )
    await stream.ingest()
    // The moment sees this one, though the lake does not hold it yet.
    await stream.commit([account(1, random)], [idOf(4)])
    const barrier = movingBarrier(1, async () => {
      await stream.ingest()
      await stream.commit([account(1, random), account(2, random), account(200, random)], [idOf(3)])
      await stream.ingest()
      await stream.commit([account(2, random), account(4, random)], [idOf(200)])
      await stream.ingest()
    })
    const result = await checkTable({ ...question, barrier })
    expect(result).toMatchObject({ verdict: 'equal', looks: 1, deferred: 0, mismatchCount: 0 })
  })

  test('looks again at a key of which one commit of the lake folded what the moment sees with what it does not', async () => {
    const random = new SeededRandom(8)
    await stream.commit([account(1, random)])
    const barrier = movingBarrier(1, async () => {
      await stream.commit([account(1, random)])
      await stream.ingest()
    })
    const result = await checkTable({ ...question, barrier })
    expect(result).toMatchObject({ verdict: 'equal', looks: 2, deferred: 0, mismatchCount: 0 })
  })

  test('is deferred, and not different, where one row moves at every look', async () => {
    const random = new SeededRandom(9)
    await stream.commit([account(1, random)])
    const barrier = movingBarrier(3, async () => {
      await stream.commit([account(1, random)])
      await stream.ingest()
      await stream.commit([account(1, random)])
    })
    const result = await checkTable({ ...question, barrier, limits: { looksMax: 3 } })
    expect(result).toMatchObject({ verdict: 'deferred', looks: 3, deferred: 1, mismatchCount: 0 })
    await stream.ingest()
  })

  test('is called different where one row that stands still is, and nowhere else', async () => {
    const random = new SeededRandom(99)
    await stream.ingest()
    const { rows } = await database.query('select id from accounts order by id desc limit 1')
    await database.query(`update accounts set owner = owner || '?' where id = $1`, [rows[0].id])
    const barrier = movingBarrier(3, async () => {
      await stream.commit(Array.from({ length: 10 }, () => account(random.below(ROWS / 2), random)))
      await stream.ingest()
    })
    const result = await checkTable({
      lake: stream.lake,
      database: manager,
      table: ACCOUNTS,
      check: 'checksum',
      barrier,
    })
    expect(result.mismatches).toEqual([{ kind: 'different', key: { id: rows[0].id }, columns: ['owner'] }])
  })

  test('is deferred when the lake does not come to hold the moment', async () => {
    const barrier: StreamBarrier = {
      ...NO_STREAM,
      mark: async () => ({ lsn: 0n, ends: null }),
      isPassed: async () => false,
    }
    const question = {
      lake: stream.lake,
      database: manager,
      table: ACCOUNTS,
      check: 'checksum',
      barrier,
    } as const
    const result = await checkTable({ ...question, limits: { waitMs: 300 } })
    expect(result).toMatchObject({ verdict: 'deferred', detail: expect.stringContaining('within 0.3 s') })
  })
})

/** Something happens while each of the first looks waits for the lake. */
function movingBarrier(looks: number, happen: () => Promise<void>): StreamBarrier {
  let left = looks
  let isOver = false
  return {
    ...NO_STREAM,
    mark: async () => {
      isOver = left-- <= 0
      return { lsn: 0n, ends: null }
    },
    isPassed: async () => {
      if (isOver) return true
      isOver = true
      await happen()
      return false
    },
  }
}

function account(place: number, random: SeededRandom): Account {
  return newAccount(idOf(place), 1_795_249_774_180_146 + random.below(1e6), random)
}

function idOf(place: number): bigint {
  return 1_000n + BigInt(place)
}
