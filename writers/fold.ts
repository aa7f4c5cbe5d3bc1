import { EngineError } from '../core/errors.ts'
import type { ChangeEvent, RowImage } from '../schemas/change-event.ts'
import { comparePositions, formatPosition, type Position } from '../schemas/position.ts'
import { isBelowFloor, tellsOfBefore } from './floor.ts'
import type { StoredKey } from './locator/key-locator.ts'
import { gapColumns, type OwedValue, OwedValues } from './owed-values.ts'
import type { PartitionMarks } from './partition-marks.ts'
import { fillGaps, hasGaps, isSameRow, nullColumns, unsendColumns } from './row-image.ts'
import { emptyTally, type Tally } from './tally.ts'

/** What was read of a stored row because an event could not be judged without it. */
export interface StoredRow {
  readonly image: RowImage
  readonly txId: bigint | null
  readonly sourceTimeUs: bigint | null
  /** It stays though the source has deleted it (`softDeletes`). */
  readonly isDeleted: boolean
}

/** One key of the batch: where its row is now, and (when fold asked for it, see `rowsToJudge`) what it holds. */
export interface FoldKey {
  readonly stored: StoredKey | null
  readonly storedRow: StoredRow | null
  /** Where the source deleted it last, as far as graves are kept. */
  readonly grave: Position | null
}

export interface FoldInput {
  /** Row changes (no truncates) in the order they arrived. */
  readonly events: readonly ChangeEvent[]
  /** For each event the index of its key in `keys`. */
  readonly keyOf: Int32Array
  /** For each event the index of its `oldKey` in `keys`; -1 for none. */
  readonly oldKeyOf: Int32Array
  /** The row that an earlier batch saw leave a key: of the old keys of events, and of what debts wait for. */
  readonly leftBefore: (key: number, at: Position) => LeftRow | null
  /** What rows of earlier batches have not been told; keys are indexes in `keys`. */
  readonly owed: readonly OwedValue<number>[]
  /** Several partitions feed the table: the second half of a key change can be read before the first. */
  readonly isSpread: boolean
  /** Stored rows between which debts may be paid. */
  readonly storedRowAt: (stored: StoredKey) => StoredRow | null
  readonly keys: readonly FoldKey[]
  /** Moved on by the fold. */
  readonly marks: PartitionMarks
  /** The position of the last TRUNCATE; events below it are stale. */
  readonly floor: Position | null
  /** One key's events can come by two roads, between which there is no order. */
  readonly hasTwoRoads: boolean
  /** `before` of every update and delete is the whole row (REPLICA IDENTITY FULL). */
  readonly fullBefore: boolean
  /** A deleted row stays, marked. */
  readonly softDeletes: boolean
  readonly table: string
}

/** A row that left its key (`__debezium.newkey`): what is not sent under the new key is filled from it. */
export interface LeftRow {
  /** Both halves of a key change have the same. */
  readonly position: Position
  /** What the batch told of it; `null`: it is as stored. */
  readonly image: RowImage | null
  /** Where the gaps of `image` are to be filled from. */
  readonly fill: StoredKey | null
}

type Unsent = Pick<LeftRow, 'image' | 'fill'>

/** The row that a key has after the batch. Its gaps are to be filled from `fill`, the row stored before. */
export interface RowAfter {
  readonly image: RowImage
  readonly fill: StoredKey | null
  readonly position: Position | null
  readonly txId: bigint | null
  readonly sourceTimeUs: bigint | null
  /** It was deleted, and stays (`softDeletes`). */
  readonly isDeleted: boolean
}

/** What the batch does to one key: `before` null is an insert. */
export interface NetChange {
  readonly key: number
  readonly before: StoredKey | null
  /** The whole stored row as the first event of the key told it; `null`: read it by position if it is needed. */
  readonly beforeImage: RowImage | null
  /** `null`: a delete of the row as it is stored. */
  readonly after: RowAfter | null
  /** The event that decided; its position is that of a delete. */
  readonly last: Pick<ChangeEvent, 'position' | 'txId' | 'sourceTimeUs'>
}

export interface FoldResult {
  readonly changes: readonly NetChange[]
  /** A row came and went: nothing of it is left, but a part of the batch alone would leave it. */
  readonly cameAndWent: boolean
  readonly tally: Tally
  /** As the input's, or found out in this batch. */
  readonly fullBefore: boolean
  /** Deletes of moved keys that could not be told from deletes of the row that moved in; applied (design §3.3). */
  readonly ambiguousKeyMoves: readonly ChangeEvent[]
  /** Rows that left their key and have not come in under the new one. */
  readonly left: readonly { readonly key: number; readonly row: LeftRow }[]
  /** What rows have not been told, after this batch. */
  readonly owed: readonly OwedValue<number>[]
  /** Values that were waited for in vain. */
  readonly unpaid: number
  /** Keys that were deleted (and perhaps read anew since), and by what; none where events have one road. */
  readonly graves: readonly { readonly key: number; readonly by: ChangeEvent }[]
}

/** A key's state while the events pass. */
interface KeyState {
  /** Its index. */
  readonly key: number
  readonly stored: StoredKey | null
  readonly storedRow: StoredRow | null
  live: boolean
  position: Position | null
  sourceTimeUs: bigint | null
  /** The newest row of this batch; `null`: what is stored. */
  image: RowImage | null
  fill: StoredKey | null
  /** The transaction whose create may have found another row under the key. */
  cameInBy: bigint | null
  /** The delete of its old key told what the row had not been told. */
  paidBy: ChangeEvent | null
  /** Where the key was deleted last; only where events have two roads. */
  grave: Position | null
  /** The delete of this batch that dug it. */
  dugBy: ChangeEvent | null
  first: ChangeEvent | null
  firstIsWhole: boolean
  last: ChangeEvent | null
  appliedCount: number
}

/**
 * Folds the events of one batch into one net change per key. Pure, and the same for every way to cut the stream into
 * batches: what an earlier batch would have stored is in `keys` and `marks`, what this one does so far is in its
 * states, and both are asked the same questions (design §3.1).
 *
 * @throws EngineError `E_HISTORY_BROKE` (stop-table) when an event is older in position but newer in time
 */
export function foldEvents(input: FoldInput): FoldResult {
  return new Fold(input).run()
}

class Fold {
  readonly #input: FoldInput
  readonly #states: (KeyState | undefined)[]
  /** By key the rows that left it in this batch. */
  readonly #left = new Map<number, readonly LeftRow[]>()
  readonly #tally = emptyTally()
  readonly #ambiguous: ChangeEvent[] = []
  readonly #owed: OwedValues
  #unpaid = 0
  #cameAndWent = false
  #fullBefore: boolean

  constructor(input: FoldInput) {
    this.#input = input
    this.#states = new Array(input.keys.length)
    this.#fullBefore = input.fullBefore
    this.#owed = new OwedValues(input.owed)
  }

  run(): FoldResult {
    const { events, keyOf } = this.#input
    for (let i = 0; i < events.length; i++) {
      const event = events[i]!
      const state = this.#stateOf(keyOf[i]!)
      const isOutdated = this.#isOutdated(event, state)
      if (!isOutdated && event.op === 'r') this.#applySnapshotRow(event, state)
      else if (!isOutdated && event.op === 'd') this.#applyDelete(event, state)
      else if (!isOutdated) this.#applyRow(event, state, i)
      if (event.newKey !== null) this.#payWhatWaitsFor(event, state)
    }
    return {
      changes: this.#netChanges(),
      cameAndWent: this.#cameAndWent,
      tally: this.#tally,
      fullBefore: this.#fullBefore,
      ambiguousKeyMoves: this.#ambiguous,
      graves: this.#graves(),
      left: [...this.#left].flatMap(([key, rows]) => rows.map((row) => ({ key, row }))),
      owed: this.#owed.list(),
      unpaid: this.#unpaid,
    }
  }

  #stateOf(key: number): KeyState {
    const known = this.#states[key]
    if (known !== undefined) return known
    const { stored, storedRow, grave } = this.#input.keys[key]!
    const state: KeyState = {
      key,
      stored,
      storedRow,
      live: stored !== null,
      position: stored?.position ?? null,
      sourceTimeUs: storedRow?.sourceTimeUs ?? null,
      image: null,
      fill: stored,
      cameInBy: storedRow?.txId ?? null,
      paidBy: null,
      grave,
      dugBy: null,
      first: null,
      firstIsWhole: false,
      last: null,
      appliedCount: 0,
    }
    this.#states[key] = state
    return state
  }

  /** Whether the event tells nothing new; counts it when so (design §3.1). */
  #isOutdated(event: ChangeEvent, state: KeyState): boolean {
    const position = event.position
    if (isBelowFloor(event, this.#input.floor) || this.#isSnapshotRowOfBefore(event, state)) {
      this.#tally.stale++
      return true
    }
    if (position === null) return false
    if (state.grave !== null && comparePositions(position, state.grave) < 0) {
      this.#tally.stale++
      return true
    }
    if (!state.live) {
      const isBelowGrave = state.position !== null && comparePositions(position, state.position) < 0
      if (isBelowGrave || this.#input.marks.isBelow(event.at, position)) {
        this.#tally.duplicates++
        return true
      }
      return false
    }
    if (state.position === null) return false
    const order = comparePositions(position, state.position)
    if (order > 0) return false
    if (order < 0) this.#refuseBrokenHistory(event, position, state)
    if (order === 0) this.#tally.duplicates++
    else this.#tally.stale++
    return true
  }

  /** Kafka's order says which of a snapshot row and a streamed event is newer, unless they come by two roads. */
  #isSnapshotRowOfBefore(event: ChangeEvent, { position, grave }: KeyState): boolean {
    if (event.position !== null || !this.#input.hasTwoRoads) return false
    return [position, grave].some((at) => at !== null && tellsOfBefore(event, at))
  }

  #refuseBrokenHistory(event: ChangeEvent, position: Position, state: KeyState): void {
    const newer =
      event.sourceTimeUs !== null && state.sourceTimeUs !== null && event.sourceTimeUs > state.sourceTimeUs
    if (!newer) return
    throw new EngineError(
      'E_HISTORY_BROKE',
      'stop-table',
      `an event stands at ${formatPosition(position)}, not after the row's ${formatPosition(state.position!)}, yet it is ` +
        'newer in time: the history of the source has broken (failover, restore, upgrade). Take a new snapshot, and let ' +
        'what follows beat all before: alluvium checkpoint reset PIPELINE --topic TOPIC --to OFFSET --new-epoch',
      {
        table: this.#input.table,
        topic: event.at.topic,
        partition: event.at.partition,
        offset: event.at.offset,
      },
    )
  }

  #applySnapshotRow(event: ChangeEvent, state: KeyState): void {
    if (!state.live) state.position = null
    this.#noteApplied(event, state)
    state.sourceTimeUs = event.sourceTimeUs
    state.live = true
    state.image = event.after
    this.#owed.told(state.key, event.after)
  }

  #applyDelete(event: ChangeEvent, state: KeyState): void {
    if (this.#hasJudgedOwners(event, state)) {
      this.#tally.duplicates++
      return
    }
    const isPreviousOwner = state.live && this.#concernsPreviousOwner(event, state)
    if (state.live && event.newKey !== null) this.#noteLeft(event, state)
    if (isPreviousOwner) {
      this.#tally.superseded++
      this.#input.marks.advance(event.at, event.position!)
      return
    }
    this.#noteApplied(event, state)
    this.#moveTo(event, state)
    if (event.newKey === null) this.#owed.told(state.key, null)
    else this.#owed.left(state.key, event.position!)
    state.live = false
    if (!this.#input.hasTwoRoads) return
    const isDug = state.grave !== null && comparePositions(event.position!, state.grave) <= 0
    if (!isDug) state.dugBy = event
    state.grave = event.position
  }

  #noteLeft(event: ChangeEvent, { key, image, fill }: KeyState): void {
    const position = event.position!
    // What the batch has told of the row is stored before it leaves (`TableWriter.mustFlushBefore`).
    const row = this.#rowAsToldBefore(event, image === null ? fill : null) ?? { position, image, fill }
    this.#left.set(key, [...(this.#left.get(key) ?? []), row])
  }

  /** The row that left a key of this batch at a position. */
  #leftAt(key: number, position: Position): LeftRow | undefined {
    return this.#left.get(key)?.find((row) => comparePositions(row.position, position) === 0)
  }

  #rowAsToldBefore({ before, position }: ChangeEvent, fill: StoredKey | null): LeftRow | null {
    const isWhole = this.#fullBefore && before !== null && !hasGaps(before)
    return isWhole ? { position: position!, image: before, fill } : null
  }

  /** The row that moves in with a key change, as it was under its old key. */
  #oldOwner(i: number): Unsent | null {
    const { events, oldKeyOf, leftBefore, isSpread } = this.#input
    if (oldKeyOf[i]! < 0) return null
    const state = this.#stateOf(oldKeyOf[i]!)
    const position = events[i]!.position!
    const left = this.#leftAt(state.key, position)
    if (left !== undefined) {
      const others = this.#left.get(state.key)!.filter((row) => row !== left)
      this.#left.set(state.key, others)
      return left
    }
    const before = leftBefore(oldKeyOf[i]!, position)
    if (before !== null || isSpread) return before
    // Its delete was never sent to us.
    const isBefore = state.position === null || comparePositions(state.position, position) < 0
    return state.live && isBefore ? state : null
  }

  /**
   * A row comes in under a new key. What it was not told is owed to it while the delete of its old key, which stands at
   * the same position, is still to be read from another partition: until then nobody knows what the old row became.
   *
   * @param gaps columns that the event does not tell
   */
  #noteOwed(i: number, state: KeyState, gaps: readonly string[], oldOwner: Unsent | null): void {
    const event = this.#input.events[i]!
    const { position } = event
    const from = this.#input.oldKeyOf[i]!
    const { key: row } = state
    this.#owed.told(row, null)
    if (oldOwner !== null) this.#followOwed(from, state, gaps, event)
    else {
      this.#owed.add({ from, at: position!, row, leftAt: null, columns: gaps })
      // With one partition, as far as we know, the delete has passed before we came.
      if (!this.#input.isSpread) this.#unpaid += gaps.length
    }
  }

  /**
   * The row that left `from` is known to be under another key: its debts are of that key now, and may be due. What the
   * row was under its last key may itself lack what it was not told there: the value of the earlier key change counts.
   */
  #followOwed(
    from: number,
    { key: row }: KeyState,
    columns: readonly string[],
    by: ChangeEvent,
    at = by.position!,
  ): void {
    const debts = this.#owed.follow(from, at, { row, leftAt: null, columns })
    for (const debt of debts.toSorted((a, b) => comparePositions(b.at, a.at))) {
      const payer = this.#leftAt(debt.from, debt.at) ?? this.#input.leftBefore(debt.from, debt.at)
      if (payer !== null) this.#pay(debt, payer, by)
    }
  }

  /** A row left its key: the one that has come in under the new key before gets what it was not told. */
  #payWhatWaitsFor(event: ChangeEvent, state: KeyState): void {
    const position = event.position!
    for (const debt of this.#owed.waitingFor(state.key, position)) {
      const payer = this.#leftAt(state.key, position) ?? this.#rowAsToldBefore(event, null)
      // One that is on its way is paid when it has come in.
      if (debt.leftAt !== null) continue
      this.#pay(debt, payer, event)
    }
  }

  /** @param debt of a row that is there */
  #pay(debt: OwedValue<number>, payer: Unsent | null, by: ChangeEvent): void {
    const state = this.#stateOf(debt.row)
    const row = state.image ?? this.#storedImage(state.stored)
    const told = payer?.image ?? null
    const stored = this.#storedImage(payer?.fill ?? null)
    const known = told !== null && stored !== null ? fillGaps(told, stored) : (told ?? stored)
    if (known === null || row === null) {
      this.#owed.remove(debt)
      this.#unpaid += debt.columns.length
      return
    }
    this.#owed.settle(debt)
    const paid = fillGaps(unsendColumns(row, debt.columns), known)
    const unknown = gapColumns(paid).filter((name) => debt.columns.includes(name))
    state.image = nullColumns(paid, unknown)
    state.paidBy = by
    this.#followOwed(debt.from, state, debt.columns, by, debt.at)
    const stillOwed = new Set(this.#owed.columnsOf(debt.row))
    this.#unpaid += unknown.filter((name) => !stillOwed.has(name)).length
  }

  #storedImage(stored: StoredKey | null): RowImage | null {
    return stored === null ? null : (this.#input.storedRowAt(stored)?.image ?? null)
  }

  #applyRow(event: ChangeEvent, state: KeyState, i: number): void {
    const oldOwner = this.#oldOwner(i)
    let image = event.after!
    if (event.op === 'u') {
      this.#learnReplicaIdentity(event, state)
      if (this.#fullBefore && event.before !== null && isSameRow(event.before, image)) {
        this.#tally.ignored++
        this.#input.marks.advance(event.at, event.position!)
        return
      }
    }
    let fill: StoredKey | null = null
    if (hasGaps(image)) {
      // A key change carries the unchanged columns over from the row under its old key.
      const base = event.oldKey !== null ? oldOwner : state.live ? state : null
      if (base?.image) image = fillGaps(image, base.image)
      fill = base?.fill ?? null
    }
    const isOverTwin = event.oldKey !== null && state.live && this.#isTwin(image, state)
    if (event.op === 'c') state.cameInBy = state.live || event.oldKey !== null ? event.txId : null
    this.#noteApplied(event, state)
    this.#moveTo(event, state)
    if (isOverTwin) this.#input.marks.noteTwin(event.at)
    state.live = true
    state.image = image
    state.fill = fill
    if (event.oldKey === null) this.#owed.told(state.key, event.after)
    else this.#noteOwed(i, state, gapColumns(event.after!), oldOwner)
    if (hasGaps(state.image)) state.image = nullColumns(state.image, this.#owed.columnsOf(state.key))
  }

  /**
   * With deferred constraints a key has two owners inside a transaction: the row that moved or came in, and the one
   * that still has to leave (`set id = 3 - id`). A delete in that transaction is about the one that leaves if its whole
   * before-image differs from the one that came in, or the one that came in is its twin.
   */
  #concernsPreviousOwner(event: ChangeEvent, state: KeyState): boolean {
    if (state.cameInBy === null || state.cameInBy !== event.txId) return false
    // By another road there may come what has happened to the row in place since: only a move tells of two owners.
    if (this.#input.hasTwoRoads && event.newKey === null) return false
    const stands = state.image ?? state.storedRow!.image
    const owed = this.#owed.columnsOf(state.key)
    // What the row has not been told is no difference.
    const inPlace =
      owed.length > 0 && event.before !== null ? fillGaps(unsendColumns(stands, owed), event.before) : stands
    const isTold = this.#fullBefore && event.before !== null && !hasGaps(inPlace)
    if (isTold) return !isSameRow(event.before, inPlace) || this.#input.marks.takeTwin(event.at)
    if (event.newKey !== null) this.#ambiguous.push(event)
    return false
  }

  /** A row that moves in and is, column for column, the one that has the key. */
  #isTwin(image: RowImage, { image: told, storedRow }: KeyState): boolean {
    const stored = storedRow === null || storedRow.isDeleted ? null : storedRow.image
    const inPlace = told ?? stored
    return this.#fullBefore && inPlace !== null && isSameRow(image, inPlace)
  }

  /**
   * Whether a delete that was about one of two owners of a key is sent again. The row in place does not tell: it is
   * older than the delete, since the one that left stood above it, and may have been read anew since.
   */
  #hasJudgedOwners(event: ChangeEvent, state: KeyState): boolean {
    if (!state.live || state.position === null || event.position === null) return false
    const isSameTransaction = state.position.seq === event.position.seq || isMoveWithoutSequence(event)
    return isSameTransaction && this.#input.marks.hasReached(event.at, event.position)
  }

  /**
   * A non-null `before` of an update whose key did not change can be a whole row or, under REPLICA IDENTITY USING
   * INDEX, index columns and fillers (formats §2.4). Equal to the row we hold, it is whole.
   */
  #learnReplicaIdentity(event: ChangeEvent, state: KeyState): void {
    if (this.#fullBefore || event.before === null || !state.live) return
    const known = state.image ?? state.storedRow?.image ?? null
    if (known === null || hasGaps(known) || !isSameRow(event.before, known)) return
    if (holdsMoreThanFillers(event)) this.#fullBefore = true
  }

  #noteApplied(event: ChangeEvent, state: KeyState): void {
    if (state.first === null) {
      state.first = event
      state.firstIsWhole =
        this.#fullBefore && event.op !== 'r' && event.before !== null && !hasGaps(event.before)
    }
    state.last = event
    state.appliedCount++
  }

  #moveTo(event: ChangeEvent, state: KeyState): void {
    state.position = event.position
    state.sourceTimeUs = event.sourceTimeUs
    this.#input.marks.advance(event.at, event.position!)
  }

  #netChanges(): NetChange[] {
    const changes: NetChange[] = []
    for (let key = 0; key < this.#states.length; key++) {
      const state = this.#states[key]
      if (state === undefined || (state.appliedCount === 0 && state.paidBy === null)) continue
      if (state.appliedCount > 0) {
        this.#tally.applied++
        this.#tally.superseded += state.appliedCount - 1
      }
      const after = this.#rowAfter(state)
      if (state.stored === null && after === null) {
        this.#cameAndWent ||= state.image !== null
        continue
      }
      changes.push({
        key,
        before: state.stored,
        beforeImage: state.firstIsWhole ? state.first!.before : null,
        after,
        last: state.last ?? state.paidBy!,
      })
    }
    return changes
  }

  /** A row that is stored with a position of its own needs no grave beside it. */
  #graves(): FoldResult['graves'] {
    return this.#states.flatMap((state, key) => {
      const { live, position, stored, image, dugBy } = state!
      const isKept = live ? position !== null : this.#input.softDeletes && (stored !== null || image !== null)
      return dugBy === null || isKept ? [] : [{ key, by: dugBy }]
    })
  }

  #rowAfter({ live, image, fill, position, sourceTimeUs, last, stored }: KeyState): RowAfter | null {
    if (image === null || (!live && !this.#input.softDeletes)) return null
    const whence = last === null ? this.#input.storedRowAt(stored!)! : { txId: last.txId, sourceTimeUs }
    return {
      image,
      fill: hasGaps(image) ? fill : null,
      position,
      txId: whence.txId,
      sourceTimeUs: whence.sourceTimeUs,
      isDeleted: !live,
    }
  }
}

/** The first transaction of a connector does not say which one came before it: `seq` is then the event's own LSN. */
export function isMoveWithoutSequence({ newKey, position }: ChangeEvent): boolean {
  return newKey !== null && position!.seq === position!.lsn
}

/**
 * Whether a column beside the key, unchanged and without a default, holds what Debezium would not have put there for a
 * value that it does not know: a filler is the column's default, null, or the zero of its type.
 */
export function holdsMoreThanFillers({ before, after, key }: ChangeEvent): boolean {
  return before!.shape.columns.some((column, i) => {
    if (column.hasDefault || key?.columns.some(({ name }) => name === column.name)) return false
    const cell = before!.cells[i]
    const at = after!.shape.indexOf.get(column.name)
    const isUnchanged = at !== undefined && after!.cells[at] === cell
    return isUnchanged && cell !== null && cell !== '' && cell !== 0 && cell !== 0n && cell !== false
  })
}
