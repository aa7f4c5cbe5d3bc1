import type { CanonicalCell, CanonicalRow } from '../support/canonical-row.ts'
import { memberSlices } from '../support/json-slices.ts'
import type { SourceTable } from './source-schema.ts'
import { sourceType } from './source-types.ts'

/**
 * What the source table held in the end, as the readers would print it.
 *
 * @param jsonLines a `_final` file: one `row_to_json` a line
 */
export function finalRows(table: SourceTable, jsonLines: string): CanonicalRow[] {
  return jsonLines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => finalRow(table, line))
}

function finalRow(table: SourceTable, line: string): CanonicalRow {
  const row: Record<string, CanonicalCell> = {}
  for (const [column, raw] of memberSlices(line)) {
    const type = table.columns[column]
    if (type === undefined) throw new Error(`the source schema does not know the column ${column}`)
    row[column] = raw === 'null' ? null : sourceType(type).cell(raw)
  }
  return row
}
