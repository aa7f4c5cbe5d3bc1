import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changeEvent } from '../support/change-event.ts'
import { TABLE_PATH, TestTable } from '../support/test-table.ts'
import { actionsAt, logVersions } from './delta-log.ts'
import { deltaRs, duckdb, polars, spark } from './reader-process.ts'

let position = 0

const create = (id: number) => changeEvent({ after: { id: BigInt(id), v: 'a' }, position: ++position })
const update = (id: number, v: string) =>
  changeEvent({ before: { id: BigInt(id) }, after: { id: BigInt(id), v }, position: ++position })
const remove = (id: number) => changeEvent({ before: { id: BigInt(id) }, position: ++position })

const directory = mkdtempSync(join(tmpdir(), 'alluvium-dead-files-'))
const path = join(directory, TABLE_PATH)
let expected: readonly string[]

/** Files lose their rows a few at a time, by deletes and by updates, and are dropped by a merge at the end. */
beforeAll(async () => {
  const table = await TestTable.open()
  for (let id = 0; id < 24; id += 3) await table.apply(create(id), create(id + 1), create(id + 2))
  for (let id = 0; id < 24; id += 3) await table.apply(remove(id))
  for (let id = 0; id < 24; id += 3) await table.apply(remove(id + 1), update(id + 2, 'b'))
  await table.apply(remove(2), create(0))
  expect(await table.writer.mergeWhenDue(new AbortController().signal)).not.toBeNull()
  await table.apply(create(1), update(0, 'c'))
  for (const [name, { bytes }] of table.store.objects) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), bytes)
  }
  expected = (await table.rows()).map(({ id, v }) => `${id} ${v}`).sort()
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('a table whose files lose their last rows while its feed is derived', () => {
  test('keeps such files with full vectors until they are dropped', () => {
    const actions = logVersions(path).flatMap((version) => actionsAt(path, version))
    const full = actions.filter(({ add }) => {
      const vector = add?.['deletionVector'] as { cardinality: number } | undefined
      return vector !== undefined && vector.cardinality === JSON.parse(String(add!['stats'])).numRecords
    })
    expect(full.length).toBeGreaterThanOrEqual(8)
    expect(actions.filter(({ cdc }) => cdc !== undefined)).toEqual([])
  })

  test.each([spark, deltaRs, polars, duckdb])('reads by $name as it is', async (reader) => {
    // Before the merge, and at the end.
    const { rows: full } = await reader.read({ table: path, version: 23 })
    expect(full).toHaveLength(8)
    const { rows } = await reader.read({ table: path })
    expect(rows.map((row) => `${row['id']} ${row['v']}`).sort()).toEqual(expected)
  })

  test('has one feed, by Spark and by delta-rs', async () => {
    const [bySpark, byDeltaRs] = await Promise.all(
      [spark, deltaRs].map(async (reader) => {
        const { rows } = await reader.read({ table: path, changesFrom: 0 })
        return rows
          .map((row) => `${row['_commit_version']} ${row['_change_type']} ${row['id']} ${row['v']}`)
          .sort()
      }),
    )
    expect(byDeltaRs).toEqual(bySpark)
    expect(bySpark!.filter((change) => change.includes(' delete '))).toHaveLength(8 + 16 + 1 + 1)
  })
})
