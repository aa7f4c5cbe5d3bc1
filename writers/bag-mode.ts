import type { ChangeEvent, Column, RowImage } from '../schemas/change-event.ts'
import type { Cell } from '../schemas/delta-types.ts'
import type { Position } from '../schemas/position.ts'
import { foldBag } from './bag-fold.ts'
import { matchBag } from './bag-match.ts'
import { BatchKeys } from './batch-keys.ts'
import type { ChangeRows } from './change-rows.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { BagLocator } from './locator/bag-locator.ts'
import { HASH_WORDS, type KeyHasher } from './locator/key-encoding.ts'
import type { InTurn } from './locator/locator-keeper.ts'
import { rebuildLocator } from './locator/rebuild-locator.ts'
import { owedAbove, settleOwed } from './owed-rows.ts'
import type { Pace } from './pace.ts'
import { LaidRow } from './planned-row.ts'
import { deletedRows } from './stored-rows.ts'
import { RowMapper } from './table/row-mapper.ts'
import type { TableLayout } from './table/table-layout.ts'
import type { TableReader } from './table/table-reader.ts'
import { type BatchPlan, type PlanContext, planWith, RowsByFile, type TableMode } from './table-mode.ts'

/**
 * A table without a key as an exact bag of rows (design §3.3). Its feed is always derived: without a key an update is
 * a row that leaves and a row that comes.
 */
export class BagMode implements TableMode {
  readonly #hasher: KeyHasher
  #locator = new BagLocator()

  constructor(hasher: KeyHasher) {
    this.#hasher = hasher
  }

  get files(): BagLocator['files'] {
    return this.#locator.files
  }

  /** Always from all files. */
  async follow(
    _known: TableSnapshot | null,
    snapshot: TableSnapshot,
    layout: TableLayout,
    reader: TableReader,
  ): Promise<void> {
    const locator = new BagLocator()
    const columns = layout.shape.columns
    const hash = this.#rowHash(columns)
    const words = new Uint32Array(HASH_WORDS)
    await rebuildLocator(snapshot, layout, reader, locator.files, columns, (cells, stored) => {
      hash(cells, words, 0)
      locator.add(words, 0, stored)
    })
    this.#locator = locator
  }

  async plan(events: readonly ChangeEvent[], context: PlanContext): Promise<BatchPlan> {
    const { layout, marks } = context
    const mapper = new RowMapper(layout)
    const keys = new BatchKeys(this.#hasher)
    const hash = this.#rowHash(layout.shape.columns)
    const rowNumber = (image: RowImage): number =>
      keys.number((words, at) => hash(mapper.cells(image), words, at))
    const fold = foldBag({ events, rowNumber, marks, floor: context.floor })
    const match = matchBag(
      fold,
      (row, count) => this.#locator.copies(keys.words, keys.at(row), count),
      ({ image }) =>
        olderForms(mapper.cells(image), context).map((cells) =>
          keys.number((words, at) => hash(cells, words, at)),
        ),
    )

    const digest = this.#rowDigest(layout.shape.columns)
    const waitsFor = context.isSpread ? match.missing : []
    const settled = settleOwed({ added: match.added, missing: waitsFor }, context.owed, (image) =>
      digest(mapper.cells(image)),
    )

    const deleted = new RowsByFile()
    for (const place of match.places) deleted.add(place)
    const rows = settled.added.map(
      ({ image, event }) => new LaidRow(image, mapper.mappingOf(image.shape), event),
    )
    return planWith(context, {
      rows,
      deleted: deleted.rows,
      changes: await this.#changeRows(rows, deleted, context),
      cameAndWent: match.tally.superseded > 0,
      counts: { inserted: rows.length, updated: 0, deleted: deleted.count },
      tally: {
        ...match.tally,
        applied: match.tally.applied - settled.paid,
        superseded: match.tally.superseded + settled.paid,
      },
      unmatchedRows: match.missing.length - waitsFor.length + settled.givenUp,
      owed: settled.owed,
      moveLocator: (placeOf) => {
        for (const [row, count] of match.removed) this.#locator.remove(keys.words, keys.at(row), count)
        settled.added.forEach(({ row, event }, i) => {
          this.#locator.add(keys.words, keys.at(row), { place: placeOf(i), position: event.position })
        })
      },
    })
  }

  readonly planMoment = null

  async planTruncate(floor: Position, context: PlanContext): Promise<BatchPlan> {
    const deleted = new RowsByFile()
    for (const { place } of this.#locator.below(floor)) deleted.add(place)
    return planWith(context, {
      deleted: deleted.rows,
      changes: await this.#changeRows([], deleted, context),
      counts: { inserted: 0, updated: 0, deleted: deleted.count },
      owed: owedAbove(context.owed, floor),
      moveLocator: () => this.#locator.removeBelow(floor),
    })
  }

  /** Needed only where files are rewritten: a feed of rows that come and go is otherwise derived. */
  async #changeRows(
    rows: readonly LaidRow[],
    deleted: RowsByFile,
    context: PlanContext,
  ): Promise<ChangeRows | null> {
    const { rewritesFiles, wantsChangeRows } = context.feed
    if (deleted.count === 0 || !rewritesFiles || !wantsChangeRows(context.fullBefore)) return null
    const changes = await deletedRows(deleted, context, this.files)
    for (const row of rows) changes.add('insert', row)
    return changes
  }

  keep(_inTurn: InTurn, pace: Pace): Promise<void> {
    return this.#locator.settleWhenDue(pace)
  }

  /** A bag is made anew at each start. */
  async save(): Promise<void> {}

  release(): void {}

  /** Hashes a row's cells, given in the order of `columns`, by column name. */
  #rowHash(columns: readonly Column[]): (cells: readonly Cell[], words: Uint32Array, at: number) => void {
    const order = orderByName(columns)
    const sorted = order.map((i) => columns[i]!)
    return (cells, words, at) => {
      this.#hasher.hashRow(
        sorted,
        order.map((i) => cells[i]!),
        words,
        at,
      )
    }
  }

  /** As `#rowHash`, the same in every process. */
  #rowDigest(columns: readonly Column[]): (cells: readonly Cell[]) => string {
    const order = orderByName(columns)
    const sorted = order.map((i) => columns[i]!)
    return (cells) =>
      this.#hasher.rowDigest(
        sorted,
        order.map((i) => cells[i]!),
      )
  }
}

function orderByName(columns: readonly Column[]): number[] {
  return columns.map((_, i) => i).sort((a, b) => (columns[a]!.name < columns[b]!.name ? -1 : 1))
}

/**
 * The row as it is stored if it is older than its last column, its last two, and so on: what the source has filled a
 * column with that came later, no event has told (design §3.6).
 */
function olderForms(cells: readonly Cell[], { addedLater, layout }: PlanContext): Cell[][] {
  const forms: Cell[][] = []
  let form = [...cells]
  for (const name of [...addedLater].reverse()) {
    const at = layout.shape.indexOf.get(name)
    if (at === undefined || form[at] === null) continue
    form = [...form]
    form[at] = null
    forms.push(form)
  }
  return forms
}
