import type { Column, RowImage } from '../schemas/change-event.ts'
import { type Cell, UNAVAILABLE } from '../schemas/delta-types.ts'
import type { Position } from '../schemas/position.ts'
import type { FoldResult, NetChange, RowAfter } from './fold.ts'
import type { Place } from './locator/hash-table.ts'
import { fillGaps, hasGaps, nullGaps } from './row-image.ts'
import type { StoredRows } from './stored-rows.ts'
import { systemCells } from './system-cells.ts'
import { RowMapper } from './table/row-mapper.ts'
import { type BatchPlan, type ChangeRow, type PlanContext, planWith, RowsByFile } from './table-mode.ts'

export interface UpsertOptions {
  /** Source names of the key columns, in key order. */
  readonly key: readonly string[]
  /** A deleted row stays, marked `_cdc_deleted`. */
  readonly softDeletes: boolean
}

/** Turns the net changes of a fold into rows, deletions and change rows. */
export class UpsertPlanner {
  readonly #options: UpsertOptions
  readonly #context: PlanContext
  readonly #stored: StoredRows
  readonly #mapper: RowMapper
  readonly #rows: (readonly Cell[])[] = []
  readonly #deleted = new RowsByFile()
  readonly #changes: ChangeRow[] | null
  readonly #moves: { key: number; row: number; position: Position | null }[] = []
  readonly #counts = { inserted: 0, updated: 0, deleted: 0 }
  readonly #unsentColumns = new Set<string>()
  #unresolved = 0

  constructor(options: UpsertOptions, context: PlanContext, stored: StoredRows, withChangeRows: boolean) {
    this.#options = options
    this.#context = context
    this.#stored = stored
    this.#mapper = new RowMapper(context.layout)
    this.#changes = withChangeRows ? [] : null
  }

  plan(fold: FoldResult, move: (moves: Iterable<LocatorMove>) => void): BatchPlan {
    for (const change of fold.changes) this.#planChange(change)
    const moves = this.#moves
    return planWith(this.#context, {
      rows: this.#rows,
      deleted: this.#deleted.rows,
      changes: this.#changes,
      counts: this.#counts,
      tally: fold.tally,
      fullBefore: fold.fullBefore,
      unresolvedUnavailable: this.#unresolved,
      unsentColumns: this.#unsentColumns,
      ambiguousKeyMoves: fold.ambiguousKeyMoves,
      moveLocator: (placeOf) =>
        move(moves.map(({ row, ...move }) => ({ ...move, place: row < 0 ? null : placeOf(row) }))),
    })
  }

  #planChange(change: NetChange): void {
    const { before, after } = change
    const image = after === null ? null : this.#wholeRow(after)
    if (before !== null) this.#deleted.add(before.place)
    if (image !== null && after !== null) {
      const cells = [...this.#mapper.cells(image), ...systemCells(this.#context.layout, after)]
      this.#counts[after.isDeleted ? 'deleted' : before === null ? 'inserted' : 'updated']++
      this.#write(change, cells, after.position)
    } else if (this.#options.softDeletes) {
      this.#counts.deleted++
      this.#write(change, this.#softDeleted(change), change.last.position)
    } else {
      this.#counts.deleted++
      this.#moves.push({ key: change.key, row: -1, position: null })
      this.#changes?.push({ type: 'delete', cells: this.#preimage(change) })
    }
  }

  #write(change: NetChange, cells: readonly Cell[], position: Position | null): void {
    this.#moves.push({ key: change.key, row: this.#rows.push(cells) - 1, position })
    if (this.#changes === null) return
    if (change.before === null) {
      this.#changes.push({ type: 'insert', cells })
    } else {
      this.#changes.push({ type: 'update_preimage', cells: this.#preimage(change) })
      this.#changes.push({ type: 'update_postimage', cells })
    }
  }

  /** The row with its gaps filled from what is stored; a gap that nothing fills is null, and counted. */
  #wholeRow(after: RowAfter): RowImage {
    if (!hasGaps(after.image)) return after.image
    const filled =
      after.fill === null ? after.image : fillGaps(after.image, this.#stored.row(after.fill.place).image)
    filled.cells.forEach((cell, i) => {
      if (cell !== UNAVAILABLE) return
      this.#unresolved++
      this.#unsentColumns.add(filled.shape.columns[i]!.name)
    })
    return nullGaps(filled).image
  }

  #softDeleted(change: NetChange): Cell[] {
    const { layout } = this.#context
    const { position, txId, sourceTimeUs } = change.last
    const kept = this.#stored.cells(change.before!.place).slice(0, layout.shape.columns.length)
    return [...kept, ...systemCells(layout, { position, txId, sourceTimeUs, isDeleted: true })]
  }

  /** The stored row: as the first event of the key told it when that is all of it, else as it was read. */
  #preimage(change: NetChange): readonly Cell[] {
    if (!isWholePreimage(change, this.#context)) return this.#stored.cells(change.before!.place)
    const position = change.before!.position
    return [
      ...this.#mapper.cells(change.beforeImage!),
      ...systemCells(this.#context.layout, { position, txId: null, sourceTimeUs: null }),
    ]
  }
}

export interface LocatorMove {
  readonly key: number
  readonly place: Place | null
  readonly position: Position | null
}

/**
 * Whether the before-image tells every column as it is stored. A row may hold null where the image has a value, in a
 * column that is younger, or that was not sent once; and where a key's events come by two roads, the row that an event
 * was about may not have been read yet.
 */
export function isWholePreimage(change: NetChange, context: PlanContext): boolean {
  const image = change.beforeImage
  if (image === null || context.graves !== null) return false
  const mayBeStoredAsNull = ({ name }: Column, i: number): boolean =>
    image.cells[i] !== null && (context.addedLater.has(name) || context.unsent.has(name))
  if (context.addedLater.size + context.unsent.size > 0 && image.shape.columns.some(mayBeStoredAsNull))
    return false
  return (
    context.layout.shape === image.shape ||
    context.layout.shape.columns.every((c) => image.shape.indexOf.has(c.name))
  )
}
