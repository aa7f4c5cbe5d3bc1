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
}

const GAP = '  '
const COLUMN_WIDTH_MIN = 8

/**
 * Aligned lines under a heading; texts are cut (`…`) to fit the width, the widest column first.
 *
 * @param width of the terminal in characters; infinite for files and pipes, where nothing is cut
 */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly TableCell[])[],
  width: number,
): string {
  const heading = columns.map((column) => column.title)
  const cells = [heading, ...rows.map((row) => row.map(printable))]
  const widths = fitWidths(
    columns.map((_, i) => Math.max(...cells.map((row) => lengthOf(row[i] ?? '')))),
    width,
  )
  const lines = cells.map((row) =>
    columns.map((column, i) => pad(cut(row[i] ?? '', widths[i]!), widths[i]!, column.align)),
  )
  return lines.map((line) => `${line.join(GAP).trimEnd()}\n`).join('')
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
  const total = () => widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1)
  while (total() > width) {
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
