import { cellText, rowJson } from '../../schemas/cell-json.ts'
import type { Cell, DeltaType, StructField, StructType } from '../../schemas/delta-types.ts'
import { formatTable, type TableColumn, toJson } from './output.ts'
import type { Terminal } from './terminal.ts'

/** Rows written at once: a feed of any length is held in blocks of so many, and aligned in them. */
const BLOCK_ROWS = 500

/**
 * Writes rows as they come: with `json` a line each, else aligned under their names.
 *
 * @returns how many; fewer than there are when the reader of our output went away
 */
export async function writeRows(
  rows: AsyncIterable<readonly Cell[]>,
  fields: readonly StructField[],
  asJson: boolean,
  stdout: Terminal,
): Promise<number> {
  let count = 0
  let block: (readonly Cell[])[] = []
  const flush = async () => {
    stdout.write(asJson ? blockJson(block, fields) : blockText(block, fields, stdout.columns))
    count += block.length
    block = []
    await stdout.flushed()
  }
  for await (const cells of rows) {
    if (block.push(cells) < BLOCK_ROWS) continue
    await flush()
    if (!stdout.isOpen) return count
  }
  if (block.length > 0) await flush()
  return count
}

/** The columns to show: those named, else all but our own (`_cdc_…`), unless they are asked for. */
export function shownColumns(
  schema: StructType,
  options: { readonly columns?: readonly string[]; readonly allColumns?: boolean },
): readonly string[] {
  if (options.columns !== undefined) return options.columns
  const names = schema.fields.map((field) => field.name)
  return options.allColumns === true ? names : names.filter((name) => !name.startsWith('_cdc_'))
}

function blockJson(rows: readonly (readonly Cell[])[], fields: readonly StructField[]): string {
  return rows.map((cells) => `${toJson(rowJson(fields, cells))}\n`).join('')
}

function blockText(
  rows: readonly (readonly Cell[])[],
  fields: readonly StructField[],
  width: number,
): string {
  const columns = fields.map(({ name, type }): TableColumn => ({ title: name, align: alignOf(type) }))
  const texts = rows.map((cells) => fields.map(({ type }, i) => cellText(type, cells[i]!)))
  return formatTable(columns, texts, width)
}

const NUMBERS: ReadonlySet<DeltaType> = new Set(['byte', 'short', 'integer', 'long', 'float', 'double'])

function alignOf(type: DeltaType): 'left' | 'right' {
  const isDecimal = typeof type !== 'string' && type.kind === 'decimal'
  return isDecimal || NUMBERS.has(type) ? 'right' : 'left'
}
