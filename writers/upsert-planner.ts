import type { Column, RowImage } from '../schemas/change-event.ts'
import { UNAVAILABLE } from '../schemas/delta-types.ts'
import { cellOf } from '../schemas/packed-rows.ts'
import type { Position } from '../schemas/position.ts'
import { ChangeRows } from './change-rows.ts'
import type { FoldResult, NetChange, RowAfter } from './fold.ts'
import type { Place } from './locator/hash-table.ts'
import { LaidRow, type PlannedRow } from './planned-row.ts'
import { fillGaps, hasGaps, nullGaps } from './row-image.ts'
import type { StoredRows } from './stored-rows.ts'
import type { SystemValues } from './system-cells.ts'
import { RowMapper } from './table/row-mapper.ts'
import { type BatchPlan, type PlanContext, planWith, RowsByFile } from './table-mode.ts'

export interface UpsertOptions {
  /** Source names of the key columns, in key order. */
  readonly key: readonly string[]
  /** A deleted row stays, marked `_cdc_deleted`. */
  readonly softDeletes: boolean
}

/** What of a fold becomes a plan. */
export type PlannedFold = Pick<FoldResult, 'changes' | 'tally' | 'fullBefore' | 'ambiguousKeyMoves'>

/** Instead of a row that a key has from now on. */
const GONE = -1

/** Turns the net changes of a fold into rows, deletions and change rows. */
export class UpsertPlanner {
  readonly #options: UpsertOptions
  readonly #context: PlanContext
  readonly #stored: StoredRows
  readonly #mapper: RowMapper
  readonly #rows: LaidRow[] = []
  readonly #deleted = new RowsByFile()
  readonly #changes: ChangeRows | null
  readonly #counts = { inserted: 0, updated: 0, deleted: 0 }
  readonly #unsentColumns = new Set<string>()
  #unresolved = 0

  constructor(options: UpsertOptions, context: PlanContext, stored: StoredRows, withChangeRows: boolean) {
    this.#options = options
    this.#context = context
    this.#stored = stored
    this.#mapper = new RowMapper(context.layout)
    this.#changes = withChangeRows ? new ChangeRows() : null
  }

  /** @param move told of each key where its row is now; `null`: it has none any more */
  plan({ changes, ...fold }: PlannedFold, move: MoveKey): BatchPlan {
    const rowOf = Int32Array.from(changes, (change) => this.#planChange(change))
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
      moveLocator: (placeOf) => {
        changes.forEach(({ key }, i) => {
          const row = rowOf[i]!
          if (row === GONE) move(key, null, null)
          else move(key, placeOf(row), this.#rows[row]!.system.position)
        })
      },
    })
  }

  /** @returns the row that the key has from now on */
  #planChange(change: NetChange): number {
    const { before, after } = change
    const image = after === null ? null : this.#wholeRow(after)
    if (before !== null) this.#deleted.add(before.place)
    if (image !== null && after !== null) {
      this.#counts[after.isDeleted ? 'deleted' : before === null ? 'inserted' : 'updated']++
      return this.#write(change, this.#laid(image, after))
    }
    this.#counts.deleted++
    if (this.#options.softDeletes) return this.#write(change, this.#softDeleted(change))
    this.#changes?.add('delete', this.#preimage(change))
    return GONE
  }

  #write(change: NetChange, row: LaidRow): number {
    const number = this.#rows.push(row) - 1
    if (this.#changes === null) return number
    if (change.before === null) {
      this.#changes.add('insert', row)
    } else {
      this.#changes.add('update_preimage', this.#preimage(change))
      this.#changes.add('update_postimage', row)
    }
    return number
  }

  #laid(image: RowImage, system: SystemValues): LaidRow {
    return new LaidRow(image, this.#mapper.mappingOf(image.shape), system)
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

  #softDeleted(change: NetChange): LaidRow {
    const { shape } = this.#context.layout
    const { position, txId, sourceTimeUs } = change.last
    const kept = this.#stored.cells(change.before!.place).slice(0, shape.columns.length)
    return this.#laid({ shape, cells: kept }, { position, txId, sourceTimeUs, isDeleted: true })
  }

  /** The stored row: as the first event of the key told it when that is all of it, else as it was read. */
  #preimage(change: NetChange): PlannedRow {
    return isWholePreimage(change, this.#context)
      ? this.#laid(change.beforeImage!, change.before!)
      : this.#stored.cells(change.before!.place)
  }
}

export type MoveKey = (key: number, place: Place | null, position: Position | null) => void

/**
 * Whether the before-image tells every column as it is stored. A row may hold null where the image has a value, in a
 * column that is younger, or that was not sent once; and where a key's events come by two roads, the row that an event
 * was about may not have been read yet.
 */
export function isWholePreimage(change: NetChange, context: PlanContext): boolean {
  const image = change.beforeImage
  if (image === null || context.graves !== null) return false
  const mayBeStoredAsNull = ({ name }: Column, i: number): boolean =>
    cellOf(image, i) !== null && (context.addedLater.has(name) || context.unsent.has(name))
  if (context.addedLater.size + context.unsent.size > 0 && image.shape.columns.some(mayBeStoredAsNull))
    return false
  return (
    context.layout.shape === image.shape ||
    context.layout.shape.columns.every((c) => image.shape.indexOf.has(c.name))
  )
}
