import type { ChangeEvent } from '../schemas/change-event.ts'
import type { Position } from '../schemas/position.ts'
import type { Visibility } from '../schemas/visibility.ts'
import type { ChangeRows } from './change-rows.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import type { Grave, Graves } from './graves.ts'
import type { FileOrdinals } from './locator/file-ordinals.ts'
import type { Place } from './locator/hash-table.ts'
import type { InTurn } from './locator/locator-keeper.ts'
import type { MomentPlan, UntouchedRow } from './moment-planner.ts'
import type { OwedRow } from './owed-rows.ts'
import type { OwedValue } from './owed-values.ts'
import type { Pace } from './pace.ts'
import type { PartitionMarks } from './partition-marks.ts'
import type { PlannedRow } from './planned-row.ts'
import type { TableLayout } from './table/table-layout.ts'
import type { TableReader } from './table/table-reader.ts'
import { emptyTally, type Tally } from './tally.ts'

/** When a commit brings its own change rows; a commit without them is read by what it adds and deletes. */
export interface FeedChoice {
  /** `changeFeed` of the contract, once it is known whether events carry whole rows before. */
  readonly wantsChangeRows: (fullBefore: boolean) => boolean
  /** Files with deleted rows are rewritten (`merge: at-once`): untouched rows would look deleted and inserted. */
  readonly rewritesFiles: boolean
}

/** What a batch is planned against. */
export interface PlanContext {
  readonly table: string
  /** `null`: the batch creates the table. */
  readonly snapshot: TableSnapshot | null
  readonly layout: TableLayout
  readonly reader: TableReader
  /** A copy of its own: the plan moves it on. */
  readonly marks: PartitionMarks
  readonly floor: Position | null
  /** `null`: all events of a key come by one road, and its marks tell what is sent again. */
  readonly graves: Pick<Graves, 'find'> | null
  /** The same, of any table: where rows left their key, and the other half was not there. */
  readonly openGraves: () => Promise<Pick<Graves, 'find'>>
  /** The highest position that had been applied when the locator was last made anew. */
  readonly openedAt: Position | null
  readonly fullBefore: boolean
  /** Columns that are younger than some rows, which may hold null where the source has a default. */
  readonly addedLater: ReadonlySet<string>
  /** Columns in which a row may hold null because its value was never sent. */
  readonly unsent: ReadonlySet<string>
  /** Rows of a table without a key that went before they came. */
  readonly owed: readonly OwedRow[]
  /** What rows that changed their key have not been told. */
  readonly owedValues: readonly OwedValue[]
  /** Several partitions feed the table: without a key a row can go before it comes, with one it can come before it goes. */
  readonly isSpread: boolean
  readonly feed: FeedChoice
}

/** What a batch does to a table: data, not yet files. */
export interface BatchPlan {
  /** To be written. */
  readonly rows: readonly PlannedRow[]
  /** File ordinal → rows that leave it. */
  readonly deleted: ReadonlyMap<number, readonly number[]>
  /** All changes of the commit, or `null`: readers derive them from files and deletion vectors. */
  readonly changes: ChangeRows | null
  /** Rows came and went: nothing of them is left, but a part of the batch alone would leave them. */
  readonly cameAndWent: boolean
  readonly counts: RowCounts
  readonly tally: Tally
  /** Positions applied, after this batch. */
  readonly marks: PartitionMarks
  /** Position of the last TRUNCATE, after this batch. */
  readonly floor: Position | null
  /** Keys that the batch deleted, or found deleted; none where no graves are kept. */
  readonly graves: readonly Grave[]
  readonly fullBefore: boolean
  /** Gaps for which no older value was to be found: written as null. */
  readonly unresolvedUnavailable: number
  /** Their columns, where later before-images will tell what the table does not hold. */
  readonly unsentColumns: ReadonlySet<string>
  /** Rows that went before they came, after this batch. */
  readonly owed: readonly OwedRow[]
  /** What rows that changed their key have not been told, after this batch. */
  readonly owedValues: readonly OwedValue[]
  /** Copies that a table without a key should have lost and does not hold: its columns differ from the source's. */
  readonly unmatchedRows: number
  /** Deletes that may have hit the wrong owner of a key (design §3.3 "Key swaps"). */
  readonly ambiguousKeyMoves: readonly ChangeEvent[]
  /** Moves the locator to the commit's version; called once, after the commit. `placeOf` tells where row i of `rows` is. */
  readonly moveLocator: (placeOf: (row: number) => Place) => void
}

export interface RowCounts {
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

export function addCounts(to: { -readonly [K in keyof RowCounts]: number }, from: RowCounts): void {
  to.inserted += from.inserted
  to.updated += from.updated
  to.deleted += from.deleted
}

/** What of a moment is still newer than the table. */
export interface UntouchedMoment {
  readonly rows: readonly UntouchedRow[]
  readonly visibility: Visibility
  readonly reached: Position | null
}

/** How one table takes in events: by key, as a bag, or as a log. Holds the table's locator. */
export interface TableMode {
  readonly files: FileOrdinals
  /**
   * Makes the locator fit a snapshot.
   *
   * @param known the snapshot that it fits now; `null`: none yet
   */
  follow(
    known: TableSnapshot | null,
    snapshot: TableSnapshot,
    layout: TableLayout,
    reader: TableReader,
  ): Promise<void>
  plan(events: readonly ChangeEvent[], context: PlanContext): Promise<BatchPlan>
  /** A TRUNCATE at `floor`: every row below it goes. `null`: to this mode it is an event like the others. */
  readonly planTruncate: ((floor: Position, context: PlanContext) => Promise<BatchPlan>) | null
  /** Rows of a moment, see `planMomentRows`. `null`: rows of this mode have no key to be told apart by. */
  readonly planMoment: ((moment: UntouchedMoment, context: PlanContext) => Promise<MomentPlan>) | null
  /** Does for the locator, beside batches, what they shall not wait for. */
  keep(inTurn: InTurn, pace: Pace): Promise<void>
  /** Keeps the locator for the next start, where there is a place for that. */
  save(inTurn: InTurn, pace: Pace): Promise<void>
  /** Lets go of memory and files. */
  release(): void
}

/** A plan that changes nothing, with what `parts` says. */
export function planWith(context: PlanContext, parts: Partial<BatchPlan>): BatchPlan {
  return {
    rows: [],
    deleted: new Map(),
    changes: null,
    cameAndWent: false,
    counts: { inserted: 0, updated: 0, deleted: 0 },
    tally: emptyTally(),
    marks: context.marks,
    floor: context.floor,
    graves: [],
    fullBefore: context.fullBefore,
    unresolvedUnavailable: 0,
    unsentColumns: new Set(),
    owed: context.owed,
    owedValues: context.owedValues,
    unmatchedRows: 0,
    ambiguousKeyMoves: [],
    moveLocator: () => {},
    ...parts,
  }
}

/** Rows that leave, by file. */
export class RowsByFile {
  readonly rows = new Map<number, number[]>()
  count = 0

  add(place: Place): void {
    this.count++
    const rows = this.rows.get(place.file)
    if (rows === undefined) this.rows.set(place.file, [place.row])
    else rows.push(place.row)
  }

  *places(): Generator<Place> {
    for (const [file, rows] of this.rows) for (const row of rows) yield { file, row }
  }
}
