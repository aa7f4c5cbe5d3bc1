import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ObjectInfo } from '../../../core/ports.ts'
import { createS3Client } from '../../../src/io/s3-client.ts'
import { S3Connection } from '../../../src/io/s3-connection.ts'
import { S3Store } from '../../../src/io/s3-store.ts'
import { systemClock } from '../../../src/io/system-clock.ts'
import { systemRandom } from '../../../src/io/system-random.ts'
import { rowText } from '../../support/canonical-row.ts'
import { GENERATED_TABLE, type TopicPlan } from '../../support/generate-topic.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { compareRows } from '../compare-rows.ts'
import { logVersions, tablesBelow } from '../delta-log.ts'
import { type GeneratedRun, prepareGeneratedRun } from '../generated-run.ts'
import { deltaRs, duckdb, type ReadAnswer } from '../reader-process.ts'
import { type IngestRun, recordsAccountedFor, runIngest } from '../run-ingest.ts'
import { S3Server } from './s3-server.ts'

const RECORDING = resolve('fixtures/debezium/envelope-schema')
const PLAN: TopicPlan = { seed: 42, records: 6_000, partitions: 2, replicaIdentity: 'default', resends: 2 }
const BATCH_ROWS = 150

/** What the world holds when the process dies there: see the steps of `S3Store`. */
const KILL_STEPS = [
  { step: 'probe.put:created', passesMax: 2 },
  { step: 'data.put:before', passesMax: 6 },
  { step: 'data.put:written', passesMax: 6 },
  { step: 'dv.put:written', passesMax: 4 },
  { step: 'log.put:before', passesMax: 6 },
  { step: 'log.put:created', passesMax: 6 },
] as const
const KILLS_PER_STEP = 2

let server: S3Server
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'alluvium-s3-ingest-'))
  server = await S3Server.start()
  const { endpoint, region } = server.settings
  // As delta-rs wants to be told.
  Object.assign(process.env, { AWS_ENDPOINT_URL: endpoint, AWS_ALLOW_HTTP: 'true', AWS_REGION: region })
})

afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** A configuration with the store in it, beside what `base` says. */
function configWithStore(name: string, base: object): string {
  const file = join(directory, `${name}.yaml`)
  writeFileSync(file, JSON.stringify({ ...base, store: server.settings }))
  return file
}

interface LakeOnS3 {
  /** `s3://…` */
  readonly location: string
  /** The same lake as the files that the server keeps. */
  readonly files: string
  objects(): Promise<readonly ObjectInfo[]>
}

function lakeOnS3(name: string): LakeOnS3 {
  const connection = new S3Connection({
    client: createS3Client(server.settings),
    clock: systemClock,
    random: systemRandom,
  })
  const store = new S3Store({ connection, bucket: server.bucket, prefix: name })
  return {
    location: store.location,
    files: join(server.files, name),
    objects: () => store.list('test.list', ''),
  }
}

function rowTexts({ rows, columns }: ReadAnswer): string[] {
  return rows.map((row) => rowText(row, columns)).sort()
}

describe('recorded topics laid down on S3', () => {
  let lake: LakeOnS3
  let local: string
  let first: IngestRun
  const ingest = () => {
    const config = configWithStore('recorded', {
      lake: lake.location,
      pipelines: { recorded: { source: { files: RECORDING } } },
    })
    return runIngest({
      from: RECORDING,
      lake: lake.location,
      config,
      state: join(directory, 'recorded.state'),
    })
  }

  beforeAll(async () => {
    lake = lakeOnS3('recorded/delta')
    local = join(directory, 'local')
    const config = join(directory, 'local.yaml')
    writeFileSync(
      config,
      JSON.stringify({ lake: local, pipelines: { recorded: { source: { files: RECORDING } } } }),
    )
    const onDisk = await runIngest({ from: RECORDING, lake: local, config })
    expect(onDisk.exitCode, onDisk.stderr).toBe(0)
    first = await ingest()
    expect(first.exitCode, first.stderr).toBe(0)
    expect({ ...first.summary, tables: [] }).toEqual({ ...onDisk.summary, tables: [] })
  })

  test('give the tables and versions that they give on a disk, and leave no probe behind', async () => {
    const versionsBelow = (root: string) =>
      tablesBelow(root).map((table) => [table.slice(root.length), logVersions(table).at(-1)])
    expect(versionsBelow(lake.files)).toEqual(versionsBelow(local))
    expect((await lake.objects()).filter(({ path }) => path.includes('probe'))).toEqual([])
  })

  test('are the same rows by delta-rs, over S3, and by DuckDB', async () => {
    const tables = first.summary!.tables.map(({ path }) => path)
    expect(tables.length).toBeGreaterThan(3)
    for (const table of tables) {
      const expected = await deltaRs.read({ table: join(local, table) })
      const found = await deltaRs.read({ table: `${lake.location}/${table}` })
      expect(found.columns, table).toEqual(expected.columns)
      expect(rowTexts(found), table).toEqual(rowTexts(expected))
      expect(rowTexts(await duckdb.read({ table: join(lake.files, table) })), table).toEqual(
        rowTexts(expected),
      )
    }
  })

  test('add nothing when they are read again', async () => {
    const before = await lake.objects()
    const again = await ingest()
    expect(again.exitCode, again.stderr).toBe(0)
    expect(again.summary!.duplicates + again.summary!.applied).toBe(0)
    expect(await lake.objects()).toEqual(before)
  })
})

describe('a topic under load on S3', () => {
  let run: GeneratedRun
  const ingest = (lake: LakeOnS3, failpoint?: string) => {
    const base = JSON.parse(readFileSync(run.config, 'utf8')) as object
    return runIngest({
      from: run.from,
      lake: lake.location,
      config: configWithStore('generated', { ...base, lake: lake.location }),
      state: join(directory, 'generated.state'),
      ...(failpoint === undefined ? {} : { failpoint }),
    })
  }

  beforeAll(() => {
    run = prepareGeneratedRun(PLAN, BATCH_ROWS)
  })
  afterAll(() => run?.[Symbol.dispose]())

  async function expectRowsOfSource(lake: LakeOnS3): Promise<void> {
    const table = GENERATED_TABLE.replace('.', '/')
    const versions = logVersions(join(lake.files, table))
    expect(versions).toEqual(versions.map((_, i) => i))
    const { rows } = await deltaRs.read({ table: `${lake.location}/${table}` })
    expect(compareRows(run.topic.rows, rows, ['id'], Object.keys(run.topic.rows[0]!))).toEqual([])
  }

  test('comes to its end exactly once, though the process is killed at every step of a put', async () => {
    const lake = lakeOnS3('killed')
    const random = new SeededRandom(PLAN.seed)
    for (let round = 0; round < KILLS_PER_STEP; round++) {
      for (const { step, passesMax } of KILL_STEPS) {
        const failpoint = `${step}:${1 + random.below(passesMax)}`
        const { signal, stderr } = await ingest(lake, failpoint)
        expect(signal, `${failpoint} was not reached: ${stderr}`).toBe('SIGKILL')
      }
    }
    const last = await ingest(lake)
    expect(last.exitCode, last.stderr).toBe(0)
    expect(recordsAccountedFor(last.summary!)).toBe(last.summary!.records)
    await expectRowsOfSource(lake)
  })

  test('comes to its end exactly once, though two processes write the table at the same time', async () => {
    const lake = lakeOnS3('contended')
    const ends = await Promise.all([ingest(lake), ingest(lake)])
    // One may be told that the other moved its position (fenced); both may come to the end, by turns.
    for (const { exitCode, stderr } of ends) {
      if (exitCode !== 0)
        expect({ exitCode, stderr }).toEqual({
          exitCode: 1,
          stderr: expect.stringMatching(/E_FENCED|moved this pipeline/),
        })
    }
    const last = await ingest(lake)
    expect(last.exitCode, last.stderr).toBe(0)
    await expectRowsOfSource(lake)
  })
})
