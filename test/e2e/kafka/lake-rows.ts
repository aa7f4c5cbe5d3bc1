import { DeltaTable, listTables, openLake, rowJson } from '../../../src/index.ts'

/** All rows of a table as JSON texts, in order of text; none when there is no table. */
export async function tableRows(lake: string, path: string): Promise<readonly string[]> {
  const table = await DeltaTable.open(await openLake(lake), path)
  if (table === null) return []
  const rows: string[] = []
  for await (const cells of table.rows())
    rows.push(JSON.stringify(rowJson(table.snapshot.schema.fields, cells)))
  return rows.sort()
}

/** The rows of every table of a lake, by its path; our own bookkeeping is left out. */
export async function lakeRows(lake: string): Promise<Record<string, readonly string[]>> {
  const rows: Record<string, readonly string[]> = {}
  for await (const path of listTables(await openLake(lake), { hidden: false })) {
    rows[path] = await tableRows(lake, path)
  }
  return rows
}
