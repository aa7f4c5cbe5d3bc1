import { assert } from '../core/assert.ts'
import { EngineError } from '../core/errors.ts'
import type { Cell } from '../schemas/delta-types.ts'
import { ChangeRows } from './change-rows.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import type { StoredRow } from './fold.ts'
import type { FileOrdinals } from './locator/file-ordinals.ts'
import type { Place } from './locator/hash-table.ts'
import type { TableLayout } from './table/table-layout.ts'
import type { RowFile } from './table/table-reader.ts'
import type { PlanContext, RowsByFile } from './table-mode.ts'

/** Rows read by position: the named exceptions to flat cost (design P2), gathered so that each file is asked once. */
export class StoredRows {
  readonly #context: PlanContext
  readonly #files: FileOrdinals
  readonly #cells = new Map<number, Map<number, readonly Cell[]>>()

  constructor(context: PlanContext, files: FileOrdinals) {
    this.#context = context
    this.#files = files
  }

  /** Reads the rows at these places that are not held yet. */
  async fetch(places: Iterable<Place>): Promise<void> {
    const wanted = new Map<number, Set<number>>()
    for (const { file, row } of places) {
      if (this.has({ file, row })) continue
      const rows = wanted.get(file)
      if (rows === undefined) wanted.set(file, new Set([row]))
      else rows.add(row)
    }
    for (const [file, rows] of wanted)
      await this.#fetchFrom(
        file,
        [...rows].sort((a, b) => a - b),
      )
  }

  /** @returns whether the row could be had: of a removed file the log, and after it the store, forget in the end */
  async fetchIfThere(place: Place): Promise<boolean> {
    const { snapshot } = this.#context
    const path = this.#files.findPath(place.file)
    if (path === null || fileAt(snapshot, path) === null) return false
    try {
      await this.fetch([place])
      return true
    } catch (error) {
      const isGone = error instanceof EngineError && error.code === 'E_FILE_MISSING'
      if (!isGone || snapshot!.files.has(path)) throw error
      return false
    }
  }

  async #fetchFrom(file: number, rows: readonly number[]): Promise<void> {
    const { snapshot, reader, layout } = this.#context
    const path = this.#files.pathOf(file)
    const stored = fileAt(snapshot, path)
    assert(stored !== null, `the locator names the file ${path}, which the table does not have`)
    const found = await reader.rows(stored, layout.schema, rows)
    const held = this.#cells.get(file) ?? new Map<number, readonly Cell[]>()
    for (let i = 0; i < rows.length; i++) held.set(rows[i]!, found[i]!)
    this.#cells.set(file, held)
  }

  has({ file, row }: Place): boolean {
    return this.#cells.get(file)?.has(row) ?? false
  }

  /** All cells of a fetched row, in the order of the table's schema. */
  cells(place: Place): readonly Cell[] {
    const cells = this.#cells.get(place.file)?.get(place.row)
    assert(cells !== undefined, 'a stored row is asked for that was not fetched')
    return cells
  }

  /** A fetched row as the fold and the decoder know rows. */
  row(place: Place): StoredRow {
    const { layout } = this.#context
    const cells = this.cells(place)
    return {
      image: { shape: layout.shape, cells: cells.slice(0, layout.shape.columns.length) },
      txId: systemCell(layout, cells, '_cdc_txid') as bigint | null,
      sourceTimeUs: systemCell(layout, cells, '_cdc_ts') as bigint | null,
      isDeleted: systemCell(layout, cells, '_cdc_deleted') === true,
    }
  }
}

/** A live file, or one that was removed and lies there still: a departed row may have been its last. */
function fileAt(snapshot: TableSnapshot | null, path: string): RowFile | null {
  const live = snapshot?.files.get(path)
  if (live !== undefined) return live
  for (const { path: removed, size, partitionValues } of snapshot?.tombstones.values() ?? []) {
    if (removed === path && size !== undefined) return { path, size, partitionValues: partitionValues ?? {} }
  }
  return null
}

function systemCell(layout: TableLayout, cells: readonly Cell[], name: string): Cell {
  const index = layout.system.findIndex((field) => field.name === name)
  return index < 0 ? null : cells[layout.shape.columns.length + index]!
}

/** Change rows of deletes, read by position. */
export async function deletedRows(
  deleted: RowsByFile,
  context: PlanContext,
  files: FileOrdinals,
): Promise<ChangeRows> {
  const stored = new StoredRows(context, files)
  await stored.fetch(deleted.places())
  const changes = new ChangeRows()
  for (const place of deleted.places()) changes.add('delete', stored.cells(place))
  return changes
}
