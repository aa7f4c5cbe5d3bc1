/** A cell in the form of `test/e2e/readers/canonical_rows.py`: equal values are equal JSON, whichever engine read them. */
export type CanonicalCell =
  | null
  | boolean
  | number
  | string
  | readonly CanonicalCell[]
  | { readonly [name: string]: CanonicalCell }

export type CanonicalRow = Readonly<Record<string, CanonicalCell>>

/** The cells of these columns as one text; a column that the row does not have counts as `null`. */
export function rowText(row: CanonicalRow, columns: readonly string[]): string {
  return JSON.stringify(columns.map((column) => row[column] ?? null))
}

/** Columns that are the engine's own and not the source's. */
export function isBookkeeping(column: string): boolean {
  return column.startsWith('_cdc_')
}
