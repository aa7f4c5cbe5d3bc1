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
  const came = new Map<string, number>()
  const went = new Map<string, number>()
  const inOneCommit = new Map<string, Set<string>>()
  const violations: string[] = []
  for (const image of feed) {
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

function describe(image: CanonicalRow): string {
  return `version ${image['_commit_version']}: ${image['_change_type']} of rev ${image['rev']}`
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0)
}
