/**
 * How fast a backfill is beside the bare `COPY … TO STDOUT` of the same table, and what memory it takes.
 * `node backfill.js [rows in millions] [workers]`; rounds of both in turns on the Postgres that `ALLUVIUM_TEST_POSTGRES`
 * names, else on the embedded one. The ratio is what counts: both share the machine with whoever else is there.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { DEFAULT_CONTRACT } from '../../schemas/contract.ts'
import { backfillTable } from '../../src/backfill/backfill-table.ts'
import { Pacing } from '../../src/backfill/pacing.ts'
import { openPorts } from '../../src/engine.ts'
import { createLogger } from '../../src/io/logger.ts'
import { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'
import { startEmbeddedCluster, stopEmbeddedCluster } from '../../test/postgres/embedded-cluster.ts'

const rows = Math.round(Number(process.argv[2] ?? '1') * 1e6)
const workers = Number(process.argv[3] ?? '2')
const ROUNDS = 3

const directory = mkdtempSync(join(tmpdir(), 'alluvium-bench-'))
chmodSync(directory, 0o755)
const given = process.env['ALLUVIUM_TEST_POSTGRES']
const home = join(directory, 'postgres')
const url = given ?? (await startEmbedded())

async function startEmbedded(): Promise<string> {
  mkdirSync(home)
  return startEmbeddedCluster(home)
}

async function bareCopy(database: PostgresConnectionManager): Promise<number> {
  const startMs = performance.now()
  await database.session(async (session) => {
    for await (const _ of session.copyOut('bench.copy', 'COPY bench_orders TO STDOUT'));
  })
  return rows / ((performance.now() - startMs) / 1000)
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

interface Loaded {
  readonly rowsPerSecond: number
  /** Of this process, without the proof. */
  readonly cpuSeconds: number
}

async function backfill(database: PostgresConnectionManager, round: number): Promise<Loaded> {
  const location = join(directory, `lake-${round}`)
  const logger = createLogger('warn', (line) => process.stderr.write(line))
  const lake = { kind: 'local', location, directory: location } as const
  const ports = await openPorts({ lake, store: { pathStyle: false } }, logger, undefined)
  const limits = { rowsPerSecond: null, bytesPerSecond: null, replicaLagMs: null, slotBytes: null }
  const pacing = new Pacing(ports.clock, database, limits, () => {})
  const id = { sourceName: 'bench', database: 'bench', schema: 'public', table: 'bench_orders' }
  const source = await database.getTableSchema('public.bench_orders')
  const contract = { ...DEFAULT_CONTRACT, name: 'public.bench_orders' }
  const signal = new AbortController().signal
  const startMs = performance.now()
  const cpuBefore = cpuSeconds()
  let loadedMs = 0
  let cpu = 0
  const outcome = await backfillTable(
    {
      ...ports,
      database,
      pacing,
      stepReached: (step) => {
        if (step !== 'backfill:finished') return
        loadedMs = performance.now()
        cpu = cpuSeconds() - cpuBefore
      },
    },
    { source, id, contract, path: 'public/bench_orders', where: null },
    { pipeline: 'bench', workers, resume: false, signal },
    { begin: () => {}, rows: () => {}, chunks: () => {} },
  )
  console.log(`  proof: ${outcome.proof?.verdict}, ${((performance.now() - loadedMs) / 1000).toFixed(1)} s`)
  rmSync(location, { recursive: true })
  return { rowsPerSecond: rows / ((loadedMs - startMs) / 1000), cpuSeconds: cpu }
}

try {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`create table bench_orders (id bigint primary key, customer_id int, status text, amount numeric(12,2),
    note text, active boolean, created_at timestamptz, ref uuid)`)
  await client.query(`insert into bench_orders select i, i % 100000, (array['new','paid','shipped','done'])[1 + i % 4],
    (i * 37 % 1000000) / 100.0, case when i % 3 = 0 then null else 'note of order ' || i end, i % 7 <> 0,
    timestamptz '2024-01-01' + i * interval '1 second', md5(i::text)::uuid from generate_series(1, ${rows}) i`)
  await client.query('vacuum analyze bench_orders')
  const database = new PostgresConnectionManager({ connectionString: url, poolSize: workers + 4 })
  for (let round = 0; round < ROUNDS; round++) {
    const bare = await bareCopy(database)
    const { rowsPerSecond, cpuSeconds } = await backfill(database, round)
    console.log(
      `bare COPY ${Math.round(bare)} rows/s, backfill ${Math.round(rowsPerSecond)} rows/s: ` +
        `${((rowsPerSecond / bare) * 100).toFixed(0)} %, ${((cpuSeconds / rows) * 1e6).toFixed(2)} us CPU a row; ` +
        `RSS at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
    )
  }
  await database.close()
  await client.query('drop table bench_orders')
  await client.end()
} finally {
  if (given === undefined) stopEmbeddedCluster(home)
  rmSync(directory, { recursive: true, force: true })
}
