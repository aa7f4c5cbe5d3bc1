import { assert } from '../core/assert.ts'
import type { ChangeEvent, Column, RowImage } from '../schemas/change-event.ts'
import type { Cell } from '../schemas/delta-types.ts'
import { comparePositions, type Position } from '../schemas/position.ts'
import { BatchKeys } from './batch-keys.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { DepartedRows, isSameHash, searchDeletedRows } from './departed-rows.ts'
import {
  type FoldResult,
  foldEvents,
  holdsMoreThanFillers,
  type LeftRow,
  type NetChange,
  type RowAfter,
} from './fold.ts'
import type { Place } from './locator/hash-table.ts'
import { HASH_WORDS, type KeyHasher } from './locator/key-encoding.ts'
import { KeyLocator, type StoredKey } from './locator/key-locator.ts'
import { rebuildLocator } from './locator/rebuild-locator.ts'
import { fillGaps, hasGaps, nullGaps } from './row-image.ts'
import { deletedRows, StoredRows } from './stored-rows.ts'
import { systemCells } from './system-cells.ts'
import { RowMapper } from './table/row-mapper.ts'
import type { TableLayout } from './table/table-layout.ts'
import type { TableReader } from './table/table-reader.ts'
import {
  type BatchPlan,
  type ChangeRow,
  type PlanContext,
  planWith,
  RowsByFile,
  type TableMode,
} from './table-mode.ts'

export interface UpsertOptions {
  /** Source names of the key columns, in key order. */
  readonly key: readonly string[]
  /** A deleted row stays, marked `_cdc_deleted`. */
  readonly softDeletes: boolean
}

/** One row per key, the newest (design §3.3 `upsert`). */
export class UpsertMode implements TableMode {
  readonly #options: UpsertOptions
  readonly #hasher: KeyHasher
  #locator = new KeyLocator()
  #departed = new DepartedRows()

  constructor(options: UpsertOptions, hasher: KeyHasher) {
    this.#options = options
    this.#hasher = hasher
  }

  get files(): KeyLocator['files'] {
    return this.#locator.files
  }

  async rebuild(snapshot: TableSnapshot, layout: TableLayout, reader: TableReader): Promise<void> {
    const locator = new KeyLocator()
    const columns = this.#keyColumns(layout)
    const types = columns.map((column) => column.type)
    const words = new Uint32Array(HASH_WORDS)
    await rebuildLocator(snapshot, layout, reader, locator.files, columns, (key, stored) => {
      this.#hasher.hashKey(types, key, words, 0)
      locator.put(words, 0, stored.place, stored.position)
    })
    this.#locator = locator
    this.#departed = new DepartedRows()
  }

  async plan(events: readonly ChangeEvent[], context: PlanContext): Promise<BatchPlan> {
    const keys = new BatchKeys(this.#hasher)
    const keyOf = Int32Array.from(events, (event) => keys.numberOf(event.key!))
    const oldKeyOf = Int32Array.from(events, (event) =>
      needsOldRow(event) ? keys.numberOf(event.oldKey!) : -1,
    )
    const located = Array.from({ length: keys.count }, (_, i) => this.#locator.find(keys.words, keys.at(i)))
    const leftBefore = await this.#leftBefore(events, oldKeyOf, keys, context)
    const rows = new StoredRows(context, this.files)
    const judged = keysToJudge(events, keyOf, located, context.fullBefore)
    await rows.fetch(judged.map((key) => located[key]!.place))
    const storedRowOf = new Map(judged.map((key) => [key, rows.row(located[key]!.place)]))

    const fold = foldEvents({
      events,
      keyOf,
      oldKeyOf,
      leftBefore,
      keys: located.map((stored, key) => ({ stored, storedRow: storedRowOf.get(key) ?? null })),
      marks: context.marks,
      floor: context.floor,
      fullBefore: context.fullBefore,
      softDeletes: this.#options.softDeletes,
      table: context.table,
    })
    const withChangeRows = this.#needsChangeRows(fold, context)
    await rows.fetch(this.#placesToRead(fold, context, withChangeRows))
    return new UpsertPlanner(this.#options, context, rows, withChangeRows).plan(fold, (moves) => {
      for (const { key, row } of fold.left) {
        if (row.fill !== null) this.#departed.remember(keys.words, keys.at(key), row.position, row.fill.place)
      }
      for (const { key, place, position } of moves) {
        if (place === null) this.#locator.delete(keys.words, keys.at(key))
        else this.#locator.put(keys.words, keys.at(key), place, position)
      }
    })
  }

  /** For each event that moves in with gaps: the row that an earlier batch saw leave its old key. */
  async #leftBefore(
    events: readonly ChangeEvent[],
    oldKeyOf: Int32Array,
    keys: BatchKeys,
    context: PlanContext,
  ): Promise<readonly (LeftRow | null)[]> {
    const left = new Array<LeftRow | null>(events.length).fill(null)
    const missing: number[] = []
    for (let i = 0; i < events.length; i++) {
      const position = events[i]!.position
      if (oldKeyOf[i]! < 0 || position === null) continue
      const place = this.#departed.find(keys.words, keys.at(oldKeyOf[i]!), position)
      if (place !== null) left[i] = { position, image: null, fill: { place, position: null } }
      else if (this.#departed.mayBeOlder(position, context.openedAt)) missing.push(i)
    }
    if (missing.length === 0) return left
    const columns = this.#keyColumns(context.layout)
    const types = columns.map((column) => column.type)
    const words = new Uint32Array(HASH_WORDS)
    await searchDeletedRows(context, this.files, columns, ({ key, position, place }) => {
      this.#hasher.hashKey(types, key, words, 0)
      for (const i of missing) {
        const moved = events[i]!.position!
        const isOld = position === null || comparePositions(position, moved) < 0
        if (isOld && isSameHash(words, 0, keys.words, keys.at(oldKeyOf[i]!))) {
          left[i] = { position: moved, image: null, fill: { place, position: null } }
        }
      }
    })
    return left
  }

  async planTruncate(floor: Position, context: PlanContext): Promise<BatchPlan> {
    const gone = [...this.#locator.below(floor)]
    const deleted = new RowsByFile()
    for (const { stored } of gone) deleted.add(stored.place)
    const { rewritesFiles, wantsChangeRows } = context.feed
    const withChangeRows = rewritesFiles && wantsChangeRows(context.fullBefore)
    return planWith(context, {
      deleted: deleted.rows,
      changes: withChangeRows ? await deletedRows(deleted, context, this.files) : null,
      counts: { inserted: 0, updated: 0, deleted: gone.length },
      moveLocator: () => {
        for (const { hash } of gone) this.#locator.delete(hash, 0)
      },
    })
  }

  moved(cells: readonly Cell[], from: Place, to: Place, layout: TableLayout): void {
    const columns = this.#keyColumns(layout)
    const words = new Uint32Array(HASH_WORDS)
    const key = columns.map((column) => cells[layout.shape.indexOf.get(column.name)!]!)
    this.#hasher.hashKey(
      columns.map((column) => column.type),
      key,
      words,
      0,
    )
    const stored = this.#locator.find(words, 0)
    // A newer row of the key may have come in with the same commit.
    if (stored?.place.file === from.file && stored.place.row === from.row) {
      this.#locator.put(words, 0, to, stored.position)
    }
  }

  /** Without updates readers derive the same changes from files and deletion vectors. */
  #needsChangeRows(fold: FoldResult, context: PlanContext): boolean {
    const { rewritesFiles, wantsChangeRows } = context.feed
    const isDerivable = ({ before, after }: NetChange): boolean =>
      before === null || (after === null && !this.#options.softDeletes && !rewritesFiles)
    return !fold.changes.every(isDerivable) && wantsChangeRows(fold.fullBefore)
  }

  #keyColumns(layout: TableLayout): Column[] {
    return this.#options.key.map((name) => {
      const index = layout.shape.indexOf.get(name)
      assert(index !== undefined, `key column ${name} is not in the table`)
      return layout.shape.columns[index]!
    })
  }

  /** Rows without which the batch cannot be written: TOAST gaps, pre-images, soft deletes. */
  *#placesToRead(fold: FoldResult, context: PlanContext, withChangeRows: boolean): Generator<Place> {
    for (const change of fold.changes) {
      if (change.after?.fill) yield change.after.fill.place
      if (change.before === null) continue
      const keepsRow = change.after === null && this.#options.softDeletes
      if (keepsRow || (withChangeRows && !isWholePreimage(change, context))) yield change.before.place
    }
  }
}

/** Turns the net changes of a fold into rows, deletions and change rows. */
class UpsertPlanner {
  readonly #options: UpsertOptions
  readonly #context: PlanContext
  readonly #stored: StoredRows
  readonly #mapper: RowMapper
  readonly #rows: (readonly Cell[])[] = []
  readonly #deleted = new RowsByFile()
  readonly #changes: ChangeRow[] | null
  readonly #moves: { key: number; row: number; position: Position | null }[] = []
  readonly #counts = { inserted: 0, updated: 0, deleted: 0 }
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
    const { image, gaps } = nullGaps(filled)
    this.#unresolved += gaps
    return image
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

interface LocatorMove {
  readonly key: number
  readonly place: Place | null
  readonly position: Position | null
}

/** A key change with unchanged TOAST carries columns over from the row under its old key. */
function needsOldRow(event: ChangeEvent): boolean {
  return event.oldKey !== null && event.after !== null && hasGaps(event.after)
}

/**
 * Keys whose stored row must be read before their events can be judged: not above its position (is it a re-send, or
 * has history broken?), a delete that may be about the key's previous owner, the first whole-looking `before`.
 */
function keysToJudge(
  events: readonly ChangeEvent[],
  keyOf: Int32Array,
  located: readonly (StoredKey | null)[],
  fullBefore: boolean,
): number[] {
  const keys = new Set<number>()
  let identityKnown = fullBefore
  events.forEach((event, i) => {
    const stored = located[keyOf[i]!]
    if (!stored || event.position === null) return
    const position = stored.position
    const isSuspect = position !== null && comparePositions(event.position, position) < 0
    const mayHaveTwoOwners =
      event.op === 'd' && (position?.seq === event.position.seq || isMoveWithoutSequence(event))
    const showsIdentity =
      !identityKnown && event.op === 'u' && event.before !== null && holdsMoreThanFillers(event)
    if (showsIdentity) identityKnown = true
    if (isSuspect || mayHaveTwoOwners || showsIdentity) keys.add(keyOf[i]!)
  })
  return [...keys]
}

/** The first transaction of a connector does not say which one came before it: `seq` is then the event's own LSN. */
function isMoveWithoutSequence({ newKey, position }: ChangeEvent): boolean {
  return newKey !== null && position!.seq === position!.lsn
}

/** Whether the before-image tells every column as it is stored: older rows may hold null in a younger column. */
function isWholePreimage(change: NetChange, context: PlanContext): boolean {
  const image = change.beforeImage
  if (image === null || context.addedLater.size > 0) return false
  return (
    context.layout.shape === image.shape ||
    context.layout.shape.columns.every((c) => image.shape.indexOf.has(c.name))
  )
}
