import { DeltaTable, openLake, rowJson } from '../../../src/index.ts'
import type { CanonicalRow } from '../../support/canonical-row.ts'
import { deltaRs, type ReadAnswer, spark } from '../reader-process.ts'

type Rows = Pick<ReadAnswer, 'columns' | 'rows'>

/** The whole feed of a table and its rows, by our own reader and in its form of cells. */
export async function readFeed(
  lake: string,
  path: string,
): Promise<{ readonly feed: Rows; readonly stored: Rows }> {
  const table = await DeltaTable.open(await openLake(lake), path)
  if (table === null) throw new Error(`there is no table ${path}`)
  const { fields } = table.snapshot.schema
  const names = fields.map(({ name }) => name)
  const feed: CanonicalRow[] = []
  for await (const { type, version, cells } of table.changes({ from: 0 })) {
    feed.push({ ...asRow(rowJson(fields, cells)), _change_type: type, _commit_version: String(version) })
  }
  const stored: CanonicalRow[] = []
  for await (const cells of table.rows()) stored.push(asRow(rowJson(fields, cells)))
  return {
    feed: { columns: [...names, '_change_type', '_commit_version'], rows: feed },
    stored: { columns: names, rows: stored },
  }
}

/** Where another engine tells the feed of a table otherwise than we do, a line for each change that one of them lacks. */
export async function otherFeeds(directory: string, ours: Rows): Promise<string[]> {
  return difference(ours.rows, (await deltaRs.read({ table: directory, changesFrom: 0 })).rows, deltaRs.name)
}

/** As `otherFeeds`, by Spark, which asks for a second a commit. */
export async function sparkFeed(directory: string, ours: Rows): Promise<string[]> {
  return difference(ours.rows, (await spark.read({ table: directory, changesFrom: 0 })).rows, spark.name)
}

function difference(ours: readonly CanonicalRow[], theirs: readonly CanonicalRow[], name: string): string[] {
  const counts = new Map<string, number>()
  const count = (change: CanonicalRow, by: number) => {
    const text = `version ${change['_commit_version']}: ${change['_change_type']} of rev ${change['rev']}`
    counts.set(text, (counts.get(text) ?? 0) + by)
  }
  for (const change of ours) count(change, 1)
  for (const change of theirs) count(change, -1)
  return [...counts].flatMap(([text, more]) =>
    more === 0 ? [] : [`${text} is told ${Math.abs(more)} times more by ${more > 0 ? 'us' : name}`],
  )
}

/** JSON of ours in the place of a canonical row: equal rows are equal JSON. */
function asRow(json: object): CanonicalRow {
  return json as CanonicalRow
}
