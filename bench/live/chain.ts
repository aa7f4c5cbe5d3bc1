import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { startConnector } from '../../test/e2e/live/debezium-connector.ts'
import { S3Server } from '../../test/e2e/s3/s3-server.ts'
import { agesMs } from './ages.ts'
import { Engine } from './engine.ts'
import { type Freshness, freshnessOf } from './freshness.ts'
import { brokerCpuSeconds, CONNECT_URL, cpuSecondsOf, POSTGRES_PORT, POSTGRES_URL, startPart } from './rig.ts'
import { TableWatch } from './table-watch.ts'
import { endOffsets, readSourceTimes } from './topic-times.ts'

export interface Chain extends Freshness {
  /** What Debezium brings from Postgres to the broker when nothing else runs. */
  readonly debeziumAlonePerSecond: number
}

const PREFIX = 'chain'
const TOPIC = `${PREFIX}.shop.orders`
/** As the connector makes its topics. */
const PARTITIONS = 3
const ROWS = 100_000
const BURST = 200_000
const SECONDS = 60
/** Transactions a second. */
const TRANSACTIONS = 10
/** What was there before takes its time where others are busy too; it is not measured. */
const TIMEOUT_MS = 600_000

const SCHEMA = `
create schema shop;
create schema ops;
create table ops.heartbeat (id int primary key, beats bigint not null);
insert into ops.heartbeat values (1, 0);
create table shop.orders (id bigint primary key, customer text, status text, amount numeric(12,2), qty int, note text,
  updated_at timestamp, flag bool);
insert into shop.orders select i, 'cust-' || i % 50000, 'new', i % 10000, i % 1000, 'a note of about forty characters, ' || i,
  now(), i % 2 = 0 from generate_series(0, ${ROWS - 1}) i;
`
const UPDATE =
  "update shop.orders set qty = (qty + 1) % 1000, status = 'paid', updated_at = clock_timestamp() where id >= $1 and id < $2"

/** Postgres → Debezium → Kafka → engine → S3 → delta-rs, at half the rate that Debezium sustains alone. */
export async function measureChain(): Promise<Chain> {
  startPart('postgres')
  const database = new pg.Pool({ connectionString: POSTGRES_URL, max: 3 })
  const server = await S3Server.start()
  try {
    await database.query(SCHEMA)
    startPart('connect')
    await startConnector({ connectUrl: CONNECT_URL, postgresPort: POSTGRES_PORT, prefix: PREFIX }, database)
    await endsAt(ROWS)
    const debeziumAlonePerSecond = await measureDebezium(database)
    const freshness = await measureAt(Math.round(debeziumAlonePerSecond / 2), database, server)
    return { ...freshness, debeziumAlonePerSecond }
  } finally {
    await database.end()
    await server.stop()
  }
}

/** Writes a burst, and looks how fast it comes out at the other end once it flows. */
async function measureDebezium(database: pg.Pool): Promise<number> {
  const writing = updateRows(database, BURST, BURST / 100)
  const firstAt = ROWS + BURST / 10
  const fromMs = await endsAt(firstAt)
  const toMs = await endsAt(ROWS + BURST)
  await writing
  return Math.round((BURST - BURST / 10) / ((toMs - fromMs) / 1000))
}

async function updateRows(database: pg.Pool, count: number, rowsATransaction: number): Promise<void> {
  for (let done = 0; done < count; done += rowsATransaction) {
    const from = done % ROWS
    await database.query(UPDATE, [from, from + rowsATransaction])
  }
}

async function measureAt(rate: number, database: pg.Pool, server: S3Server): Promise<Freshness> {
  const engine = Engine.start({
    ...{ name: 'chain', lake: `s3://${server.bucket}/lake`, store: server.settings },
    ...{ topics: [TOPIC], group: 'chain', tables: { 'shop.orders': {} } },
  })
  const watch = new TableWatch(server, 'shop/orders', TOPIC, PARTITIONS)
  const before = await endOffsets(TOPIC)
  await watch.sees(before, TIMEOUT_MS)
  const start = { ms: Date.now(), engine: cpuSecondsOf(engine.pid), broker: brokerCpuSeconds() }
  await updateSteadily(database, rate)
  const seconds = (Date.now() - start.ms) / 1000
  const cores = (now: number, then: number) => Number(((now - then) / seconds).toFixed(2))
  const engineCores = cores(cpuSecondsOf(engine.pid), start.engine)
  const brokerCores = cores(brokerCpuSeconds(), start.broker)
  const after = await settledOffsets()
  await watch.sees(after, TIMEOUT_MS)
  await watch.stop()
  await engine.stop()
  const times = await readSourceTimes(TOPIC, before, after)
  const ages = times.flatMap((each, partition) =>
    agesMs(watch.sightings, partition, each, before[partition]!),
  )
  const kept = Math.round(ages.length / seconds)
  return { ...freshnessOf(ages, kept, watch.sightings.length), engineCores, brokerCores }
}

async function updateSteadily(database: pg.Pool, rate: number): Promise<void> {
  const rowsATransaction = Math.round(rate / TRANSACTIONS)
  const startMs = Date.now()
  for (let transaction = 0; transaction < SECONDS * TRANSACTIONS; transaction++) {
    const from = (transaction * rowsATransaction) % (ROWS - rowsATransaction)
    await database.query(UPDATE, [from, from + rowsATransaction])
    await pause(startMs + ((transaction + 1) * 1000) / TRANSACTIONS - Date.now())
  }
}

/** @returns when the topic holds so many records, and the time then */
async function endsAt(count: number): Promise<number> {
  const deadlineMs = Date.now() + TIMEOUT_MS
  for (;;) {
    const total = (await endOffsets(TOPIC)).reduce((sum, end) => sum + end, 0)
    if (total >= count) return Date.now()
    if (Date.now() > deadlineMs) throw new Error(`${TOPIC} holds ${total} records of ${count}`)
    await pause(100)
  }
}

/** Where the topic ends when nothing more comes. */
async function settledOffsets(): Promise<readonly number[]> {
  for (let last = await endOffsets(TOPIC); ; ) {
    await pause(3000)
    const now = await endOffsets(TOPIC)
    if (now.every((end, i) => end === last[i])) return now
    last = now
  }
}
