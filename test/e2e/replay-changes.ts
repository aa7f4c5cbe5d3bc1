import { type CanonicalRow, isBookkeeping, rowText } from '../support/canonical-row.ts'

const CHANGE_COLUMNS = ['_change_type', '_commit_version']

type ChangeType = 'insert' | 'delete' | 'update_preimage' | 'update_postimage'

interface Change {
  readonly type: ChangeType
  readonly row: CanonicalRow
}

export interface ReplayOptions {
  /** What the table held before the first change of the feed; default: nothing. */
  readonly onto?: readonly CanonicalRow[]
  /** Columns of the feed, the two that readers add included. */
  readonly columns: readonly string[]
  /** Empty: the table is a bag of rows. */
  readonly key: readonly string[]
  /** Versions whose changes were written as change files: there, a key has one net change. */
  readonly fullVersions: ReadonlySet<number>
}

export interface Replayed {
  /** What the table holds after the last change, in no order. */
  readonly rows: readonly CanonicalRow[]
  /** Everything in the feed that cannot be, one sentence each. */
  readonly violations: readonly string[]
}

/** Replays a change feed and says what it found wrong on the way. */
export function replayChanges(feed: readonly CanonicalRow[], options: ReplayOptions): Replayed {
  const columns = options.columns.filter((column) => !CHANGE_COLUMNS.includes(column))
  const table = options.key.length > 0 ? new KeyedReplay(options.key, columns) : new BagReplay(columns)
  const inserts = (options.onto ?? []).map((row) => ({ type: 'insert' as const, row }))
  const violations = table.apply(inserts, false)
  for (const [version, changes] of byVersion(feed)) {
    const found = table.apply(changes, options.fullVersions.has(version))
    violations.push(...found.map((violation) => `version ${version}: ${violation}`))
  }
  return { rows: table.rows(), violations }
}

function byVersion(feed: readonly CanonicalRow[]): [number, Change[]][] {
  const versions = groupBy(feed, (image) => Number(image['_commit_version']))
  return [...versions].sort(([a], [b]) => a - b).map(([version, images]) => [version, images.map(toChange)])
}

function toChange({ _change_type: type, _commit_version: _, ...row }: CanonicalRow): Change {
  return { type: type as ChangeType, row }
}

function groupBy<K, V>(values: readonly V[], keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group === undefined) groups.set(keyOf(value), [value])
    else group.push(value)
  }
  return groups
}

const NET_CHANGES = new Set(['insert', 'delete', 'update_postimage+update_preimage'])
/** What a reader derives from a deletion vector and an added file. */
const DERIVED_CHANGES = new Set(['insert', 'delete', 'delete+insert'])

class KeyedReplay {
  readonly #key: readonly string[]
  readonly #columns: readonly string[]
  readonly #sourceColumns: readonly string[]
  readonly #rows = new Map<string, CanonicalRow>()

  constructor(key: readonly string[], columns: readonly string[]) {
    this.#key = key
    this.#columns = columns
    this.#sourceColumns = columns.filter((column) => !isBookkeeping(column))
  }

  rows(): readonly CanonicalRow[] {
    return [...this.#rows.values()]
  }

  apply(changes: readonly Change[], full: boolean): string[] {
    const byKey = groupBy(changes, (change) => rowText(change.row, this.#key))
    return [...byKey].flatMap(([key, ofKey]) => this.#applyKey(key, ofKey, full))
  }

  #applyKey(key: string, changes: readonly Change[], full: boolean): string[] {
    const violations: string[] = []
    const kinds = changes.map((change) => change.type).sort()
    if (!(full ? NET_CHANGES : DERIVED_CHANGES).has(kinds.join('+'))) {
      violations.push(`key ${key} has the changes ${kinds.join(', ')}`)
    }
    for (const { row } of changes.filter((change) => isOldImage(change.type))) {
      violations.push(...this.#judgeOldImage(key, row, full))
      this.#rows.delete(key)
    }
    for (const { row } of changes.filter((change) => !isOldImage(change.type))) {
      if (this.#rows.has(key)) violations.push(`key ${key} is inserted while it is there`)
      this.#rows.set(key, row)
    }
    return violations
  }

  /** An old image is the stored row; one taken from an event has not the stored row's bookkeeping. */
  #judgeOldImage(key: string, image: CanonicalRow, full: boolean): string[] {
    const stored = this.#rows.get(key)
    if (stored === undefined) return [`key ${key} is removed while it is not there`]
    const columns = full ? this.#sourceColumns : this.#columns
    if (rowText(stored, columns) === rowText(image, columns)) return []
    return [`key ${key} held ${rowText(stored, columns)}, its old image says ${rowText(image, columns)}`]
  }
}

/** Rows without a key, compared without the engine's own columns: which of two equal rows went is nobody's concern. */
class BagReplay {
  readonly #columns: readonly string[]
  readonly #rows = new Map<string, CanonicalRow[]>()

  constructor(columns: readonly string[]) {
    this.#columns = columns.filter((column) => !isBookkeeping(column))
  }

  rows(): readonly CanonicalRow[] {
    return [...this.#rows.values()].flat()
  }

  apply(changes: readonly Change[]): string[] {
    const violations: string[] = []
    for (const { row } of changes.filter((change) => isOldImage(change.type))) {
      const text = rowText(row, this.#columns)
      if (this.#rows.get(text)?.pop() === undefined)
        violations.push(`row ${text} is removed while it is not there`)
    }
    for (const { row } of changes.filter((change) => !isOldImage(change.type))) {
      const text = rowText(row, this.#columns)
      this.#rows.set(text, [...(this.#rows.get(text) ?? []), row])
    }
    return violations
  }
}

function isOldImage(type: ChangeType): boolean {
  return type === 'delete' || type === 'update_preimage'
}
