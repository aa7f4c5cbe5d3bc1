import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { kafkajs } from '../../../src/io/kafka-client.ts'
import { ACCOUNT_COLUMNS } from '../../support/account.ts'
import { runCommand } from '../../support/cli-run.ts'
import { GENERATED_TABLE } from '../../support/generate-topic.ts'
import { readRecordedTopic } from '../../support/recorded-topics.ts'
import { logVersions } from '../delta-log.ts'
import { prepareGeneratedRun } from '../generated-run.ts'
import { type IngestSummary, recordsAccountedFor, runIngest } from '../run-ingest.ts'
import { Engine } from './engine-process.ts'
import { createTopic, insertRows, produceRecording, produceRecords } from './kafka-topics.ts'
import { lakeRows, tableRows } from './lake-rows.ts'

const RECORDING = resolve('fixtures/debezium/envelope-schema')
const broker = inject('kafkaBroker')
const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING })
const admin = kafka.admin()
const directory = mkdtempSync(join(tmpdir(), 'alluvium-kafka-ingest-'))

beforeAll(() => admin.connect())
afterAll(async () => {
  await admin.disconnect()
  rmSync(directory, { recursive: true, force: true })
})

interface Run {
  readonly name: string
  readonly topics: readonly string[]
  readonly rows?: number
  readonly tables?: object
}

/** A configuration that reads Kafka, in a directory of its own. As JSON, which is YAML too. */
function engineFor({ name, topics, rows, tables = {} }: Run): Engine {
  const config = join(directory, `${name}.yaml`)
  const lake = join(directory, name)
  const kafkaSource = {
    brokers: [broker],
    topics,
    groupId: `group-${name}`,
    sessionTimeout: '6s',
    fetch: { maxWait: '100ms' },
  }
  const batch = rows === undefined ? { age: '300ms' } : { rows, age: '300ms' }
  const pipeline = { source: { kafka: kafkaSource }, batch, tables }
  writeFileSync(config, JSON.stringify({ lake, pipelines: { [name]: pipeline } }))
  return new Engine(config, lake)
}

const versionsOf = ({ tables }: IngestSummary) =>
  Object.fromEntries(tables.map(({ name, version }) => [name, version]))

describe('topics of a real Debezium, in a real Kafka', () => {
  let engine: Engine
  let first: IngestSummary

  beforeAll(async () => {
    const records = await produceRecording(kafka, admin, RECORDING)
    engine = engineFor({ name: 'recording', topics: ['envelope-schema*', '__debezium-heartbeat*'] })
    const run = await engine.untilEnd()
    expect(run, run.stderr).toMatchObject({ exitCode: 0 })
    first = run.summary!
    expect(records).toBeGreaterThan(first.records - 1)
  })

  test('leave the same rows as the files they were recorded to', async () => {
    const lake = join(directory, 'from-files')
    const fromFiles = await runIngest({ from: RECORDING, lake })
    expect(fromFiles, fromFiles.stderr).toMatchObject({ exitCode: 0 })
    expect(recordsAccountedFor(first)).toBe(first.records)
    expect(await lakeRows(engine.lake)).toEqual(await lakeRows(lake))
  })

  test('are listed and looked into without a configuration', async () => {
    const topic = 'envelope-schema.inventory.customers'
    const listed = await runCommand(['topics', '--brokers', broker, '--json'])
    const lines = listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toContainEqual(expect.objectContaining({ topic, feeds: ['inventory.customers'] }))
    const peeked = await runCommand(['peek', topic, '--brokers', broker, '--num', '1'])
    expect(peeked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"operation":"INSERT"') })
  })

  test('are not applied again by a second run', async () => {
    const before = versionsOf(first)
    const { exitCode, summary } = await engine.untilEnd()
    expect(exitCode).toBe(0)
    expect(summary).toMatchObject({ applied: 0, parked: 0 })
    for (const name of Object.keys(before)) {
      expect(logVersions(join(engine.lake, ...name.split('.'))).at(-1)).toBe(before[name])
    }
  })

  test.each([
    ['deleted', null],
    ['set back', '0'],
    ['set ahead', '1000000'],
  ])('are not applied again when the offsets of the group are %s', async (_, offset) => {
    const groupId = 'group-recording'
    const [topic] = (await admin.listTopics()).filter((each) => each.endsWith('.customers'))
    if (offset === null) await admin.deleteGroups([groupId])
    else await admin.setOffsets({ groupId, topic: topic!, partitions: [{ partition: 0, offset }] })
    const { exitCode, summary } = await engine.untilEnd()
    expect(exitCode).toBe(0)
    expect(summary).toMatchObject({ applied: 0, parked: 0 })
    const version = versionsOf(first)['inventory.customers']
    expect(logVersions(join(engine.lake, 'inventory/customers')).at(-1)).toBe(version)
  })
})

describe('a table under load', () => {
  const plan = { seed: 41, records: 30_000, partitions: 3, replicaIdentity: 'default', resends: 3 } as const
  const generated = prepareGeneratedRun(plan, 1000)
  const topic = `shop.${GENERATED_TABLE}`
  const records = readRecordedTopic(join(generated.from, `${topic}.jsonl`))
  const tables = { [GENERATED_TABLE]: { key: ['id'], columns: ACCOUNT_COLUMNS } }
  const expected = generated.topic.rows.length

  beforeAll(async () => {
    await createTopic(admin, topic, 3)
    await produceRecords(kafka, topic, records)
  })
  afterAll(() => generated[Symbol.dispose]())

  test('has the same rows as from files, however often its process is killed', async () => {
    const fromFiles = generated.lake('from-files')
    await runIngest({ from: generated.from, lake: fromFiles.lake, config: generated.config })
    const engine = engineFor({ name: 'killed', topics: [topic], rows: 1000, tables })
    for (const failpoint of ['data.put:written:4', 'log.put:linked:5', 'locator:before-move:3']) {
      const { signal, stderr } = await engine.untilEnd({ ALLUVIUM_FAILPOINT: failpoint })
      expect(signal, `${failpoint}: ${stderr}`).toBe('SIGKILL')
    }
    const last = await engine.untilEnd()
    expect(last, last.stderr).toMatchObject({ exitCode: 0 })
    const rows = await tableRows(engine.lake, 'public/accounts')
    expect(rows).toHaveLength(expected)
    expect(rows).toEqual(await tableRows(fromFiles.lake, 'public/accounts'))
  })
})

describe('two processes in one group', () => {
  const names = ['a', 'b', 'c', 'd']
  const topicOf = (name: string) => `pair.public.${name}`
  const engine = () => engineFor({ name: 'pair', topics: ['pair.*'] })
  const rowsOf = (lake: string, name: string) => tableRows(lake, `public/${name}`)
  const haveRows = (lake: string, count: number) =>
    expect
      .poll(
        async () => (await Promise.all(names.map((name) => rowsOf(lake, name)))).map((rows) => rows.length),
        {
          timeout: 40_000,
          interval: 500,
        },
      )
      .toEqual(names.map(() => count))

  test('share the tables, and one takes over what the other leaves, with nothing lost or twice', async () => {
    for (const name of names) {
      await createTopic(admin, topicOf(name), 2)
      await insertRows(kafka, topicOf(name), 0, 50)
    }
    const { lake } = engine()
    const first = engine().live()
    await haveRows(lake, 50)
    const second = engine().live()
    let id = 50
    for (let round = 0; round < 10; round++, id += 5) {
      for (const name of names) await insertRows(kafka, topicOf(name), id, id + 5)
      await pause(600)
    }
    await haveRows(lake, 100)
    const left = await first.end()
    expect(left, left.stderr).toMatchObject({ exitCode: 0 })
    for (const name of names) await insertRows(kafka, topicOf(name), 100, 120)
    await haveRows(lake, 120)
    const last = await second.end()
    expect(last, last.stderr).toMatchObject({ exitCode: 0 })
    expect(left.stderr + last.stderr).not.toContain('E_FENCED')
    const written = [left, last].map(({ summary }) => summary!.applied)
    expect(written[0]! + written[1]!).toBe(120 * names.length)
    expect(Math.min(...written)).toBeGreaterThan(20)
    for (const name of names) {
      const ids = (await rowsOf(lake, name)).map((row) => JSON.parse(row).id)
      expect(new Set(ids).size).toBe(120)
    }
  })

  test('share the partitions of one table that is spread', async () => {
    const topic = 'spread.public.s'
    await createTopic(admin, topic, 4)
    const tables = { 'public.s': { spread: 'partitions' } }
    const spread = engineFor({ name: 'spread', topics: [topic], tables })
    const rowIds = async () => (await rowsOf(spread.lake, 's')).map((row) => Number(JSON.parse(row).id))
    const first = spread.live()
    await insertRows(kafka, topic, 0, 50)
    await expect.poll(async () => (await rowIds()).length, { timeout: 40_000 }).toBe(50)
    const second = spread.live()
    for (let round = 0; round < 15; round++) {
      await insertRows(kafka, topic, 50 + round * 20, 70 + round * 20)
      await pause(500)
    }
    await expect.poll(async () => new Set(await rowIds()).size, { timeout: 40_000 }).toBe(350)
    const ends = [await first.end(), await second.end()]
    for (const { exitCode, stderr } of ends) expect(exitCode, stderr).toBe(0)
    expect(await rowIds()).toHaveLength(350)
    const written = ends.map(({ summary }) => summary!.applied)
    expect(written[0]! + written[1]!).toBe(350)
    expect(Math.min(...written)).toBeGreaterThan(20)
  })
})

describe('topics that change their nature', () => {
  const [changed, sibling] = ['again.public.changed', 'again.public.sibling']
  async function remake(topic: string): Promise<void> {
    await admin.deleteTopics({ topics: [topic] })
    await expect.poll(() => admin.listTopics(), { timeout: 20_000 }).not.toContain(topic)
    await createTopic(admin, topic, 1)
  }

  test.each([
    ['more', 30, 'E_TOPIC_RECREATED'],
    ['fewer', 3, 'E_OFFSET_GAP'],
  ])('made anew with %s records stop their table, and no other', async (name, count, code) => {
    for (const topic of [changed, sibling]) {
      if ((await admin.listTopics()).includes(topic)) await remake(topic)
      else await createTopic(admin, topic, 1)
      await insertRows(kafka, topic, 0, 10)
    }
    const engine = engineFor({ name: `again-${name}`, topics: ['again.*'] })
    expect(await engine.untilEnd()).toMatchObject({ exitCode: 0 })
    await remake(changed)
    await insertRows(kafka, changed, 100, 100 + count)
    await insertRows(kafka, sibling, 10, 15)
    const { exitCode, stderr } = await engine.untilEnd()
    expect(exitCode).toBe(1)
    expect(stderr).toContain(code)
    expect(await tableRows(engine.lake, 'public/changed')).toHaveLength(10)
    expect(await tableRows(engine.lake, 'public/sibling')).toHaveLength(15)
  })
})
