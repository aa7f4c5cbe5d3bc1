import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CanonicalRow, rowText } from '../support/canonical-row.ts'
import { compareRows } from './compare-rows.ts'
import {
  checkpointVersions,
  commitsWithDeletionVectors,
  logVersions,
  versionsWithChangeFiles,
} from './delta-log.ts'
import { type GeneratedRun, prepareGeneratedRun } from './generated-run.ts'
import { deltaRs, duckdb, polars, type ReadAnswer, spark } from './reader-process.ts'
import { replayChanges } from './replay-changes.ts'
import { runIngest } from './run-ingest.ts'

/** Enough commits for more than one checkpoint (one is due after 100 commits at the latest). */
const PLAN = { seed: 20_261, records: 40_000, partitions: 3, resends: 3 } as const
const BATCH_ROWS = 150

describe.each(['default', 'full'] as const)(
  'a long run of a table with replica identity %s',
  (replicaIdentity) => {
    let run: GeneratedRun
    let lake: string
    let table: string

    beforeAll(async () => {
      run = prepareGeneratedRun({ ...PLAN, replicaIdentity }, BATCH_ROWS)
      ;({ lake, table } = run.lake('lake'))
      const { exitCode, stderr } = await runIngest({ from: run.from, lake, config: run.config })
      expect(exitCode, stderr).toBe(0)
    })
    afterAll(() => run[Symbol.dispose]())

    test('has checkpoints, deletion vectors, and change files where the source sends old rows', () => {
      expect(logVersions(table).length).toBeGreaterThan(150)
      expect(checkpointVersions(table).length).toBeGreaterThanOrEqual(1)
      expect(commitsWithDeletionVectors(table)).toBeGreaterThan(50)
      expect(versionsWithChangeFiles(table).size > 0).toBe(replicaIdentity === 'full')
    })

    test.each([spark, deltaRs, polars, duckdb])('reads by $name as the source holds it', async (reader) => {
      const { rows, columns } = await reader.read({ table })
      expect(
        compareRows(
          run.topic.rows,
          rows,
          ['id'],
          columns.filter((c) => c in run.topic.rows[0]!),
        ),
      ).toEqual([])
    })

    test('reads the same at a version in the middle by every engine, and by the change feed up to it', async () => {
      const version = logVersions(table).at(-1)! >> 1
      const bySpark = await spark.read({ table, version })
      for (const reader of [deltaRs, polars, duckdb]) {
        expect(rowTexts(await reader.read({ table, version })), reader.name).toEqual(rowTexts(bySpark))
      }
      const feed = await deltaRs.read({ table, changesFrom: 0 })
      const upTo = feed.rows.filter((change) => Number(change['_commit_version']) <= version)
      expect(
        compareRows(bySpark.rows, replay(table, { ...feed, rows: upTo }).rows, ['id'], bySpark.columns),
      ).toEqual([])
    })

    test.each([spark, deltaRs])('the change feed by $name, replayed, gives the rows', async (reader) => {
      // Spark asks for the changes of each commit without change files by a query of its own, a second each.
      const isSlow = reader === spark && replicaIdentity === 'default'
      const start = isSlow ? logVersions(table).at(-1)! - 20 : 0
      const onto = isSlow ? await reader.read({ table, version: start - 1 }) : undefined
      const [stored, feed] = [await reader.read({ table }), await reader.read({ table, changesFrom: start })]
      const replayed = replay(table, feed, onto?.rows)
      expect(replayed.violations).toEqual([])
      expect(compareRows(stored.rows, replayed.rows, ['id'], stored.columns)).toEqual([])
    })
  },
)

function replay(table: string, feed: ReadAnswer, onto: readonly CanonicalRow[] = []) {
  return replayChanges(feed.rows, {
    onto,
    columns: feed.columns,
    key: ['id'],
    fullVersions: versionsWithChangeFiles(table),
  })
}

function rowTexts(answer: ReadAnswer): string[] {
  return answer.rows.map((row) => rowText(row, answer.columns)).sort()
}
