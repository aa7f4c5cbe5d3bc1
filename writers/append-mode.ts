import type { ChangeEvent, RowImage } from '../schemas/change-event.ts'
import { FileOrdinals } from './locator/file-ordinals.ts'
import { LaidRow } from './planned-row.ts'
import { nullGaps } from './row-image.ts'
import { RowMapper } from './table/row-mapper.ts'
import { type BatchPlan, type PlanContext, planWith, type TableMode } from './table-mode.ts'
import { emptyTally } from './tally.ts'

/** What a TRUNCATE tells of rows. */
const NOTHING: RowImage = { shape: { columns: [], indexOf: new Map() }, cells: [] }

/** Every event a row, with its operation and position: an audit log (design §3.3 `append`). Nothing is looked up. */
export class AppendMode implements TableMode {
  readonly files = new FileOrdinals()

  async follow(): Promise<void> {}

  async plan(events: readonly ChangeEvent[], context: PlanContext): Promise<BatchPlan> {
    const tally = emptyTally()
    const mapper = new RowMapper(context.layout)
    const rows: LaidRow[] = []
    let unresolvedUnavailable = 0
    for (const event of events) {
      if (event.position !== null) {
        if (context.marks.isResend(event, event.position)) {
          tally.duplicates++
          continue
        }
        context.marks.advance(event.at, event.position)
      }
      const { image, gaps } = nullGaps(event.after ?? event.before ?? NOTHING)
      unresolvedUnavailable += gaps
      rows.push(new LaidRow(image, mapper.mappingOf(image.shape), event))
      tally.applied++
    }
    const counts = { inserted: rows.length, updated: 0, deleted: 0 }
    return planWith(context, { rows, counts, tally, unresolvedUnavailable })
  }

  /** A log keeps what was: a TRUNCATE is a row like the others. */
  readonly planTruncate = null

  readonly planMoment = null

  async keep(): Promise<void> {}

  async save(): Promise<void> {}

  release(): void {}
}
