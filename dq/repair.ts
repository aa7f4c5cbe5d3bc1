import { EngineError } from '../core/errors.ts'
import type { Column, RowKey } from '../schemas/change-event.ts'
import { type Cell, UNAVAILABLE } from '../schemas/delta-types.ts'
import type { MomentRow, MomentRowsTaker } from '../writers/moment-rows.ts'
import { rowShape } from '../writers/table/table-layout.ts'
import { addCounts } from '../writers/table-mode.ts'
import { parseLengthPrefixed } from './canonical/length-prefix.ts'
import type { CheckedTable } from './checked-table.ts'
import type { ComparedColumn, ComparedTable } from './compared-table.ts'
import type { DqLimits, DqPorts } from './dq-ports.ts'
import { type Look, takeLook } from './look.ts'
import type { RepairReport } from './verdict.ts'

/** Does work with whoever commits rows to a table. */
export type WithTaker = <T>(table: CheckedTable, work: (taker: MomentRowsTaker) => Promise<T>) => Promise<T>

/** What was done, before it is known what came of it. */
export type Repaired = Omit<RepairReport, 'verified'>

/** Rows that are brought at once; of wide ones less. */
const PIECE_ROWS = 5_000
const PIECE_LETTERS = 4_000_000
/** Keys of one look, whose rows are held in memory. */
const LOOK_KEYS = 20_000
/** Looks at rows that moved at each of those before. */
const LOOKS_MAX = 4

/**
 * Brings rows that differ to what the source has: reads them at a moment of the source once the lake holds all that the
 * moment sees, and lets the owner of the table commit those of which the stream knows nothing newer.
 *
 * Of a row that both have only the columns that differ are told; what the lake has of the others stays.
 *
 * @param differing canonical texts of their keys
 * @throws EngineError what the source and the store throw
 */
export async function repairRows(
  ports: DqPorts,
  limits: DqLimits,
  checked: CheckedTable,
  differing: ReadonlySet<string>,
  withTaker: WithTaker,
): Promise<Repaired> {
  const repair = new Repair()
  try {
    await withTaker(checked, async (taker) => {
      let left = [...differing]
      for (let looks = 0; looks < LOOKS_MAX && left.length > 0; looks++) {
        const again: string[] = []
        for (let at = 0; at < left.length; at += LOOK_KEYS) {
          const keys = new Set(left.slice(at, at + LOOK_KEYS))
          again.push(...(await repairAtOneMoment(ports, limits, checked, keys, taker, repair)))
        }
        left = again
      }
    })
  } catch (error) {
    if (!(error instanceof EngineError) || error.remedy === 'usage') throw error
    repair.notes.add(error.message)
  }
  return repair.report(differing.size)
}

/** @returns the keys that are to be looked at again */
async function repairAtOneMoment(
  ports: DqPorts,
  limits: DqLimits,
  checked: CheckedTable,
  keys: ReadonlySet<string>,
  taker: MomentRowsTaker,
  repair: Repair,
): Promise<readonly string[]> {
  const watch = await taker.watch()
  const taken = await takeLook(ports, limits, checked, {
    early: async () => {},
    work: async (look) => {
      if (look.table.key === null) {
        repair.notes.add('rows of a table without a key are not repaired: nothing tells them apart')
        repair.impossible += keys.size
        return []
      }
      repair.noteColumns(look.table)
      const again: string[] = []
      for await (const piece of differingRows(look, keys, repair)) {
        const { snapshot } = look.moment.visibility
        const report = await taker.give({ watch, snapshot, rows: piece.map(({ row }) => row) })
        addCounts(repair.written, report.counts)
        repair.unchanged += report.unchanged
        if (report.why !== null) repair.notes.add(report.why)
        again.push(...report.deferred.map((at) => piece[at]!.keyText))
        await look.moment.stayOpen()
      }
      return again
    },
  })
  if (taken.kind === 'taken') return taken.result
  repair.notes.add(taken.found.detail ?? taken.found.verdict)
  return [...keys]
}

interface KeyedRow {
  readonly keyText: string
  readonly row: MomentRow
}

/** What the source has of keys that differ at this moment too, in pieces. */
async function* differingRows(
  look: Look,
  keys: ReadonlySet<string>,
  repair: Repair,
): AsyncGenerator<readonly KeyedRow[]> {
  const source = new Map<string, readonly (string | null)[]>()
  for await (const { keyText, texts } of look.source.textsOf(keys)) source.set(keyText, texts)
  const lake = new Map<string, readonly Cell[]>()
  await look.lake.scan((cells) => {
    const keyText = look.digests.keyText(cells)
    if (keys.has(keyText)) lake.set(keyText, cells)
  })
  const rows = new RowMaker(look.table)
  let piece: KeyedRow[] = []
  let letters = 0
  for (const keyText of keys) {
    const [texts, cells] = [source.get(keyText) ?? null, lake.get(keyText) ?? null]
    const stored = cells === null ? null : look.digests.columnTexts(cells)
    if (isSame(texts, stored)) {
      repair.unchanged++
      continue
    }
    const key = rows.key(keyText, cells)
    if (key === null) {
      repair.impossible++
      repair.notes.add('rows that the lake lacks are not repaired: several values of their key have one text')
      continue
    }
    piece.push({ keyText, row: { key, image: texts === null ? null : rows.image(texts, stored) } })
    letters += texts?.reduce((sum, text) => sum + (text?.length ?? 0), 0) ?? 0
    if (piece.length < PIECE_ROWS && letters < PIECE_LETTERS) continue
    yield piece
    piece = []
    letters = 0
  }
  if (piece.length > 0) yield piece
}

type Texts = readonly (string | null)[] | null

function isSame(a: Texts, b: Texts): boolean {
  if (a === null || b === null) return a === b
  return a.every((text, i) => text === b[i])
}

/** Makes rows, as writers know them, of canonical texts. */
class RowMaker {
  readonly #columns: readonly ComparedColumn[]
  readonly #key: readonly ComparedColumn[]
  readonly #keyColumns: readonly Column[]
  readonly #shape

  constructor({ columns, key }: ComparedTable) {
    this.#columns = columns
    this.#key = key!
    this.#keyColumns = this.#key.map(columnOf)
    this.#shape = rowShape(columns.map(columnOf))
  }

  /** @param cells of the row in the lake. @returns `null`: the text does not tell the value */
  key(keyText: string, cells: readonly Cell[] | null): RowKey | null {
    const texts = parseLengthPrefixed(keyText)
    if (cells === null && !this.#key.every(({ canonical }) => canonical.isOneToOne)) return null
    const values = this.#key.map((column, i) =>
      cells === null ? column.canonical.cell(texts[i]!) : cells[this.#columns.indexOf(column)]!,
    )
    return { columns: this.#keyColumns, values }
  }

  /** @param stored texts of the row in the lake: what is the same is not told */
  image(texts: readonly (string | null)[], stored: Texts): MomentRow['image'] {
    const cells = this.#columns.map(({ canonical }, i) => {
      if (stored !== null && stored[i] === texts[i]) return UNAVAILABLE
      return texts[i] === null ? null : canonical.cell(texts[i]!)
    })
    return { shape: this.#shape, cells }
  }
}

function columnOf({ name, field }: ComparedColumn): Column {
  return { name, type: field.type, hasDefault: false }
}

/** What has been done so far. */
class Repair {
  readonly written = { inserted: 0, updated: 0, deleted: 0 }
  readonly notes = new Set<string>()
  unchanged = 0
  impossible = 0

  noteColumns({ incomplete, lossy, columns }: ComparedTable): void {
    const compared = new Set(columns.map(({ name }) => name))
    for (const { column, reason } of [...incomplete, ...lossy])
      if (!compared.has(column)) this.notes.add(`column ${column} is not repaired: ${reason}`)
  }

  /** @param rows that were to be repaired: those of which nothing was heard are left as they are */
  report(rows: number): Repaired {
    const { inserted, updated, deleted } = this.written
    const told = inserted + updated + deleted + this.unchanged + this.impossible
    const { unchanged, impossible, notes } = this
    return { ...this.written, unchanged, impossible, deferred: rows - told, notes: [...notes] }
  }
}
