import type { Visibility } from '../schemas/visibility.ts'
import type { TableChange } from '../writers/table/change-feed.ts'
import type { ComparedTable } from './compared-table.ts'
import type { RowDigests } from './row-digests.ts'

/** What one version did to one key. */
interface Transition {
  readonly version: number
  /** Hashes of rows that went and came, in order. */
  readonly gone: string[]
  readonly come: string[]
  /** Transaction of the row that came; `null`: none came, or it is not known. */
  txid: bigint | null
}

/**
 * The keys that changed between two versions of a table of the lake, and what they were at each version between. With
 * the visibility of a moment of the source it is told what each may be in the source at that moment: a change by a
 * transaction that the moment does not see is rewound.
 *
 * One commit may fold several changes of a key into one. If the moment lies between them, what the key was then is in
 * no version: such a key matches nothing here, and has to be looked at again.
 */
export class KeyHistories {
  readonly table: ComparedTable
  readonly #digests: RowDigests
  readonly #keys = new Map<string, Transition[]>()

  constructor(table: ComparedTable, digests: RowDigests) {
    this.table = table
    this.#digests = digests
  }

  get size(): number {
    return this.#keys.size
  }

  has(keyText: string): boolean {
    return this.#keys.has(keyText)
  }

  keys(): Iterable<string> {
    return this.#keys.keys()
  }

  /** Takes in one row of the change feed, which comes in order. Its cells are those that `readSchema` asks for. */
  add({ type, version, cells }: TableChange): void {
    const columns = this.table.columns.length
    const isGone = this.table.hasSoftDeletes && cells[columns + 1] === true
    const keyText = this.#digests.keyText(cells)
    const transitions = this.#keys.get(keyText) ?? []
    this.#keys.set(keyText, transitions)
    let last = transitions.at(-1)
    if (last?.version !== version) {
      last = { version, gone: [], come: [], txid: null }
      transitions.push(last)
    }
    const isNew = type === 'insert' || type === 'update_postimage'
    if (isNew) last.txid = cells[columns] as bigint | null
    if (!isGone) (isNew ? last.come : last.gone).push(this.#digests.rowHash(cells))
  }

  /**
   * Whether the rows that the source has of a key at its moment can be what the lake holds of that moment.
   *
   * @param source hashes of all rows of the key; none: it is not there
   * @param lakeCount how many the last version has
   */
  agrees(keyText: string, source: readonly string[], lakeCount: number, visibility: Visibility): boolean {
    const transitions = this.#keys.get(keyText)!
    if (this.table.key === null) return countsAt(transitions, lakeCount).includes(source.length)
    return source.length < 2 && rowsAt(transitions, visibility).includes(source[0] ?? null)
  }

  /** As `agrees`, but only that the row is there, or is not. */
  agreesInPresence(
    keyText: string,
    source: readonly string[],
    lakeCount: number,
    visibility: Visibility,
  ): boolean {
    const transitions = this.#keys.get(keyText)!
    if (this.table.key === null) return countsAt(transitions, lakeCount).includes(source.length)
    const isThere = source.length > 0
    return rowsAt(transitions, visibility).some((row) => (row !== null) === isThere)
  }

  /** Rows of a key at the last version. Of a table with a key. */
  lastCount(keyText: string): number {
    return this.#keys.get(keyText)!.at(-1)!.come.length > 0 ? 1 : 0
  }
}

/** What a key may be at a moment: the row's hash, or `null` for none. */
function rowsAt(transitions: readonly Transition[], visibility: Visibility): readonly (string | null)[] {
  let possible: (string | null)[] = [transitions[0]!.gone[0] ?? null]
  for (const { come, txid } of transitions) {
    const row = come.at(-1) ?? null
    const isSeen = txid === null ? null : visibility.sees(txid)
    // Seen: it is this or something later. Not seen: it is not this. Of a delete nobody knows.
    if (isSeen === true) possible = [row]
    else if (isSeen === null) possible.push(row)
  }
  return possible
}

/** How many equal rows of a table without a key there may be, going back from the last version. */
function countsAt(transitions: readonly Transition[], lakeCount: number): readonly number[] {
  const counts = [lakeCount]
  for (const { gone, come } of transitions.toReversed())
    counts.push(counts.at(-1)! + gone.length - come.length)
  return counts
}
