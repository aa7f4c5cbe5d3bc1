import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unobserved } from '../../core/fact.ts'
import type { Clock, ObjectStore } from '../../core/ports.ts'
import { DEFAULT_LIMITS } from '../../dq/dq-ports.ts'
import { runChecks } from '../../dq/run-checks.ts'
import { NO_STREAM, type StreamBarrier } from '../../dq/stream-barrier.ts'
import type { CheckResult } from '../../dq/verdict.ts'
import { findConfig } from '../../src/cli/load-config.ts'
import { takersOf } from '../../src/cli/moment-rows-taker.ts'
import { openPorts } from '../../src/engine.ts'
import { FileSource } from '../../src/io/file-source.ts'
import { createLogger } from '../../src/io/logger.ts'
import { systemClock } from '../../src/io/system-clock.ts'
import { openLake } from '../../src/open-lake.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { pipelineOptions } from '../../src/pipeline-options.ts'
import { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import { readProgress } from '../../writers/table-progress.ts'
import { newAccount } from '../support/account.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { ACCOUNTS, MiniStream } from './mini-stream.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()
const ROWS = 60
const PATH = 'public/accounts'

/** Time goes by ten times as fast, so that the owner looks for requests twice a second. */
const FAST_CLOCK: Clock = {
  nowMs: () => systemClock.nowMs(),
  monotonicMs: () => systemClock.monotonicMs() * 10,
  sleep: (ms, signal) => systemClock.sleep(ms / 10, signal),
}

describe.skipIf(database.missing !== null)('a repair while the owner of the table is at work', () => {
  const manager = new PostgresConnectionManager({ connectionString: database.url || 'postgres://none' })
  const stream = new MiniStream(database)
  const random = new SeededRandom(3)
  const account = (place: number) =>
    newAccount(idOf(place), 1_795_249_774_180_146 + random.below(1e6), random)

  beforeAll(async () => {
    await stream.createTable()
    await stream.fill(Array.from({ length: ROWS }, (_, i) => account(i)))
    await stream.ingest()
  })

  afterAll(async () => {
    await manager.close()
    await database.close()
    rmSync(stream.directory, { recursive: true, force: true })
  })

  test('loses nothing, brings nothing back, and ends with both sides equal', async () => {
    const store = await openLake(stream.lake)
    const config = (await findConfig(stream.config, () => undefined))!
    const [pipeline] = config.pipelines
    const ports = await openPorts(
      config,
      createLogger('error', () => {}),
      undefined,
    )
    const end = new AbortController()
    const topics = new FileSource(`${stream.directory}/topics`, systemClock)
    const options = { ...pipelineOptions(pipeline!), batch: { rows: 7, bytes: 1_000_000, ageMs: 500 } }
    const owner = await Pipeline.open({ ...ports, clock: FAST_CLOCK, observe: unobserved }, topics, options)
    const owned = owner.run({ untilEnd: false, signal: end.signal, onProgress: () => {} })

    // What the stream never tells: rows that differ, that the lake lacks, that it has and the source has not.
    const lost = Array.from({ length: 30 }, (_, i) => idOf(i < 20 ? i : 100 + i))
    const rows = lost.map((id) => `(${id})`).join(', ')
    await database.query(
      `update accounts set owner = owner || '?' where id between ${idOf(0)} and ${idOf(9)}`,
    )
    await database.query(`insert into accounts select v.id, owner, balance, active, tier, note, opened_on, updated_at
      from (values ${rows}) v(id), accounts a where a.id = ${idOf(50)} and v.id >= ${idOf(100)}`)
    await database.query(`delete from accounts where id between ${idOf(10)} and ${idOf(19)}`)

    const writing = { isOver: false, turn: Promise.resolve() }
    const writer = keepWriting(writing)
    const checked = { name: ACCOUNTS, source: await manager.getTableSchema(ACCOUNTS), path: PATH }
    const dq = { store, database: manager, clock: systemClock, topics: null, pipeline: 'default' }
    const ask = { waitMs: 20_000, signal: new AbortController().signal }
    const through = takersOf(ports, pipeline!, topics, ask)
    const check = async (barrier: StreamBarrier, repairThrough: typeof through | null) => {
      const results: CheckResult[] = []
      const ports = { ...dq, barrier }
      for await (const result of runChecks(ports, DEFAULT_LIMITS, [checked], ['checksum'], repairThrough))
        results.push(result)
      return results
    }
    const moving = await check(
      endOfTopic(store, topics, () => writing.turn),
      through,
    )
    writing.isOver = true
    await writer
    const quiet = endOfTopic(store, topics, () => writing.turn)
    const between = await check(quiet, null)
    const repaired = await check(quiet, through)
    end.abort()
    await owned
    await topics.close()

    const report = moving.at(-1)!.repair!
    expect(report.inserted + report.updated + report.deleted).toBeGreaterThan(0)
    // Whatever still differs was lost on its way, and moved at every look: the repair made no difference of its own.
    const differing = between[0]!.mismatches.map(({ key }) => BigInt(key['id']!))
    expect(differing.filter((id) => !lost.includes(id))).toEqual([])
    expect(repaired.at(-1)).toMatchObject({ verdict: 'equal', mismatchCount: 0 })
    expect(await check(NO_STREAM, null)).toMatchObject([{ verdict: 'equal', sourceRows: expect.any(Number) }])
  }, 60_000)

  /** Transactions on all of the rows, one after the other, now and then one beside another. */
  async function keepWriting(writing: { isOver: boolean; turn: Promise<void> }): Promise<void> {
    while (!writing.isOver) {
      writing.turn = (async () => {
        const one = await stream.begin()
        const other = random.chance(0.3) ? await stream.begin() : null
        await one.put(account(random.below(40)))
        if (random.chance(0.4)) await one.remove(idOf(100 + 20 + random.below(10)))
        if (random.chance(0.4)) await other?.put(account(40 + random.below(20)))
        else await other?.remove(idOf(40 + random.below(20)))
        await other?.commit()
        await one.commit()
      })()
      await writing.turn
      await sleep(15)
    }
  }
})

/** Passed when the table has come to where the topic ended when it was asked, with all that was committed by then. */
function endOfTopic(store: ObjectStore, topics: FileSource, turn: () => Promise<void>): StreamBarrier {
  return {
    ...NO_STREAM,
    mark: async () => {
      await turn()
      const ends = await topics.partitions()
      return {
        lsn: 0n,
        ends: new Map(ends.map(({ topic, partition, endOffset }) => [`${topic}/${partition}`, endOffset])),
      }
    },
    isPassed: async ({ ends }) => {
      const { nextOffsets } = readProgress((await loadSnapshot(store, PATH))!.txns, 'default')
      return [...ends!].every(([name, end]) => (nextOffsets.get(name) ?? 0n) >= end)
    },
  }
}

function idOf(place: number): bigint {
  return 1_000n + BigInt(place)
}
