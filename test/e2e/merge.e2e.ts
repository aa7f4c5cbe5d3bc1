import { afterAll, beforeAll, expect, test } from 'vitest'
import { compareRows } from './compare-rows.ts'
import { actionsAt, logVersions } from './delta-log.ts'
import { type GeneratedRun, prepareGeneratedRun } from './generated-run.ts'
import { deltaRs, duckdb, polars, spark } from './reader-process.ts'
import { runIngest } from './run-ingest.ts'

/** Some 300 small commits, as a table takes them in five minutes at one a second. */
const PLAN = { seed: 77, records: 30_000, partitions: 2, resends: 2, replicaIdentity: 'full' } as const
const BATCH_ROWS = 100

let run: GeneratedRun
let table: string
let merges: readonly number[]

beforeAll(async () => {
  run = prepareGeneratedRun(PLAN, BATCH_ROWS)
  const made = run.lake('lake')
  table = made.table
  const { exitCode, stderr } = await runIngest({ from: run.from, lake: made.lake, config: run.config })
  expect(exitCode, stderr).toBe(0)
  merges = logVersions(table).filter((version) =>
    actionsAt(table, version).some((action) => action['commitInfo']?.['operation'] === 'OPTIMIZE'),
  )
})
afterAll(() => run[Symbol.dispose]())

test('files were merged while the commits came, and few are left', () => {
  expect(logVersions(table).length - merges.length).toBeGreaterThan(200)
  expect(merges.length).toBeGreaterThan(5)
  expect(liveFiles().size).toBeLessThan(60)
})

test.each([spark, deltaRs, polars, duckdb])(
  'the merged table reads by $name as the source holds it',
  async (reader) => {
    const { rows, columns } = await reader.read({ table })
    const told = columns.filter((column) => column in run.topic.rows[0]!)
    expect(compareRows(run.topic.rows, rows, ['id'], told)).toEqual([])
  },
)

test.each([spark, deltaRs])('the change feed by $name tells nothing of the merges', async (reader) => {
  const { rows } = await reader.read({ table, changesFrom: merges[0]! })
  const versions = new Set(rows.map((change) => Number(change['_commit_version'])))
  expect(versions.size).toBeGreaterThan(10)
  expect(merges.filter((version) => versions.has(version))).toEqual([])
})

function liveFiles(): Set<unknown> {
  const live = new Set<unknown>()
  for (const version of logVersions(table)) {
    for (const { remove, add } of actionsAt(table, version)) {
      if (remove !== undefined) live.delete(remove['path'])
      if (add !== undefined) live.add(add['path'])
    }
  }
  return live
}
