import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkajs } from '../../../src/io/kafka-client.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { compareRows } from '../compare-rows.ts'
import { logVersions, versionsWithChangeFiles } from '../delta-log.ts'
import { finalRows } from '../final-rows.ts'
import { Engine } from '../kafka/engine-process.ts'
import { deltaRs, type ReaderProcess, spark } from '../reader-process.ts'
import { replayChanges } from '../replay-changes.ts'
import { type IngestRun, type IngestSummary, recordsAccountedFor } from '../run-ingest.ts'
import { S3Server } from '../s3/s3-server.ts'
import { awaitConnector, startConnector } from './debezium-connector.ts'
import { EngineDeaths, KILL_STEPS } from './engine-deaths.ts'
import { feedNoise } from './feed-noise.ts'
import { otherFeeds, readFeed, sparkFeed } from './read-feed.ts'
import { ALTER_SQL, SCHEMA_SQL, SHOP } from './source-tables.ts'
import { readHistory, type TopicHistory } from './topic-history.ts'
import { BIG_TRANSACTIONS } from './transactions.ts'
import { Workload } from './workload.ts'

const MINUTES = 60_000
const KILLS_MIN = 32
/** A few minutes are enough for so many, unless others use the machine too. */
const KILLING_MS_MAX = 18 * MINUTES
const CONNECTIONS = 4
const PREFIX = 'live'
const GROUP = 'alluvium-live'
/** A process that was killed keeps its tables for so long. */
const SESSION_MS = 4000
const random = new SeededRandom(26_11)

function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set: this is run by test/e2e/live/run.sh`)
  return value
}

const state = setting('RIG_STATE')
const broker = `127.0.0.1:${setting('KAFKA_PORT')}`
const databaseUrl = `postgres://postgres:postgres@127.0.0.1:${setting('POSTGRES_PORT')}/postgres`
const connector = {
  connectUrl: `http://127.0.0.1:${setting('CONNECT_PORT')}`,
  postgresPort: setting('POSTGRES_PORT'),
  prefix: PREFIX,
}

const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING })
const admin = kafka.admin()
const database = new pg.Pool({ connectionString: databaseUrl, max: 3 })
const workload = new Workload(databaseUrl)
const summaries: IngestSummary[] = []
const findings: Record<string, unknown> = {}
let server: S3Server
let lakeFiles: string
let deaths: EngineDeaths
let history: TopicHistory

const run = promisify(execFile)
/** A verb of one of the scripts below test/e2e/rig/. */
const rig = (part: string, verb: string) => run('bash', [`test/e2e/rig/${part}.sh`, verb])

/** As JSON, which is YAML too. @param name also of the directory for local state */
function engineOn(name: string, lake: string, store: object, groupId: string): Engine {
  const config = join(state, `${name}.yaml`)
  const source = {
    kafka: {
      brokers: [broker],
      topics: [`${PREFIX}.shop.*`],
      groupId,
      sessionTimeout: `${SESSION_MS}ms`,
      topicsAge: '2s',
      fetch: { maxWait: '100ms' },
    },
  }
  const pipeline = {
    source,
    batch: { age: '300ms' },
    tables: {
      'shop.parcels': { partitionBy: ['region'] },
      // Its keys change with every update, so no event shows by itself that the old rows are whole.
      'shop.seats': { replicaIdentity: 'full' },
    },
  }
  writeFileSync(config, JSON.stringify({ lake, store, pipelines: { [PREFIX]: pipeline } }))
  return new Engine(config, join(state, name))
}

const engine = (name: string) => engineOn(name, `s3://${server.bucket}/lake`, server.settings, GROUP)

/** What a process said at its end stays, for whoever has to find out why a run failed. */
function keep({ exitCode, signal, stderr, summary }: IngestRun, name: string): void {
  const words = `${stderr}\n${JSON.stringify(summary, null, 2)}\nended by ${signal ?? exitCode}\n`
  writeFileSync(join(state, 'engines', `${name.replaceAll(/[^\w.-]/g, '_')}.log`), words)
  if (summary !== null) summaries.push(summary)
}

const tablePath = (name: string) => join(lakeFiles, 'shop', name)
/** Waits until every table that is busy has new commits. */
async function allMove(): Promise<void> {
  const versions = () =>
    ['customers', 'accounts', 'order_lines'].map((name) => logVersions(tablePath(name)).at(-1)!)
  const before = versions()
  await expect
    .poll(() => versions().map((version, i) => version > before[i]!), {
      timeout: MINUTES,
      message: 'every busy table has new commits',
    })
    .not.toContain(false)
}

async function groupHas(members: number): Promise<void> {
  await expect
    .poll(async () => (await admin.describeGroups([GROUP])).groups[0]!.members.length, { timeout: MINUTES })
    .toBe(members)
}

beforeAll(async () => {
  mkdirSync(join(state, 'engines'))
  server = await S3Server.start()
  lakeFiles = join(server.files, 'lake')
  await admin.connect()
  await database.query(SCHEMA_SQL)
  await startConnector(connector, database)
  workload.start(CONNECTIONS, random)
})

/** The S3 server is ended by run.sh, which keeps what it holds when the run has failed. */
afterAll(async () => {
  console.log('live:', JSON.stringify(findings, null, 2))
  writeFileSync(join(state, 'findings.json'), JSON.stringify(findings, null, 2))
  await workload.stop().catch(() => {})
  await Promise.allSettled([admin.disconnect(), database.end()])
})

describe('a lake that is fed live', () => {
  test(
    'goes on when its process is killed at every named step, while the connector and the broker die too',
    async () => {
      deaths = new EngineDeaths(engine('first'), keep)
      const inTheMeantime = meantime()
      const end = Date.now() + KILLING_MS_MAX
      while (Date.now() < end && (deaths.count < KILLS_MIN || !deaths.everyStepWasReached)) {
        await Promise.race([deaths.next(1 + random.below(5)), workload.failure])
      }
      findings['kills by step'] = Object.fromEntries(deaths.byStep)
      findings['kills anywhere else'] = deaths.elsewhere
      findings['lives that were told to go'] = deaths.ends
      await inTheMeantime
      expect(deaths.count).toBeGreaterThanOrEqual(KILLS_MIN)
      expect(Math.min(...deaths.byStep.values())).toBeGreaterThan(0)
      expect([...deaths.byStep.keys()].sort()).toEqual([...KILL_STEPS].sort())
    },
    KILLING_MS_MAX + 2 * MINUTES,
  )

  test(
    'bears a process that stood still past its session, a second one that joins, and one that leaves',
    async () => {
      const first = engine('first').live()
      await allMove()
      const second = engine('second').live()
      await groupHas(2)
      first.signal('SIGSTOP')
      await pause(2 * SESSION_MS)
      await groupHas(1)
      await allMove()
      first.signal('SIGCONT')
      await groupHas(2)
      await allMove()
      const left = await second.end()
      keep(left, 'second-leaves')
      await allMove()
      const last = await first.end()
      keep(last, 'first-that-stood-still')
      expect(left, left.stderr).toMatchObject({ exitCode: 0 })
      expect(last, last.stderr).toMatchObject({ exitCode: 0 })
    },
    6 * MINUTES,
  )

  test('comes to the end of its topics when the workload stops, with the offsets of the group set anywhere', async () => {
    await workload.stop()
    findings['transactions'] = Object.fromEntries(workload.committed)
    await awaitConnector(connector, database)
    await moveOffsets()
    const last = await engine('first').untilEnd()
    keep(last, 'last')
    expect(last, last.stderr).toMatchObject({ exitCode: 0 })
    expect(recordsAccountedFor(last.summary!)).toBe(last.summary!.records)
    expect(await lag()).toEqual([])
  })

  test('was sent tails again as they were, and nothing new from before them', async () => {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${PREFIX}.shop.`))
    history = await readHistory(kafka, admin, topics)
    const { violations, revisions, ...counts } = history
    findings['topics'] = counts
    findings['sent again, and dropped unless told below as noise'] = history.resent
    expect(violations.slice(0, 10)).toEqual([])
    expect(history.resent).toBeGreaterThan(0)
    expect(history.lsnFalls).toBeGreaterThan(0)
  })

  test.each(Object.keys(SHOP))('%s is what Postgres holds, row for row', async (name) => {
    const table = SHOP[name]!
    const { rows } = await database.query(`select row_to_json(t)::text as row from shop.${name} t`)
    const expected = finalRows(table, rows.map(({ row }) => row).join('\n'))
    const columns = Object.keys(table.columns)
    for (const reader of [deltaRs, spark] as ReaderProcess[]) {
      const found = await reader.read({ table: tablePath(name) })
      const differences = compareRows(expected, found.rows, table.key, columns)
      note(`rows compared, ${reader.name}`, expected.length)
      note('mismatches', differences.length)
      expect(differences.slice(0, 10), reader.name).toEqual([])
    }
  })

  test.each(Object.keys(SHOP))('the feed of %s replays to its rows and tells nothing twice', async (name) => {
    const table = SHOP[name]!
    const { feed, stored } = await readFeed(lakeFiles, `shop/${name}`)
    const noise = feedNoise(feed.rows, feed.columns, history.revisions.get(name) ?? new Map())
    note(
      'row versions of the source',
      [...(history.revisions.get(name) ?? new Map()).values()].reduce((a, b) => a + b, 0),
    )
    note('row versions that came by the feeds', noise.came)
    note('feed noise', noise.violations.length)
    expect(noise.violations.slice(0, 10)).toEqual([])
    const replayed = replayChanges(feed.rows, {
      columns: feed.columns,
      key: table.key,
      fullVersions: versionsWithChangeFiles(tablePath(name)),
    })
    expect(replayed.violations.slice(0, 10)).toEqual([])
    expect(compareRows(stored.rows, replayed.rows, table.key, stored.columns).slice(0, 10)).toEqual([])
    expect(noise.came - noise.went).toBe(stored.rows.length)
    const told = await otherFeeds(tablePath(name), feed)
    note('changes that delta-rs tells otherwise', told.length)
    expect(told.slice(0, 10)).toEqual([])
  })

  test('the shortest feed is the same by Spark', async () => {
    const name = Object.keys(SHOP).toSorted(
      (a, b) => logVersions(tablePath(a)).length - logVersions(tablePath(b)).length,
    )[0]!
    const { feed } = await readFeed(lakeFiles, `shop/${name}`)
    findings['changes compared with Spark'] = feed.rows.length
    expect(await sparkFeed(tablePath(name), feed)).toEqual([])
  })

  test('is the same by a process that nothing ever happened to, which counts what was sent again', async () => {
    const calm = engineOn('calm', join(state, 'calm-lake'), {}, 'calm')
    const once = await calm.untilEnd()
    keep(once, 'calm')
    expect(once, once.stderr).toMatchObject({ exitCode: 0 })
    const { tables, ...counts } = once.summary!
    findings['a calm process over the same topics'] = counts
    expect(recordsAccountedFor(once.summary!)).toBe(once.summary!.records)
    expect(once.summary!.deadLetters).toBe(0)
    const rowsOf = await Promise.all(
      tables.map(async ({ name, rows }) => {
        const found = await database.query(`select count(*)::int as rows from ${name}`)
        return [name, rows, found.rows[0].rows]
      }),
    )
    expect(rowsOf.filter(([, lake, source]) => lake !== source)).toEqual([])
  })
})

/** What happens to the other parts while processes are killed. */
async function meantime(): Promise<void> {
  for (const [i, statement] of BIG_TRANSACTIONS.entries()) {
    await pause(7000)
    await database.query(statement)
    if (i === 0) await database.query(ALTER_SQL)
    if (i === 0) await pause(3000)
    // In the middle of what it has to send of the transaction.
    if (i % 2 === 1) await rig('connect', 'kill')
    if (i % 2 === 1) await rig('connect', 'start')
  }
  await rig('kafka', 'stop')
  await rig('kafka', 'start')
}

/** Deleted for most topics, and far ahead of everything for one. */
async function moveOffsets(): Promise<void> {
  await groupHas(0)
  await admin.deleteGroups([GROUP])
  const partitions = [0, 1, 2].map((partition) => ({ partition, offset: '1000000' }))
  await admin.setOffsets({ groupId: GROUP, topic: `${PREFIX}.shop.accounts`, partitions })
}

/** Partitions of which the group has not taken everything. */
async function lag(): Promise<string[]> {
  const behind: string[] = []
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId: GROUP })) {
    const ends = new Map((await admin.fetchTopicOffsets(topic)).map((end) => [end.partition, end.high]))
    for (const { partition, offset } of partitions) {
      if (offset !== ends.get(partition))
        behind.push(`${topic}/${partition} at ${offset} of ${ends.get(partition)}`)
    }
  }
  return behind
}

function note(name: string, count: number): void {
  findings[name] = Number(findings[name] ?? 0) + count
}
