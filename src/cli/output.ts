/** One line of JSON. A `bigint` becomes a number where that is exact, else a text of its digits. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? exactOrText(item) : item), indent)
}

function exactOrText(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

export type TableCell = string | number | bigint | boolean | null

export interface TableColumn {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** It is left out where no row has anything for it. */
  readonly isRare?: boolean
  /** It is left out where the terminal is too narrow, the last one first. */
  readonly isDetail?: boolean
}

const GAP = '  '
const COLUMN_WIDTH_MIN = 8
/** Stands in the heading for columns that did not fit. */
const MORE = '…'

/**
 * Aligned lines under a heading. Where the width does not hold them details are left out, then texts are cut (`…`), the
 * widest column first.
 *
 * @param width of the terminal in characters; infinite for files and pipes, where nothing is cut
 */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly TableCell[])[],
  width: number,
): string {
  const all = columns.map(({ title, ...column }, i): LaidColumn => {
    const cells = rows.map((row) => printable(row[i] ?? null))
    return { ...column, cells: [title, ...cells], width: Math.max(...[title, ...cells].map(lengthOf)) }
  })
  const used = all.filter(
    ({ isRare, cells }) => isRare !== true || cells.some((cell, i) => i > 0 && cell !== ''),
  )
  const shown = withoutDetails(used, width)
  const widths = fitWidths(
    shown.map((column) => column.width),
    width,
  )
  const lines = [-1, ...rows.keys()].map((row) =>
    shown.map(({ cells, align }, i) => pad(cut(cells[row + 1]!, widths[i]!), widths[i]!, align)),
  )
  return lines.map((line) => `${line.join(GAP).trimEnd()}\n`).join('')
}

interface LaidColumn extends Omit<TableColumn, 'title'> {
  /** Below its title. */
  readonly cells: readonly string[]
  readonly width: number
}

/** As many details as fit, from the left. */
function withoutDetails(columns: readonly LaidColumn[], width: number): readonly LaidColumn[] {
  if (totalWidth(columns.map((column) => column.width)) <= width) return columns
  const last = columns.findLastIndex(({ isDetail }) => isDetail === true)
  if (last === -1) return columns
  const more: LaidColumn = {
    cells: columns[0]!.cells.map((_, i) => (i === 0 ? MORE : '')),
    width: MORE.length,
  }
  const rest = columns.filter((column, i) => i !== last && column.cells[0] !== MORE)
  return withoutDetails([...rest, more], width)
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1)
}

/** Text that cannot move the cursor, colour the screen or break the line. */
export function printable(value: TableCell): string {
  const text =
    value === null
      ? ''
      : typeof value === 'number'
        ? formatCount(value)
        : typeof value === 'bigint'
          ? formatCount(value)
          : String(value)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escapeCharacter)
}

/** `1234567` as `1,234,567`. */
export function formatCount(count: number | bigint): string {
  return count.toLocaleString('en-US')
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
}

function fitWidths(natural: readonly number[], width: number): readonly number[] {
  const widths = [...natural]
  while (totalWidth(widths) > width) {
    const widest = widths.indexOf(Math.max(...widths))
    if (widths[widest]! <= COLUMN_WIDTH_MIN) break
    widths[widest]!--
  }
  return widths
}

function lengthOf(text: string): number {
  return [...text].length
}

function cut(text: string, width: number): string {
  return lengthOf(text) <= width ? text : `${[...text].slice(0, width - 1).join('')}…`
}

function pad(text: string, width: number, align: TableColumn['align']): string {
  const space = ' '.repeat(width - lengthOf(text))
  return align === 'right' ? space + text : text + space
}
