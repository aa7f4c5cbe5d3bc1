import { assert } from '../core/assert.ts'
import type { ChangeEvent, Column, RowKey } from '../schemas/change-event.ts'
import { comparePositions, formatPosition, type Position } from '../schemas/position.ts'
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
import { boundOwedValues, type OwedValue, owedValuesAbove } from './owed-values.ts'
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
    const hasDebts = context.owedValues.length > 0
    const oldKeyOf = Int32Array.from(events, (event) =>
      needsOldRow(event, hasDebts) ? keys.numberOf(event.oldKey!) : -1,
    )
    const owed = context.owedValues.map((debt) => ({
      ...debt,
      from: this.#numberOfText(keys, debt.from),
      row: this.#numberOfText(keys, debt.row),
    }))
    const located = await this.#locator.findAll(keys.words, keys.count)
    const keyTextOf = context.graves === null ? null : this.#keyTexts(events, keyOf)
    const due = dueDebts(owed, events, keyOf, oldKeyOf)
    const leftBefore = await this.#leftBefore(departures(events, oldKeyOf, due), keys, located, context)
    const rows = new StoredRows(context, this.files)
    const judged = keysToJudge(events, keyOf, located, context.fullBefore)
    await rows.fetch(judged.map((key) => located[key]!.place))
    const storedRowOf = new Map(judged.map((key) => [key, rows.row(located[key]!.place)]))
    await rows.fetch(placesBetweenDebts(due, oldKeyOf, located, leftBefore))

    const fold = foldEvents({
      events,
      keyOf,
      oldKeyOf,
      leftBefore: (key, at) => leftBefore.get(departureText(key, at)) ?? null,
      owed,
      isSpread: context.isSpread,
      storedRowAt: ({ place }) => (rows.has(place) ? rows.row(place) : null),
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
    const settled = boundOwedValues(this.#asStored(fold.owed, owed, events, keyOf, oldKeyOf, context))
    return {
      ...plan,
      graves,
      owedValues: settled.owed,
      unsentColumns: new Set([...plan.unsentColumns, ...fold.owed.flatMap(({ columns }) => columns)]),
      unresolvedUnavailable: plan.unresolvedUnavailable + fold.unpaid + settled.givenUp,
    }
  }

  #numberOfText(keys: BatchKeys, text: string): number {
    return keys.number((words, at) => this.#hasher.hashKeyText(text, words, at))
  }

  /** Debts by keys that every process knows. */
  #asStored(
    debts: readonly OwedValue<number>[],
    before: readonly OwedValue<number>[],
    events: readonly ChangeEvent[],
    keyOf: Int32Array,
    oldKeyOf: Int32Array,
    { owedValues }: PlanContext,
  ): OwedValue[] {
    if (debts.length === 0) return []
    const texts = new Map<number, string>()
    before.forEach((debt, i) => {
      texts.set(debt.from, owedValues[i]!.from).set(debt.row, owedValues[i]!.row)
    })
    const note = (number: number, key: RowKey): void => {
      if (number < 0 || texts.has(number)) return
      const types = key.columns.map((column) => column.type)
      texts.set(number, this.#hasher.keyText(types, key.values))
    }
    events.forEach(({ key, oldKey }, i) => {
      if (oldKey === null) return
      note(keyOf[i]!, key!)
      note(oldKeyOf[i]!, oldKey)
    })
    return debts.map((debt) => ({ ...debt, from: texts.get(debt.from)!, row: texts.get(debt.row)! }))
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

  /** The rows that earlier batches saw leave, by `departureText`. */
  async #leftBefore(
    departures: readonly Departure[],
    keys: BatchKeys,
    located: readonly (StoredKey | null)[],
    context: PlanContext,
  ): Promise<ReadonlyMap<string, LeftRow>> {
    const left = new Map<string, LeftRow>()
    const missing: Departure[] = []
    const note = ({ key, position }: Departure, place: Place): void => {
      left.set(departureText(key, position), { position, image: null, fill: { place, position: null } })
    }
    for (const departure of departures) {
      const { key, position } = departure
      const place = this.#departed.find(keys.words, keys.at(key), position)
      if (place !== null) note(departure, place)
      else if (
        !isStillThere(located[key]!, position) &&
        this.#departed.mayBeOlder(position, context.openedAt)
      )
        missing.push(departure)
    }
    if (missing.length === 0) return left
    const columns = this.#keyColumns(context.layout)
    const types = columns.map((column) => column.type)
    const words = new Uint32Array(HASH_WORDS)
    await searchDeletedRows(context, this.files, columns, ({ key, position, place }) => {
      this.#hasher.hashKey(types, key, words, 0)
      for (const departure of missing) {
        const isOld = position === null || comparePositions(position, departure.position) < 0
        if (isOld && isSameHash(words, 0, keys.words, keys.at(departure.key))) note(departure, place)
      }
    })
    return left
  }

  async planTruncate(floor: Position, context: PlanContext): Promise<BatchPlan> {
    const deleted = new RowsByFile()
    for (const { place } of this.#locator.below(floor)) deleted.add(place)
    const { rewritesFiles, wantsChangeRows } = context.feed
    const withChangeRows = rewritesFiles && wantsChangeRows(context.fullBefore)
    return planWith(context, {
      deleted: deleted.rows,
      owedValues: owedValuesAbove(context.owedValues, floor),
      changes: withChangeRows ? await deletedRows(deleted, context, this.files) : null,
      counts: { inserted: 0, updated: 0, deleted: deleted.count },
      moveLocator: () => this.#locator.removeBelow(floor),
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

/** A key change with unchanged TOAST carries columns over from the row under its old key; any may carry debts. */
function needsOldRow(event: ChangeEvent, hasDebts: boolean): boolean {
  return event.oldKey !== null && event.after !== null && (hasDebts || hasGaps(event.after))
}

/** A row that left a key, and where. */
interface Departure {
  /** Its number. */
  readonly key: number
  readonly position: Position
}

/** A row that has not left yet: what is deleted of its key is older than it. */
function isStillThere(stored: StoredKey | null, leavesAt: Position): boolean {
  if (stored === null) return false
  return stored.position === null || comparePositions(stored.position, leavesAt) < 0
}

function departureText(key: number, position: Position): string {
  return `${key}@${formatPosition(position)}`
}

function departures(
  events: readonly ChangeEvent[],
  oldKeyOf: Int32Array,
  due: readonly OwedValue<number>[],
): Departure[] {
  const asked = due.flatMap(({ from, at, leftAt }) => (leftAt === null ? [] : [{ key: from, position: at }]))
  events.forEach(({ position }, i) => {
    if (oldKeyOf[i]! >= 0 && position !== null) asked.push({ key: oldKeyOf[i]!, position })
  })
  return asked
}

/** Debts that this batch may pay, and those that may follow from that. */
function dueDebts(
  owed: readonly OwedValue<number>[],
  events: readonly ChangeEvent[],
  keyOf: Int32Array,
  oldKeyOf: Int32Array,
): readonly OwedValue<number>[] {
  if (owed.length === 0) return []
  const keys = new Set(oldKeyOf)
  events.forEach(({ newKey }, i) => {
    if (newKey !== null) keys.add(keyOf[i]!)
  })
  const due = new Set<OwedValue<number>>()
  for (let known = -1; known < due.size; ) {
    known = due.size
    for (const debt of owed) {
      if (!keys.has(debt.from) && !keys.has(debt.row)) continue
      due.add(debt)
      keys.add(debt.from)
    }
  }
  return [...due]
}

/** Where rows stand that get values which they have not been told, or tell them. */
function* placesBetweenDebts(
  due: readonly OwedValue<number>[],
  oldKeyOf: Int32Array,
  located: readonly (StoredKey | null)[],
  leftBefore: ReadonlyMap<string, LeftRow>,
): Generator<Place> {
  const keys = new Set(due.flatMap(({ from, row }) => [from, row]))
  for (const key of oldKeyOf) if (key >= 0) keys.add(key)
  for (const key of keys) {
    const stored = located[key]
    if (stored) yield stored.place
  }
  for (const { fill } of leftBefore.values()) if (fill !== null) yield fill.place
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
