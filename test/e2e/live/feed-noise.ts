import { type CanonicalRow, isBookkeeping, rowText } from '../../support/canonical-row.ts'

export interface FeedNoise {
  /** Row versions that came by the feed, and that went. */
  readonly came: number
  readonly went: number
  /** What a source that never writes the same row version twice cannot have done, one sentence each. */
  readonly violations: readonly string[]
}

const COMES = new Set(['insert', 'update_postimage'])

/**
 * Looks for changes in a feed that are none of the source's: row versions that it never wrote, that come or go more often than it wrote
 * them, and changes from a row to the very same row.
 *
 * @param revisions how many row versions of the source carry a `rev`
 */
export function feedNoise(
  feed: readonly CanonicalRow[],
  columns: readonly string[],
  revisions: ReadonlyMap<string, number>,
): FeedNoise {
  const sourceColumns = columns.filter(
    (column) => !isBookkeeping(column) && !/^_(change|commit)_/.test(column),
  )
  const unfinished = unfinishedRows(feed, sourceColumns)
  const came = new Map<string, number>()
  const went = new Map<string, number>()
  const inOneCommit = new Map<string, Set<string>>()
  const violations: string[] = []
  for (const image of feed) {
    if (unfinished.has(rowText(image, sourceColumns))) continue
    const comes = COMES.has(String(image['_change_type']))
    const rev = String(image['rev'])
    const times = comes ? came : went
    times.set(rev, (times.get(rev) ?? 0) + 1)
    if (times.get(rev)! > (revisions.get(rev) ?? 0))
      violations.push(`${describe(image)} ${comes ? 'comes' : 'goes'} for the time ${times.get(rev)}`)
    const row = `${image['_commit_version']} ${rowText(image, sourceColumns)}`
    const kinds = inOneCommit.get(row) ?? new Set<string>()
    inOneCommit.set(row, kinds.add(comes ? 'comes' : 'goes'))
    if (kinds.size > 1) violations.push(`${describe(image)} comes and goes unchanged`)
  }
  return { came: total(came), went: total(went), violations }
}

/**
 * Rows that came before a value of theirs could be told, and came again with it: a key that changes with an unsent
 * value, read under its new name first (docs/guide/order.md).
 */
function unfinishedRows(feed: readonly CanonicalRow[], columns: readonly string[]): ReadonlySet<string> {
  const byRevision = new Map<string, Map<string, CanonicalRow>>()
  for (const image of feed) {
    const rev = String(image['rev'])
    const rows = byRevision.get(rev) ?? new Map<string, CanonicalRow>()
    byRevision.set(rev, rows.set(rowText(image, columns), image))
  }
  const unfinished = new Set<string>()
  for (const rows of byRevision.values()) {
    for (const [text, row] of rows) {
      const isFilledIn = (other: CanonicalRow): boolean =>
        other !== row && columns.every((name) => row[name] === null || row[name] === other[name])
      if ([...rows.values()].some(isFilledIn)) unfinished.add(text)
    }
  }
  return unfinished
}

function describe(image: CanonicalRow): string {
  return `version ${image['_commit_version']}: ${image['_change_type']} of rev ${image['rev']}`
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0)
}
