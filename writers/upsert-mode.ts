import { assert } from '../core/assert.ts'
import type { ChangeEvent, Column } from '../schemas/change-event.ts'
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
import type { Grave } from './graves.ts'
import { KeyTexts } from './key-texts.ts'
import type { FileOrdinals } from './locator/file-ordinals.ts'
import type { Place } from './locator/hash-table.ts'
import { HASH_WORDS } from './locator/key-encoding.ts'
import type { StoredKey } from './locator/key-locator.ts'
import type { KeySource, LocatedKeys } from './locator/located-keys.ts'
import type { InTurn } from './locator/locator-keeper.ts'
import { type MomentPlan, planMomentRows } from './moment-planner.ts'
import { boundOwedValues, type OwedValue, owedValuesAbove } from './owed-values.ts'
import type { Pace } from './pace.ts'
import { hasGaps } from './row-image.ts'
import { deletedRows, StoredRows } from './stored-rows.ts'
import type { TableLayout } from './table/table-layout.ts'
import type { TableReader } from './table/table-reader.ts'
import {
  type BatchPlan,
  type PlanContext,
  planWith,
  RowsByFile,
  type TableMode,
  type UntouchedMoment,
} from './table-mode.ts'
import { isWholePreimage, type UpsertOptions, UpsertPlanner } from './upsert-planner.ts'

/** One row per key, the newest (design §3.3 `upsert`). */
export class UpsertMode implements TableMode {
  readonly #options: UpsertOptions
  readonly #keys: LocatedKeys
  #departed = new DepartedRows()

  constructor(options: UpsertOptions, keys: LocatedKeys) {
    this.#options = options
    this.#keys = keys
  }

  get files(): FileOrdinals {
    return this.#keys.locator.files
  }

  async follow(
    known: TableSnapshot | null,
    snapshot: TableSnapshot,
    layout: TableLayout,
    reader: TableReader,
  ): Promise<void> {
    const source = this.#source(layout, reader)
    if (known === null) await this.#keys.open(snapshot, source)
    else await this.#keys.follow(known.files.values(), snapshot, source)
    this.#departed = new DepartedRows()
  }

  keep(inTurn: InTurn, pace: Pace): Promise<void> {
    return this.#keys.keep(inTurn, pace)
  }

  save(inTurn: InTurn, pace: Pace): Promise<void> {
    return this.#keys.save(inTurn, pace)
  }

  release(): void {
    this.#keys.release()
  }

  async plan(events: readonly ChangeEvent[], context: PlanContext): Promise<BatchPlan> {
    const keys = new BatchKeys(this.#keys.hasher)
    const keyOf = Int32Array.from(events.map((event) => keys.numberOf(event.key!)))
    const hasDebts = context.owedValues.length > 0
    const oldKeyOf = Int32Array.from(
      events.map((event) => (needsOldRow(event, hasDebts) ? keys.numberOf(event.oldKey!) : -1)),
    )
    const owed = context.owedValues.map((debt) => ({
      ...debt,
      from: this.#numberOfText(keys, debt.from),
      row: this.#numberOfText(keys, debt.row),
    }))
    const source = this.#source(context.layout, context.reader)
    const located = await this.#keys.findAll(keys.words, keys.count, context.snapshot, source)
    const texts = this.#keyTexts(events, keyOf, oldKeyOf, owed, context)
    const due = dueDebts(owed, events, keyOf, oldKeyOf)
    const rows = new StoredRows(context, this.files)
    const asked = departures(events, oldKeyOf, due)
    const leftBefore = await this.#leftBefore({ asked, keys, located, texts, rows, context })
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
        grave: context.graves?.find(texts.of(key)!) ?? null,
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
    const plan = new UpsertPlanner(this.#options, context, rows, withChangeRows).plan(
      fold,
      (key, place, position) => {
        if (place === null) this.#keys.locator.delete(keys.words, keys.at(key))
        else this.#keys.locator.put(keys.words, keys.at(key), place, position)
      },
    )
    const settled = boundOwedValues(
      fold.owed.map((debt) => ({ ...debt, from: texts.of(debt.from)!, row: texts.of(debt.row)! })),
    )
    return {
      ...plan,
      moveLocator: (placeOf) => {
        for (const { key, row } of fold.left) {
          if (row.fill !== null) this.#remember(keys, key, row.position, row.fill.place)
        }
        plan.moveLocator(placeOf)
      },
      cameAndWent: fold.cameAndWent,
      graves: gravesOf(fold, events, keyOf, texts, context),
      owedValues: settled.owed,
      unsentColumns: new Set([...plan.unsentColumns, ...fold.owed.flatMap(({ columns }) => columns)]),
      unresolvedUnavailable: plan.unresolvedUnavailable + fold.unpaid + settled.givenUp,
    }
  }

  #numberOfText(keys: BatchKeys, text: string): number {
    return keys.number((words, at) => this.#keys.hasher.hashKeyText(text, words, at))
  }

  #keyTexts(
    events: readonly ChangeEvent[],
    keyOf: Int32Array,
    oldKeyOf: Int32Array,
    owed: readonly OwedValue<number>[],
    { owedValues, graves }: PlanContext,
  ): KeyTexts {
    const texts = new KeyTexts()
    owed.forEach(({ from, row }, i) => {
      texts.note(from, owedValues[i]!.from)
      texts.note(row, owedValues[i]!.row)
    })
    events.forEach(({ key, oldKey, newKey }, i) => {
      if (graves !== null || oldKey !== null || newKey !== null) texts.note(keyOf[i]!, key!)
      if (oldKeyOf[i]! >= 0) texts.note(oldKeyOf[i]!, oldKey!)
    })
    return texts
  }

  /** The rows that earlier batches saw leave, by `departureText`. */
  async #leftBefore(search: DepartureSearch): Promise<ReadonlyMap<string, LeftRow>> {
    const { asked, keys, rows, context } = search
    const left = new Map<string, LeftRow>()
    const missing: Departure[] = []
    for (const departure of asked) {
      const { key, position } = departure
      const departed = this.#departed.find(keys.words, keys.at(key), position)
      if (departed !== null) {
        const place = { file: this.files.ordinalOf(departed.path), row: departed.row }
        left.set(departureText(key, position), leftRow(position, place))
      } else if (
        this.#departed.mayBeOlder(position, context.openedAt) &&
        (await hasLeft(departure, search))
      ) {
        missing.push(departure)
        // Of several partitions it is known that the row has left; another row is not to be taken for it.
        if (context.isSpread) left.set(departureText(key, position), leftRow(position, null))
      }
    }
    if (missing.length > 0) await this.#findDeleted(missing, search, left)
    for (const [text, { position, fill }] of left) {
      if (fill !== null && !(await rows.fetchIfThere(fill.place))) left.set(text, leftRow(position, null))
    }
    return left
  }

  #remember(keys: BatchKeys, key: number, position: Position, { file, row }: Place): void {
    this.#departed.remember(keys.words, keys.at(key), position, { path: this.files.pathOf(file), row })
  }

  async #findDeleted(
    missing: readonly Departure[],
    { keys, context }: DepartureSearch,
    left: Map<string, LeftRow>,
  ): Promise<void> {
    const columns = this.#keyColumns(context.layout)
    const types = columns.map((column) => column.type)
    const words = new Uint32Array(HASH_WORDS)
    await searchDeletedRows(context, this.files, columns, (deleted) => {
      this.#keys.hasher.hashKey(types, deleted.key, words, 0)
      for (const { key, position } of missing) {
        const isOld = deleted.position === null || comparePositions(deleted.position, position) < 0
        if (isOld && isSameHash(words, 0, keys.words, keys.at(key)))
          left.set(departureText(key, position), leftRow(position, deleted.place))
      }
    })
  }

  planMoment(moment: UntouchedMoment, context: PlanContext): Promise<MomentPlan> {
    return planMomentRows({
      ...moment,
      options: this.#options,
      keys: this.#keys,
      source: this.#source(context.layout, context.reader),
      context,
      needsChangeRows: (changes) =>
        this.#needsChangeRows({ changes, fullBefore: context.fullBefore }, context),
    })
  }

  async planTruncate(floor: Position, context: PlanContext): Promise<BatchPlan> {
    const deleted = new RowsByFile()
    const source = this.#source(context.layout, context.reader)
    const { places, forget } = await this.#keys.below(floor, context.snapshot, source)
    for (const place of places) deleted.add(place)
    const { rewritesFiles, wantsChangeRows } = context.feed
    const withChangeRows = rewritesFiles && wantsChangeRows(context.fullBefore)
    return planWith(context, {
      deleted: deleted.rows,
      owedValues: owedValuesAbove(context.owedValues, floor),
      changes: withChangeRows ? await deletedRows(deleted, context, this.files) : null,
      counts: { inserted: 0, updated: 0, deleted: deleted.count },
      moveLocator: forget,
    })
  }

  /** Without updates readers derive the same changes from files and deletion vectors. */
  #needsChangeRows(fold: Pick<FoldResult, 'changes' | 'fullBefore'>, context: PlanContext): boolean {
    const { rewritesFiles, wantsChangeRows } = context.feed
    const isDerivable = ({ before, after }: NetChange): boolean =>
      before === null || (after === null && !this.#options.softDeletes && !rewritesFiles)
    return !fold.changes.every(isDerivable) && wantsChangeRows(fold.fullBefore)
  }

  #source(layout: TableLayout, reader: TableReader): KeySource {
    return { layout, reader, columns: this.#keyColumns(layout) }
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

interface DepartureSearch {
  readonly asked: readonly Departure[]
  readonly keys: BatchKeys
  /** By number of the key. */
  readonly located: readonly (StoredKey | null)[]
  readonly texts: KeyTexts
  readonly rows: StoredRows
  readonly context: PlanContext
}

/**
 * Whether an earlier batch has read the delete: until then what is deleted of its key is of an earlier row. Of several
 * partitions it is the key itself that tells: it lives again, or a grave was dug for it.
 */
async function hasLeft(
  { key, position }: Departure,
  { located, texts, context }: DepartureSearch,
): Promise<boolean> {
  const stored = located[key]!
  if (stored !== null) return stored.position !== null && comparePositions(stored.position, position) >= 0
  if (!context.isSpread) return true
  const grave = (await context.openGraves()).find(texts.of(key)!)
  return grave !== null && comparePositions(grave, position) >= 0
}

/** @param place `null`: what it held is known to nobody any more */
function leftRow(position: Position, place: Place | null): LeftRow {
  return { position, image: null, fill: place === null ? null : { place, position: null } }
}

/**
 * Where keys were deleted, and who has to know it: an older event that comes by another topic, or the second half of a
 * key change that comes by another partition, perhaps after a restart.
 */
function gravesOf(
  fold: FoldResult,
  events: readonly ChangeEvent[],
  keyOf: Int32Array,
  texts: KeyTexts,
  { graves }: PlanContext,
): Grave[] {
  const dig = (key: number, { position, at }: ChangeEvent): Grave => {
    const { topic, partition, offset } = at
    return { key: texts.of(key)!, position: position!, at: { topic, partition, offset } }
  }
  if (graves !== null) return fold.graves.map(({ key, by }) => dig(key, by))
  if (fold.left.length === 0 || (fold.fullBefore && fold.owed.length === 0)) return []
  const left = new Set(fold.left.map(({ key, row }) => departureText(key, row.position)))
  return events.flatMap((event, i) => {
    const hasLeft = event.newKey !== null && left.delete(departureText(keyOf[i]!, event.position!))
    return hasLeft ? [dig(keyOf[i]!, event)] : []
  })
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
