import { ENTRY_WORDS } from '../../writers/locator/entry.ts'
import type { Part } from '../../writers/locator/entry-table.ts'

/** Where the entries of a part begin, in order. */
export function entriesOf(part: Part): number[] {
  const entries: number[] = []
  for (let at = part.entryFrom(0); at >= 0; at = part.entryFrom(at + ENTRY_WORDS)) entries.push(at)
  return entries
}
