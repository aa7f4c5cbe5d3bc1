import { beforeAll, describe, expect, test } from 'vitest'
import type { RunReport } from '../../../src/pipeline/pipeline.ts'
import { type Death, DyingStore } from '../../support/dying-store.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import {
  FakeClock,
  jsonOf,
  PipelineWorld,
  stoppedTables,
  type WorldRun,
} from '../../support/pipeline-world.ts'

const KEYLESS = { topic: 'shop.public.keyless', key: null }
const AUDIT = { topic: 'shop.public.audit', partition: 1 }
const TABLES = ['public/t', 'public/keyless', 'public/audit']

const RUN: WorldRun = {
  batch: { rows: 3 },
  batchRecords: 4,
  tables: {
    'public.t': { replicaIdentity: 'full', changeFeed: 'full' },
    'public.audit': { mode: 'append' },
  },
}

/** What each kind of table can meet, and the ends of partitions that no table remembers. */
function topicsOfAllKinds(): MemoryTopics {
  const topics = new MemoryTopics()
  for (let id = 0; id < 5; id++) topics.row(id < 2 ? 'r' : 'c', { id, v: 'a' })
  topics.row('u', { id: 1, v: 'b' }, { before: '{"id":1,"v":"a"}' })
  topics.raw('{"op":', { key: '{"id":1}' })
  const again = topics.row('u', { id: 1, v: 'c' }, { before: '{"id":1,"v":"b"}' })
  topics.delete(2, { before: '{"id":2,"v":"a"}' })
  topics.tombstone(2)
  topics.resend(again)
  topics.raw('also not JSON')
  topics.row('c', { id: 2, v: 'again' })
  topics.row('u', { id: 4, v: 'd', w: 1 }, { before: '{"id":4,"v":"a"}' })
  topics.delete(3, { before: '{"id":3,"v":"a"}' })
  topics.tombstone(3)
  topics.heartbeat()
  for (let n = 0; n < 4; n++) topics.row('c', { n: n % 2 }, KEYLESS)
  topics.event({ op: '"d"', before: '{"n":1}', after: 'null', ...KEYLESS })
  topics.row('c', { n: 1 }, KEYLESS)
  topics.raw('letter', { topic: KEYLESS.topic })
  for (let id = 0; id < 5; id++) topics.row('c', { id, v: 'x' }, AUDIT)
  topics.delete(1, AUDIT)
  topics.tombstone(1, AUDIT)
  topics.raw('the last record is a letter', AUDIT)
  return topics
}

/**
 * All that must be the same, however often the process died. Whether a table's last commit says that it has passed the
 * letters and tombstones behind its rows hangs on where its batch was closed; the mark says it in any case.
 */
async function stateOf(world: PipelineWorld): Promise<string> {
  const mark = await world.mark()
  const tables: Record<string, unknown> = {}
  for (const path of TABLES) {
    const progress = Object.entries(await world.progress(path))
    for (const [name, next] of progress) expect(next).toBeLessThanOrEqual(mark[name]!)
    tables[path] = [await world.rows(path), progress.map(([name]) => name)]
  }
  return jsonOf({ tables, letters: await world.letters(), mark: Object.entries(mark).sort() })
}

function objectsOf(world: PipelineWorld): string[] {
  return [...world.store.objects.keys()].sort()
}

describe('a process that dies', () => {
  const topics = topicsOfAllKinds()
  let calm: {
    readonly state: string
    readonly versions: Record<string, number>
    readonly changes: number
    readonly sites: ReadonlySet<string>
  }

  beforeAll(async () => {
    const world = new PipelineWorld()
    const sites = new Set<string>()
    world.store.after = (_, site) => void sites.add(site)
    const { changes } = await counted(world, topics)
    calm = { state: await stateOf(world), versions: world.versions(), changes, sites }
  })

  test('without a death every part of a run takes place', () => {
    expect(calm.changes).toBeGreaterThanOrEqual(30)
    expect(Object.keys(calm.versions)).toEqual(['_alluvium/default', '_dlq', ...[...TABLES].sort()])
    const sites = ['data.put', 'dv.put', 'cdc.put', 'log.put', 'sign.put', 'sign.delete']
    expect(calm.sites).toEqual(new Set(sites))
  })

  test.each<Death>(['fails before', 'hangs after'])(
    'at any change of the store (%s it), and is started again, leaves what one run leaves',
    async (death) => {
      for (let at = 1; at <= calm.changes; at++) {
        const world = new PipelineWorld()
        await dieAt(world, topics, at, death)
        const report = await world.run(topics, RUN)
        const where = `${death} change ${at}`
        expect(stoppedTables(report), where).toEqual({})
        expect(await stateOf(world), where).toBe(calm.state)
        expectFewVersions(world.versions(), calm.versions, where)
        await expectNothingNew(world, topics)
      }
    },
  )

  test.each<Death>(['fails before', 'fails after', 'hangs before', 'hangs after'])(
    'again and again (%s a change) comes to its end',
    async (death) => {
      const world = new PipelineWorld()
      let deaths = 0
      // Late enough for one commit of each table that needs letters to be durable before it.
      while (await dieAt(world, topics, 7, death)) expect(++deaths).toBeLessThan(calm.changes)
      expect(deaths).toBeGreaterThan(3)
      expect(await stateOf(world)).toBe(calm.state)
      await expectNothingNew(world, topics)
    },
  )

  test('between reading its topics in parts leaves what one run leaves', async () => {
    const world = new PipelineWorld()
    const part = new MemoryTopics()
    for (const name of topics.partitions.keys()) part.partitions.set(name, [])
    for (let length = 1; length <= 20; length++) {
      for (const [name, records] of topics.partitions) part.partitions.set(name, records.slice(0, length))
      const { changes } = await counted(new PipelineWorld(), part)
      // The first change is the sign of the process.
      await dieAt(world, part, 2 + (length % Math.max(changes, 1)), 'fails after')
    }
    await world.run(topics, RUN)
    const { tables: rows } = JSON.parse(await stateOf(world)) as { tables: Record<string, unknown> }
    const { tables: expected } = JSON.parse(calm.state) as { tables: Record<string, unknown> }
    expect(rows).toEqual(expected)
  })
})

/** @returns whether it died, and did not come to its end */
async function dieAt(world: PipelineWorld, topics: MemoryTopics, at: number, death: Death): Promise<boolean> {
  const store = new DyingStore(world.store, at, death)
  const run = world.run(topics, { ...RUN, store, clock: new FakeClock() }).catch((error: Error) => {
    if (error.message !== 'power cut') throw error
  })
  await Promise.race([run, store.died])
  return store.isDead
}

async function counted(world: PipelineWorld, topics: MemoryTopics): Promise<DyingStore> {
  const store = new DyingStore(world.store, 0, 'fails before')
  await world.run(topics, { ...RUN, store })
  return store
}

function expectFewVersions(
  versions: Record<string, number>,
  calm: Record<string, number>,
  where: string,
): void {
  for (const path of [...TABLES, '_alluvium/default'])
    expect(versions[path], `${path}, ${where}`).toBe(calm[path])
  // Letters that were durable before the death are not written again; what follows may be cut otherwise.
  expect(versions['_dlq'], where).toBeLessThanOrEqual(calm['_dlq']! + 1)
}

async function expectNothingNew(world: PipelineWorld, topics: MemoryTopics): Promise<void> {
  const before = objectsOf(world)
  const report: RunReport = await world.run(topics, RUN)
  expect(report.records).toBe(0)
  for (const table of report.tables) expect(table).toMatchObject({ inserts: 0, updates: 0, deletes: 0 })
  expect(objectsOf(world)).toEqual(before)
}
