import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { kafkajs } from '../../../src/io/kafka-client.ts'
import { Engine, type LiveEngine } from './engine-process.ts'
import { createTopic, insertRows } from './kafka-topics.ts'
import { tableRows } from './lake-rows.ts'

const broker = inject('kafkaBroker')
const rigEnvironment = inject('rigEnvironment')
const kafka = new kafkajs.Kafka({
  brokers: [broker],
  logLevel: kafkajs.logLevel.NOTHING,
  retry: { retries: 12 },
})
const admin = kafka.admin()
const directory = mkdtempSync(join(tmpdir(), 'alluvium-kafka-changes-'))

beforeAll(() => admin.connect())
afterAll(async () => {
  await admin.disconnect()
  rmSync(directory, { recursive: true, force: true })
})

/** A source of two tables, of which something happens to the first while an engine reads both. */
let name = ''
let tests = 0
let engine: Engine
let started: LiveEngine | null = null
const topicOf = (table: string) => `${name}.public.${table}`

beforeEach(async () => {
  name = `changes${++tests}`
  for (const table of ['hit', 'sibling']) {
    await createTopic(admin, topicOf(table), 1)
    await insertRows(kafka, topicOf(table), 0, 10)
  }
  const config = join(directory, `${name}.yaml`)
  const lake = join(directory, name)
  const source = {
    brokers: [broker],
    topics: [`${name}.*`],
    groupId: `group-${name}`,
    sessionTimeout: '10s',
    topicsAge: '1s',
    fetch: { minBytes: 1, maxWait: '100ms' },
  }
  const pipeline = { source: { kafka: source }, batch: { age: '200ms' } }
  writeFileSync(config, JSON.stringify({ lake, pipelines: { [name]: pipeline } }))
  engine = new Engine(config, lake)
  const first = await engine.untilEnd()
  expect(first, first.stderr).toMatchObject({ exitCode: 0 })
})

/** One that a failed test left behind. */
afterEach(() => {
  started?.signal('SIGKILL')
  started = null
})

const rowCount = async (table: string) => (await tableRows(engine.lake, `public/${table}`)).length
const awaitRows = (table: string, count: number) =>
  expect.poll(() => rowCount(table), { timeout: 40_000, interval: 200 }).toBe(count)

/** The engine has taken up its work: rows that come are seen. */
async function running(): Promise<LiveEngine> {
  const live = engine.live()
  started = live
  for (const table of ['hit', 'sibling']) await insertRows(kafka, topicOf(table), 10, 12)
  await awaitRows('hit', 12)
  await awaitRows('sibling', 12)
  return live
}

/** The sibling goes on; the table that was hit stands, and its error says what happened. */
async function expectHitAlone(live: LiveEngine, error: RegExp): Promise<void> {
  await insertRows(kafka, topicOf('sibling'), 12, 20)
  await awaitRows('sibling', 20)
  await expect.poll(() => live.said, { timeout: 40_000 }).toMatch(error)
  const { exitCode, summary } = await live.end()
  expect(exitCode).toBe(1)
  expect(summary?.tables.map((table) => table.name)).toContain('public.sibling')
  expect(await rowCount('hit')).toBe(12)
}

/** As retention does. The library does not always know the leader at once. */
async function cut(topic: string, before: number): Promise<void> {
  const request = { topic, partitions: [{ partition: 0, offset: String(before) }] }
  const isCut = () =>
    admin.deleteTopicRecords(request).then(
      () => true,
      () => false,
    )
  await expect.poll(isCut, { timeout: 8000, interval: 100 }).toBe(true)
}

async function remake(topic: string): Promise<void> {
  await admin.deleteTopics({ topics: [topic] })
  await expect.poll(() => admin.listTopics(), { timeout: 20_000 }).not.toContain(topic)
  await createTopic(admin, topic, 1)
}

describe('while an engine runs', () => {
  test('records that retention took before they were read stop their table, which names them', async () => {
    const live = await running()
    live.signal('SIGSTOP')
    // What a broker was asked for before may still be answered.
    await after(500)
    await insertRows(kafka, topicOf('hit'), 12, 40)
    await cut(topicOf('hit'), 30)
    live.signal('SIGCONT')
    await expectHitAlone(live, /E_OFFSET_GAP.*records 12 to 29 are gone/)
  })

  test.each([
    // Whoever looks before it has so many again finds it shorter.
    ['more', 40, /E_TOPIC_RECREATED|E_OFFSET_GAP.*the topic ends at \d+, before our position 12/],
    ['fewer', 3, /E_OFFSET_GAP.*the topic ends at \d, before our position 12/],
  ])('a topic that is made anew with %s records stops its table', async (_, count, error) => {
    const live = await running()
    await remake(topicOf('hit'))
    await insertRows(kafka, topicOf('hit'), 100, 100 + count)
    await expectHitAlone(live, error)
  })

  test('a topic that is deleted stops its table', async () => {
    const live = await running()
    await admin.deleteTopics({ topics: [topicOf('hit')] })
    await expectHitAlone(live, /E_OFFSET_GAP.*the topic ends at 0, before our position 12/)
  })

  test('a broker that restarts is read on from where it was, after few rebalances', async () => {
    const live = await running()
    const kafkaScript = (verb: string) =>
      execFileSync('bash', ['test/e2e/rig/kafka.sh', verb], {
        env: { ...process.env, ...rigEnvironment },
        stdio: 'inherit',
      })
    kafkaScript('stop')
    kafkaScript('start')
    for (const table of ['hit', 'sibling']) await insertRows(kafka, topicOf(table), 12, 30)
    await awaitRows('hit', 30)
    await awaitRows('sibling', 30)
    const { exitCode, stderr, summary } = await live.end()
    expect(exitCode, stderr).toBe(0)
    expect(summary).toMatchObject({ parked: 0 })
    expect(stderr.match(/Consumer has joined the group/g)?.length ?? 0).toBeLessThanOrEqual(4)
  })
})
