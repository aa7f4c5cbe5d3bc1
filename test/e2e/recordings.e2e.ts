import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { rowText } from '../support/canonical-row.ts'
import { compareRows } from './compare-rows.ts'
import { lastTypeChange, logVersions, tablesBelow, versionsWithChangeFiles } from './delta-log.ts'
import { finalRows } from './final-rows.ts'
import { allKnownDifferences, differenceLines, knownDifferences } from './known-differences.ts'
import { deltaRs, duckdb, polars, type ReadAnswer, spark } from './reader-process.ts'
import { replayChanges } from './replay-changes.ts'
import { type IngestSummary, recordsAccountedFor, runIngest } from './run-ingest.ts'
import { INVENTORY } from './source-schema.ts'
import { sourceType } from './source-types.ts'

/**
 * Each recording as it comes (a table's events make one commit, mostly) and with an event a commit, so that every
 * change of it goes through deletion vectors and the change feed.
 */
const RUNS = [
  { name: 'envelope', how: 'in full batches', batch: {}, hasSchemas: false },
  { name: 'envelope', how: 'with an event a commit', batch: { rows: 1 }, hasSchemas: false },
  { name: 'envelope-schema', how: 'in full batches', batch: {}, hasSchemas: true },
  { name: 'envelope-schema', how: 'with an event a commit', batch: { rows: 1 }, hasSchemas: true },
] as const

test('the known differences name only recordings and tables that are compared here', () => {
  const recordings = new Set(allKnownDifferences().flatMap((entry) => entry.recordings))
  expect(RUNS.map(({ name }) => name)).toEqual(expect.arrayContaining([...recordings]))
  const tables = new Set(allKnownDifferences().map((entry) => entry.table))
  expect(Object.keys(INVENTORY).map((table) => `inventory.${table}`)).toEqual(
    expect.arrayContaining([...tables]),
  )
})

describe.each(RUNS)('the recording $name $how', ({ name, batch, hasSchemas }) => {
  const from = resolve('fixtures/debezium', name)
  const directory = mkdtempSync(join(tmpdir(), `alluvium-${name}-`))
  const lake = join(directory, 'lake')
  const config = writeConfig(directory, from, batch, hasSchemas ? {} : contractOfAllColumns())
  const ingest = () => runIngest({ from, lake, config })
  let summary: IngestSummary

  beforeAll(async () => {
    const run = await ingest()
    expect(run, run.stderr).toMatchObject({ exitCode: 0, summary: expect.anything() })
    summary = run.summary!
  })

  afterAll(() => {
    rmSync(directory, { recursive: true, force: true })
  })

  test('every record of the topics is accounted for once, and none is a dead letter', () => {
    expect(summary.records).toBe(countRecords(from))
    expect(recordsAccountedFor(summary)).toBe(summary.records)
    expect(summary.deadLetters).toBe(0)
  })

  describe.each(Object.keys(INVENTORY))('inventory.%s', (table) => {
    const source = INVENTORY[table]!
    const path = join(lake, 'inventory', table)
    const known = knownDifferences(name, `inventory.${table}`)
    const expected = finalRows(source, readFileSync(join(from, '_final', `inventory.${table}.jsonl`), 'utf8'))

    if (known.some((entry) => entry.noTable)) {
      test('there is no table, because its topic holds no record', () => {
        expect(expected).toEqual([])
        expect(existsSync(path)).toBe(false)
      })
      return
    }

    let bySpark: ReadAnswer
    beforeAll(async () => {
      bySpark = await spark.read({ table: path })
    })

    test('Spark, delta-rs, polars and DuckDB read the same rows', async () => {
      expect(bySpark.rows).toHaveLength(tableSummary(summary, table).rows)
      for (const reader of [deltaRs, polars, duckdb]) {
        const answer = await reader.read({ table: path })
        expect(answer.columns, reader.name).toEqual(bySpark.columns)
        expect(rowTexts(answer), reader.name).toEqual(rowTexts(bySpark))
      }
    })

    test('the columns have the types that the source types ask for', async () => {
      const types = Object.fromEntries(bySpark.schema.fields.map((field) => [field.name, field.type]))
      for (const [column, type] of Object.entries(source.columns)) {
        expect(types[column], column).toEqual(sourceType(type).delta)
      }
      const byDeltaRs = await deltaRs.read({ table: path, count: true })
      expect(Object.fromEntries(byDeltaRs.schema.fields.map((field) => [field.name, field.type]))).toEqual(
        types,
      )
    })

    test('the rows are those of the source, but for what the stream cannot tell', () => {
      const found = compareRows(expected, bySpark.rows, source.key, Object.keys(source.columns))
      expect(differenceLines(found)).toEqual(
        differenceLines(known.flatMap((entry) => entry.differences ?? [])),
      )
    })

    test.each([spark, deltaRs])('the change feed by $name, replayed, gives the same rows', async (reader) => {
      const start = reader === spark ? await firstVersionSparkCanReplay(path) : 0
      const feed = await reader.read({ table: path, changesFrom: start })
      const replayed = replayChanges(feed.rows, {
        onto: start === 0 ? [] : (await reader.read({ table: path, version: start })).rows,
        columns: feed.columns,
        key: source.key,
        fullVersions: versionsWithChangeFiles(path),
      })
      const columns = source.key.length > 0 ? bySpark.columns : Object.keys(source.columns)
      expect(replayed.violations).toEqual([])
      expect(compareRows(bySpark.rows, replayed.rows, source.key, columns)).toEqual([])
    })
  })

  test('a second run adds no version to any table', async () => {
    const before = versionsOf(lake)
    const again = await ingest()
    expect(again.exitCode, again.stderr).toBe(0)
    expect(versionsOf(lake)).toEqual(before)
  })
})

/** Spark reads every change in the newest schema, and refuses those from before a column got another type. */
async function firstVersionSparkCanReplay(table: string): Promise<number> {
  const change = lastTypeChange(table)
  if (change === null) return 0
  await expect(spark.read({ table, changesFrom: 0 })).rejects.toThrow('INCOMPATIBLE_SCHEMA_CHANGE')
  return change
}

/** Without schemas on the wire, the types of the columns come from a contract. */
function contractOfAllColumns(): object {
  return (
    parse(readFileSync('fixtures/debezium/envelope.columns.yaml', 'utf8')) as { readonly tables: object }
  ).tables
}

function writeConfig(directory: string, files: string, batch: object, tables: object): string {
  const file = join(directory, 'alluvium.yaml')
  const pipelines = { recorded: { source: { files }, batch, tables } }
  writeFileSync(file, JSON.stringify({ lake: join(directory, 'lake'), pipelines }))
  return file
}

function countRecords(recording: string): number {
  const topics = readdirSync(recording).filter((file) => file.endsWith('.jsonl'))
  return topics.reduce(
    (sum, file) => sum + readFileSync(join(recording, file), 'utf8').trim().split('\n').length,
    0,
  )
}

function tableSummary(summary: IngestSummary, table: string): IngestSummary['tables'][number] {
  const found = summary.tables.find((candidate) => candidate.name === `inventory.${table}`)
  if (found === undefined) throw new Error(`the summary does not name inventory.${table}`)
  return found
}

function rowTexts(answer: ReadAnswer): string[] {
  return answer.rows.map((row) => rowText(row, answer.columns)).sort()
}

function versionsOf(lake: string): Record<string, number | undefined> {
  return Object.fromEntries(
    tablesBelow(lake).map((table) => [table.slice(lake.length), logVersions(table).at(-1)]),
  )
}
