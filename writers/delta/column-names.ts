import type { DeltaType, StructType } from '../../schemas/delta-types.ts'

/** Characters that Parquet schemas and SQL clients stumble over; legal only under column mapping. */
const FORBIDDEN = /[ ,;{}()\n\t=]/

/** Columns that readers of the change feed add themselves. */
export const CHANGE_FEED_COLUMNS: readonly string[] = ['_change_type', '_commit_version', '_commit_timestamp']

/** True when Delta can hold the name without column mapping. */
export function isLegalColumnName(name: string): boolean {
  return name !== '' && !FORBIDDEN.test(name)
}

/**
 * What is wrong with the names of a schema, a sentence each; empty when nothing is.
 *
 * @see delta-protocol §8 (unique ignoring case, no ` ,;{}()\n\t=`), §6 (names the feed reserves)
 */
export function columnNameProblems(schema: StructType, options: { readonly changeFeed: boolean }): string[] {
  const problems: string[] = []
  collect(schema, '', problems)
  if (options.changeFeed) {
    for (const { name } of schema.fields) {
      if (CHANGE_FEED_COLUMNS.includes(name.toLowerCase()))
        problems.push(`${name} is reserved by the change feed`)
    }
  }
  return problems
}

function collect(type: DeltaType, parent: string, problems: string[]): void {
  if (typeof type === 'string' || type.kind === 'decimal') return
  if (type.kind === 'array') {
    collect(type.element, `${parent}element.`, problems)
    return
  }
  if (type.kind === 'map') {
    collect(type.key, `${parent}key.`, problems)
    collect(type.value, `${parent}value.`, problems)
    return
  }
  const seen = new Map<string, string>()
  for (const { name, type: fieldType } of type.fields) {
    const before = seen.get(name.toLowerCase())
    if (before !== undefined) problems.push(`${parent}${name} and ${parent}${before} differ only in case`)
    seen.set(name.toLowerCase(), name)
    if (!isLegalColumnName(name))
      problems.push(`${JSON.stringify(parent + name)} holds a character that Delta forbids`)
    collect(fieldType, `${parent}${name}.`, problems)
  }
}
