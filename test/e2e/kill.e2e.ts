import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GENERATED_TABLE, type TopicPlan } from '../support/generate-topic.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { compareRows } from './compare-rows.ts'
import { logVersions, versionsWithChangeFiles } from './delta-log.ts'
import { type GeneratedRun, prepareGeneratedRun } from './generated-run.ts'
import { KILL_STEPS } from './kill-steps.ts'
import { deltaRs, duckdb, polars, type ReaderProcess, spark } from './reader-process.ts'
import { replayChanges } from './replay-changes.ts'
import { type IngestSummary, recordsAccountedFor, runIngest } from './run-ingest.ts'

const KILLS_PER_STEP = 5
const PLAN: TopicPlan = {
  seed: 8_714,
  records: 220_000,
  partitions: 3,
  replicaIdentity: 'default',
  resends: 5,
}
/** Small, so that commits and checkpoints suffice for all kills. */
const BATCH_ROWS = 150

const MINUTES = 60_000

describe('a process that is killed at every named step', () => {
  let run: GeneratedRun
  beforeAll(() => {
    run = prepareGeneratedRun(PLAN, BATCH_ROWS)
  })
  afterAll(() => run[Symbol.dispose]())

  describe.each([{ state: 'kept' }, { state: 'deleted' }] as const)('its local state $state', ({ state }) => {
    let table: string
    let summary: IngestSummary

    test(
      'comes to the end of its topics when it is started again and again',
      async () => {
        const at = run.lake(state)
        table = at.table
        const ingest = { from: run.from, lake: at.lake, config: run.config, state: `${at.lake}.state` }
        const kills = await killAtEachStep(ingest, state === 'deleted')
        console.log(`kills, local state ${state}:`, Object.fromEntries(kills))
        for (const { name } of KILL_STEPS)
          expect(kills.get(name) ?? 0, name).toBeGreaterThanOrEqual(KILLS_PER_STEP)
        const last = await runIngest(ingest)
        expect(last, last.stderr).toMatchObject({ exitCode: 0, summary: expect.anything() })
        summary = last.summary!
      },
      15 * MINUTES,
    )

    test('accounts for every record of its last run', () => {
      expect(recordsAccountedFor(summary)).toBe(summary.records)
      expect(summary.deadLetters).toBe(0)
      const stored = summary.tables.find(({ name }) => name === GENERATED_TABLE)
      expect(stored).toMatchObject({ rows: run.topic.rows.length, version: logVersions(table).at(-1) })
    })

    test('has a log without a gap', () => {
      const versions = logVersions(table)
      expect(versions).toEqual(versions.map((_, i) => i))
    })

    test.each([spark, deltaRs, polars, duckdb])(
      'leaves the rows of the source, none twice, by $name',
      async (reader) => {
        await expectRowsOfSource(reader, table, run)
      },
    )

    test('leaves a change feed that gives the same rows', async () => {
      const [stored, feed] = [await deltaRs.read({ table }), await deltaRs.read({ table, changesFrom: 0 })]
      const fullVersions = versionsWithChangeFiles(table)
      const replayed = replayChanges(feed.rows, { columns: feed.columns, key: ['id'], fullVersions })
      expect(replayed.violations).toEqual([])
      expect(compareRows(stored.rows, replayed.rows, ['id'], stored.columns)).toEqual([])
    })
  })
})

/** Runs the command until it was killed often enough at each step, or came to its end before. @returns kills by step */
async function killAtEachStep(
  ingest: Parameters<typeof runIngest>[0] & { readonly state: string },
  deletesState: boolean,
): Promise<ReadonlyMap<string, number>> {
  const random = new SeededRandom(PLAN.seed)
  const kills = new Map<string, number>()
  for (let round = 0; round < KILLS_PER_STEP; round++) {
    for (const step of KILL_STEPS) {
      const { signal, exitCode, stderr } = await runIngest({
        ...ingest,
        failpoint: `${step.name}:${1 + random.below(step.passesMax)}`,
      })
      if (signal !== 'SIGKILL') {
        expect(exitCode, stderr).toBe(0)
        return kills
      }
      kills.set(step.name, (kills.get(step.name) ?? 0) + 1)
      if (deletesState) rmSync(ingest.state, { recursive: true, force: true })
    }
  }
  return kills
}

async function expectRowsOfSource(
  reader: ReaderProcess,
  table: string,
  { topic }: GeneratedRun,
): Promise<void> {
  const { rows } = await reader.read({ table })
  expect(compareRows(topic.rows, rows, ['id'], Object.keys(topic.rows[0]!))).toEqual([])
}
