import { assert } from '../core/assert.ts'
import type { ChangeEvent, Column } from '../schemas/change-event.ts'
import { comparePositions, type Position } from '../schemas/position.ts'
import { BatchKeys } from './batch-keys.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { DepartedRows, isSameHash, searchDeletedRows } from './departed-rows.ts'
import {
  type FoldResult,
  foldEvents,
  holdsMoreThanFillers,
  isMoveWithoutSequence,
  type LeftRow,
  type NetChange,
} from './fold.ts'
import type { Place } from './locator/hash-table.ts'
import { HASH_WORDS, type KeyHasher } from './locator/key-encoding.ts'
import { KeyLocator, type StoredKey } from './locator/key-locator.ts'
import { rebuildLocator } from './locator/rebuild-locator.ts'
import { hasGaps } from './row-image.ts'
import { deletedRows, StoredRows } from './stored-rows.ts'
import type { TableLayout } from './table/table-layout.ts'
import type { TableReader } from './table/table-reader.ts'
import {
  type BatchPlan,
  type PlanContext,
  planWith,
  type RowHasher,
  RowsByFile,
  type TableMode,
} from './table-mode.ts'
import { isWholePreimage, type UpsertOptions, UpsertPlanner } from './upsert-planner.ts'

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
    const keyTextOf = context.graves === null ? null : this.#keyTexts(events, keyOf)
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
      keys: located.map((stored, key) => ({
        stored,
        storedRow: storedRowOf.get(key) ?? null,
        grave: keyTextOf?.has(key) ? context.graves!.find(keyTextOf.get(key)!) : null,
      })),
      marks: context.marks,
      floor: context.floor,
      hasTwoRoads: context.graves !== null,
      fullBefore: context.fullBefore,
      softDeletes: this.#options.softDeletes,
      table: context.table,
    })
    const withChangeRows = this.#needsChangeRows(fold, context)
    await rows.fetch(this.#placesToRead(fold, context, withChangeRows))
    const plan = new UpsertPlanner(this.#options, context, rows, withChangeRows).plan(fold, (moves) => {
      for (const { key, row } of fold.left) {
        if (row.fill !== null) this.#departed.remember(keys.words, keys.at(key), row.position, row.fill.place)
      }
      for (const { key, place, position } of moves) {
        if (place === null) this.#locator.delete(keys.words, keys.at(key))
        else this.#locator.put(keys.words, keys.at(key), place, position)
      }
    })
    const graves = fold.graves.map(({ key, position }) => ({ key: keyTextOf!.get(key)!, position }))
    return { ...plan, graves }
  }

  /** By number of the key. */
  #keyTexts(events: readonly ChangeEvent[], keyOf: Int32Array): ReadonlyMap<number, string> {
    const texts = new Map<number, string>()
    events.forEach(({ key }, i) => {
      if (texts.has(keyOf[i]!)) return
      const types = key!.columns.map((column) => column.type)
      texts.set(keyOf[i]!, this.#hasher.keyText(types, key!.values))
    })
    return texts
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

  rowHasher(layout: TableLayout): RowHasher {
    const columns = this.#keyColumns(layout)
    const types = columns.map((column) => column.type)
    return {
      fields: columns.map((column) => layout.shape.indexOf.get(column.name)!),
      hash: (cells, words, at) => this.#hasher.hashKey(types, cells, words, at),
    }
  }

  moved(words: Uint32Array, at: number, from: Place, to: Place): void {
    this.#locator.move(words, at, from, to)
  }

  settle(words: Uint32Array, at: number): void {
    this.#locator.settle(words, at)
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

/** A key change with unchanged TOAST carries columns over from the row under its old key. */
function needsOldRow(event: ChangeEvent): boolean {
  return event.oldKey !== null && event.after !== null && hasGaps(event.after)
}

/**
 * Keys whose stored row must be read before their events can be judged: not above its position (is it a re-send, or
 * has history broken?), a row that moves in over another, a delete that may be about the key's previous owner, the
 * first whole-looking `before`.
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
      event.oldKey !== null ||
      (event.op === 'd' && (position?.seq === event.position.seq || isMoveWithoutSequence(event)))
    const showsIdentity =
      !identityKnown && event.op === 'u' && event.before !== null && holdsMoreThanFillers(event)
    if (showsIdentity) identityKnown = true
    if (isSuspect || mayHaveTwoOwners || showsIdentity) keys.add(keyOf[i]!)
  })
  return [...keys]
}
