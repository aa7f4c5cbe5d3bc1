import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GENERATED_TABLE, type TopicPlan } from '../support/generate-topic.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { compareRows } from './compare-rows.ts'
import { logVersions, versionsWithChangeFiles } from './delta-log.ts'
import { type GeneratedRun, prepareGeneratedRun } from './generated-run.ts'
import { KILL_STEPS } from './kill-steps.ts'
import { deltaRs, duckdb, polars, spark } from './reader-process.ts'
import { replayChanges } from './replay-changes.ts'
import { type IngestSummary, recordsAccountedFor, runIngest } from './run-ingest.ts'

/** Kills at each step: two on the way to one lake, three lakes. */
const ROUNDS_PER_LAKE = 2
/** What becomes of local state between the runs. */
const LAKES = ['kept', 'deleted', 'deleted too'] as const

const PLAN: TopicPlan = {
  seed: 8_714,
  records: 220_000,
  partitions: 3,
  replicaIdentity: 'default',
  resends: 5,
}
/**
 * So that a lake has commits for all its kills (a process that is to die at a checkpoint makes a hundred first), and yet
 * not many more: delta-rs 1.6.6, and polars on it, never answer for a table in which some 900 files have deletion
 * vectors, because each one is loaded in a thread that waits for another.
 */
const BATCH_ROWS = 370

const MINUTES = 60_000

describe('a process that is killed at every named step', () => {
  let run: GeneratedRun
  const kills = new Map<string, number>()
  beforeAll(() => {
    run = prepareGeneratedRun(PLAN, BATCH_ROWS)
  })
  afterAll(() => run[Symbol.dispose]())

  describe.each(LAKES)('its local state %s between runs', (state) => {
    let table: string
    let summary: IngestSummary

    test(
      'comes to the end of its topics when it is started again and again',
      async () => {
        const at = run.lake(state.replace(' ', '-'))
        table = at.table
        const ingest = { from: run.from, lake: at.lake, config: run.config, state: `${at.lake}.state` }
        const random = new SeededRandom(PLAN.seed + LAKES.indexOf(state))
        for (const failpoint of drawFailpoints(random)) {
          const { signal, stderr } = await runIngest({ ...ingest, failpoint })
          expect(signal, `${failpoint} was not reached: ${stderr}`).toBe('SIGKILL')
          count(kills, failpoint.replace(/:\d+$/, ''))
          if (state !== 'kept') rmSync(ingest.state, { recursive: true, force: true })
        }
        const last = await runIngest(ingest)
        expect(last, last.stderr).toMatchObject({ exitCode: 0, summary: expect.anything() })
        summary = last.summary!
      },
      5 * MINUTES,
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
        const { rows } = await reader.read({ table })
        expect(compareRows(run.topic.rows, rows, ['id'], Object.keys(run.topic.rows[0]!))).toEqual([])
      },
    )

    // The whole feed of so many commits is a minute's work for its reader: once is enough.
    if (state === 'kept') {
      test('leaves a change feed that gives the same rows', async () => {
        const [stored, feed] = [await deltaRs.read({ table }), await deltaRs.read({ table, changesFrom: 0 })]
        const fullVersions = versionsWithChangeFiles(table)
        const replayed = replayChanges(feed.rows, { columns: feed.columns, key: ['id'], fullVersions })
        expect(replayed.violations).toEqual([])
        expect(compareRows(stored.rows, replayed.rows, ['id'], stored.columns)).toEqual([])
      })
    }
  })

  test('was killed at least five times at each step', () => {
    console.log('kills:', Object.fromEntries(kills))
    for (const { name } of KILL_STEPS) expect(kills.get(name), name).toBeGreaterThanOrEqual(5)
  })
})

/** `step:n` for every kill on the way to one lake. */
function drawFailpoints(random: SeededRandom): string[] {
  const round = () => KILL_STEPS.map(({ name, passesMax }) => `${name}:${1 + random.below(passesMax)}`)
  return Array.from({ length: ROUNDS_PER_LAKE }, round).flat()
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
