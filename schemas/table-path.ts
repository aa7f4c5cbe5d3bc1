import { EngineError } from '../core/errors.ts'
import type { TableId } from './change-event.ts'

export const TABLE_PATH_TEMPLATE = '{schema}/{table}'

/** What file systems hold in one name, less some room for the names of files beside it. */
const PART_BYTES_MAX = 200
const PLAIN = /^[A-Za-z0-9_.-]$/
const PLACEHOLDER = /\{(sourceName|database|schema|table)\}/g
const utf8 = new TextEncoder()

/**
 * Where a table lies in the lake: the template with each part of the table's name put in, encoded by `encodePathPart`,
 * so that two tables never share a path of one template that names what tells them apart, and no name leads outside.
 *
 * @param template with `{sourceName}`, `{database}`, `{schema}`, `{table}` between its slashes
 * @returns a relative path without empty, hidden or parent parts
 * @throws EngineError `E_TABLE_PATH`: `usage` when the template cannot be used, `stop-table` when a name is too long
 */
export function tablePath(template: string, table: TableId): string {
  checkTemplate(template)
  const filled = template.replace(PLACEHOLDER, (_, part: keyof TableId) => encodePathPart(table[part]))
  for (const part of filled.split('/')) {
    if (part.length > PART_BYTES_MAX) throw tooLong(table, part)
  }
  return filled
}

/**
 * One name as one part of a path, each name its own: `A-Z a-z 0-9 _ . -` stand for themselves, every other byte of its
 * UTF-8 is `~` and two hex digits. A first `_` or `.` is encoded too, since readers take such folders for hidden ones
 * (and `_delta_log` for a log), and so is a `.` behind a `.`. Half characters (lone surrogates), which UTF-8 has no bytes for, take those of their
 * number all the same.
 */
export function encodePathPart(name: string): string {
  let encoded = ''
  for (const character of name) {
    const isHiding = encoded === '' && character === '_'
    const isDots = character === '.' && (encoded === '' || encoded.endsWith('.'))
    encoded += PLAIN.test(character) && !isHiding && !isDots ? character : encodeBytes(character)
  }
  return encoded === '' ? '~' : encoded
}

/** The name that `encodePathPart` made this of; halves of characters come back as the replacement character. */
export function decodePathPart(part: string): string {
  if (part === '~') return ''
  const bytes = part.replace(/~([0-9A-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 16)),
  )
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)))
}

function encodeBytes(character: string): string {
  const unit = character.charCodeAt(0)
  const isHalf = character.length === 1 && unit >= 0xd800 && unit <= 0xdfff
  const bytes = isHalf
    ? [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]
    : utf8.encode(character)
  return Array.from(bytes, (byte) => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/**
 * @throws EngineError `E_TABLE_PATH` (usage) when a template has a part that is empty or hidden, holds anything but
 * plain characters and placeholders, runs two placeholders together, or does not name the table
 */
export function checkTemplate(template: string): void {
  for (const part of template.split('/')) {
    if (!/^(?:[A-Za-z0-9-]|\{\w+\})[A-Za-z0-9_.-]*(?:\{\w+\}[A-Za-z0-9_.-]*)?$/.test(part))
      throw unfit(template)
    if (part.replace(PLACEHOLDER, 'x').includes('{') || part.includes('..')) throw unfit(template)
    if ((part.match(PLACEHOLDER)?.length ?? 0) > 1) throw unfit(template)
  }
  if (!template.includes('{table}')) throw unfit(template)
}

function unfit(template: string): EngineError {
  return new EngineError(
    'E_TABLE_PATH',
    'usage',
    `${JSON.stringify(template)} cannot be the path of a table: write parts of letters, digits, "-", "_", ".", at most ` +
      'one of {sourceName}, {database}, {schema}, {table} in each, with {table} among them, such as {schema}/{table}',
  )
}

function tooLong(table: TableId, part: string): EngineError {
  return new EngineError(
    'E_TABLE_PATH',
    'stop-table',
    `the name of this table needs ${part.length} bytes in a path, and ${PART_BYTES_MAX} is the most that every store ` +
      'holds; leave the table out of the topics, or rename it at the source',
    { table: `${table.schema}.${table.table}` },
  )
}
