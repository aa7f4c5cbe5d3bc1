import { EngineError } from '../core/errors.ts'
import type { Column } from '../schemas/change-event.ts'
import { type Cell, struct } from '../schemas/delta-types.ts'
import { comparePositions, formatPosition, type Position } from '../schemas/position.ts'
import type { FileOrdinals } from './locator/file-ordinals.ts'
import type { Place } from './locator/hash-table.ts'
import { HASH_WORDS } from './locator/key-encoding.ts'
import { storedPosition } from './system-cells.ts'
import type { RowFile } from './table/table-reader.ts'
import type { PlanContext } from './table-mode.ts'

/** Rows remembered; a key change that waits for its second half is rare and short. */
const ROWS_MAX = 10_000

/** Where it stood. The file by its path: its number is another one when the locator is made anew. */
export interface DepartedRow {
  readonly path: string
  readonly row: number
}

/**
 * Where rows stood that left by a key change. The create under the new key does not repeat values that are stored out
 * of line and did not change; when it comes in a later batch than the delete, they are read from the deleted row, which
 * a deletion vector hides and does not destroy.
 */
export class DepartedRows {
  /** Old key and position of the key change → the row, oldest first. */
  readonly #rows = new Map<string, DepartedRow>()
  #hasForgotten = false

  /** @param words hash of the old key at `words[at .. at + 4)` */
  remember(words: Uint32Array, at: number, position: Position, row: DepartedRow): void {
    this.#rows.set(moveText(words, at, position), row)
    if (this.#rows.size <= ROWS_MAX) return
    this.#rows.delete(this.#rows.keys().next().value!)
    this.#hasForgotten = true
  }

  /** @param position of the key change: both halves have the same */
  find(words: Uint32Array, at: number, position: Position): DepartedRow | null {
    return this.#rows.get(moveText(words, at, position)) ?? null
  }

  /**
   * Whether the row may have left before this process can remember: a create stands at the position of its delete, so
   * one beyond all that was applied when the table was opened has its delete still to come, or remembered.
   */
  mayBeOlder(position: Position, openedAt: Position | null): boolean {
    return this.#hasForgotten || (openedAt !== null && comparePositions(position, openedAt) <= 0)
  }
}

function moveText(words: Uint32Array, at: number, position: Position): string {
  return `${words.subarray(at, at + HASH_WORDS).join(',')}@${formatPosition(position)}`
}

export function isSameHash(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): boolean {
  for (let i = 0; i < HASH_WORDS; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}

/** A row that is deleted, and whose file still holds it. */
export interface DeletedRow {
  readonly key: readonly Cell[]
  readonly position: Position | null
  readonly place: Place
}

/**
 * Searches the deleted rows of a table: the cost of a crash between the two halves of a key change.
 *
 * @param take called with every deleted row whose file is still there, by position: the newest row of a key comes last
 */
export async function searchDeletedRows(
  context: PlanContext,
  files: FileOrdinals,
  columns: readonly Column[],
  take: (row: DeletedRow) => void,
): Promise<void> {
  const { layout, reader, snapshot } = context
  if (snapshot === null) return
  const schema = struct([...columns.map((c) => layout.fieldOf(c.name)!), ...layout.system.slice(0, 3)])
  const found: {
    readonly key: readonly Cell[]
    readonly position: Position | null
    readonly place: Place
  }[] = []
  for (const file of filesWithDeletedRows(context)) {
    const isLive = snapshot.files.has(file.path)
    try {
      const deleted = isLive ? await reader.deletedRows(file) : null
      const ordinal = files.ordinalOf(file.path)
      for await (const block of reader.scan({ ...file, deletionVector: undefined }, schema)) {
        for (let i = 0; i < block.rowCount; i++) {
          const row = block.startRow + i
          if (isLive && !deleted?.has(row)) continue
          const cells = block.columns.map((column) => column[i]!)
          const [epoch, seq, lsn] = cells.slice(columns.length)
          const key = cells.slice(0, columns.length)
          found.push({ key, position: storedPosition(epoch!, seq!, lsn!), place: { file: ordinal, row } })
        }
      }
    } catch (error) {
      // A removed file may have been vacuumed: what it held is known to nobody any more.
      if (isLive || !(error instanceof EngineError) || error.code !== 'E_FILE_MISSING') throw error
    }
  }
  found.sort((a, b) => comparePlaced(a.position, b.position))
  for (const row of found) take(row)
}

function* filesWithDeletedRows({ snapshot }: PlanContext): Generator<RowFile> {
  const seen = new Set<string>()
  for (const file of snapshot!.files.values()) {
    if (file.deletionVector === undefined) continue
    seen.add(file.path)
    yield file
  }
  for (const { path, partitionValues, size, deletionVector } of snapshot!.tombstones.values()) {
    if (seen.has(path) || snapshot!.files.has(path) || size === undefined) continue
    seen.add(path)
    yield { path, partitionValues: partitionValues ?? {}, size, deletionVector }
  }
}

/** Snapshot rows have no position and are older than any that has. */
function comparePlaced(a: Position | null, b: Position | null): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1)
  return comparePositions(a, b)
}
