import { rmSync } from 'node:fs'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { type Account, newAccount } from '../support/account.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { BackfillWorld } from './backfill-world.ts'
import { checkTable } from './dq-world.ts'
import { ACCOUNTS, MiniStream, type OpenTransaction } from './mini-stream.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()
const ROWS = 40

/** The topic tells of transactions from before the backfill, from after it, and of some that were open meanwhile. */
describe.skipIf(database.missing !== null)('a stream that meets a backfilled table', () => {
  let stream = new MiniStream(database)
  let world = new BackfillWorld(database, stream.lake)

  beforeEach(async () => {
    await close()
    stream = new MiniStream(database)
    world = new BackfillWorld(database, stream.lake)
    await stream.createTable()
  })

  afterAll(async () => {
    await close()
    await database.close()
  })

  async function close(): Promise<void> {
    await world.close()
    rmSync(stream.directory, { recursive: true, force: true })
  }

  test.each([1, 2, 3, 4, 5, 6])(
    'makes the table what the source is, whatever was open when it was read (seed %i)',
    async (seed) => {
      const random = new SeededRandom(seed)
      await stream.fill(Array.from({ length: ROWS }, (_, place) => account(place, random)))
      await (await write(random, await stream.begin(), 0, ROWS)).commit()
      // Each keeps to rows of its own; both tell the topic later than others do that began later.
      const [first, second] = [await stream.begin(), await stream.begin()]
      await write(random, first, 0, 8)
      await write(random, second, 8, 16)
      await (await write(random, await stream.begin(), 16, ROWS)).commit()
      const { proof } = await backfill(random, async () => {
        await (await write(random, await stream.begin(), 20, ROWS)).commit()
        await second.commit()
      })
      expect(proof).toMatchObject({ verdict: 'equal', mismatchCount: 0 })
      await write(random, first, 0, 8)
      await (await write(random, await stream.begin(), 8, ROWS)).commit()
      await first.commit()
      await stream.ingest()
      await expectEqual()
      await (await write(random, await stream.begin(), 0, ROWS)).commit()
      await stream.ingest()
      await expectEqual()
    },
  )

  test.each([11, 12, 13])('does so after a death as well (seed %i)', async (seed) => {
    const random = new SeededRandom(seed)
    await stream.fill(Array.from({ length: ROWS * 10 }, (_, place) => account(place, random)))
    const open = await stream.begin()
    await write(random, open, 0, 8)
    await dieAfter(1)
    await open.commit()
    await (await write(random, await stream.begin(), 0, ROWS * 10)).commit()
    const later = await stream.begin()
    await write(random, later, 30, 40)
    expect((await world.backfill(ACCOUNTS, { resume: true })).isResumed).toBe(true)
    await later.commit()
    await (await write(random, await stream.begin(), 0, 20)).commit()
    await stream.ingest()
    await expectEqual()
  })

  test('counts what the backfill has seen as stale, and nothing of it twice', async () => {
    const random = new SeededRandom(7)
    await stream.fill(Array.from({ length: ROWS }, (_, place) => account(place, random)))
    await stream.commit([], [idOf(1)])
    await backfill(random, async () => {})
    const before = (await world.snapshot(ACCOUNTS)).version
    await stream.ingest()
    expect((await world.snapshot(ACCOUNTS)).version).toBe(before)
    await expectEqual()
  })

  test('waits until the table is whole', async () => {
    const random = new SeededRandom(8)
    await stream.fill(Array.from({ length: ROWS }, (_, place) => account(place, random)))
    await dieAfter(0)
    await expect(stream.ingest()).rejects.toThrow(/E_BACKFILL_UNFINISHED|backfill of the table was begun/)
    await world.backfill(ACCOUNTS, { resume: true })
    await stream.ingest()
    await expectEqual()
  })

  /** @param happen when a chunk has been committed, and the moment is held */
  async function backfill(random: SeededRandom, happen: () => Promise<void>) {
    const happened: Promise<void>[] = []
    const outcome = await world.backfill(ACCOUNTS, {
      workers: 1 + random.below(2),
      stepReached: (step) => {
        if (step === 'backfill:chunk-committed' && happened.length === 0) happened.push(happen())
      },
    })
    await Promise.all(happened)
    return outcome
  }

  async function dieAfter(chunks: number): Promise<void> {
    let left = chunks
    const stepReached = (step: string) => {
      if (step === 'backfill:chunk-committed' && left-- === 0) throw new Error('dead')
    }
    await expect(world.backfill(ACCOUNTS, { stepReached })).rejects.toThrow('dead')
  }

  async function expectEqual(): Promise<void> {
    const check = { lake: stream.lake, database: world.database, table: ACCOUNTS, check: 'checksum' } as const
    expect(await checkTable(check)).toMatchObject({ verdict: 'equal', mismatchCount: 0, deferred: 0 })
  }

  async function write(random: SeededRandom, transaction: OpenTransaction, from: number, to: number) {
    for (let i = 0; i < 8; i++) {
      const place = from + random.below(to - from)
      if (random.chance(0.3)) await transaction.remove(idOf(place))
      else await transaction.put(account(place, random))
    }
    return transaction
  }
})

function account(place: number, random: SeededRandom): Account {
  return newAccount(idOf(place), 1_795_249_774_180_146 + random.below(1e6), random)
}

function idOf(place: number): bigint {
  return 1_000n + BigInt(place)
}
