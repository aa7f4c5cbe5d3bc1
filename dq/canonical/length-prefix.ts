import type { Cell } from '../../schemas/delta-types.ts'
import type { CanonicalText } from './canonical-text.ts'

/*
 * `N` for null, else the count of octets, a colon and the text: so no two rows of values have one text, whatever is in
 * the values.
 */

export function lengthPrefixed(
  { text, isAscii }: Pick<CanonicalText, 'text' | 'isAscii'>,
  cell: Cell,
): string {
  if (cell === null) return 'N'
  const made = text(cell)
  return `${isAscii ? made.length : Buffer.byteLength(made)}:${made}`
}

/** @param text an expression that may be repeated; of a database in UTF-8, where octets are the same as ours */
export function lengthPrefixedSql(text: string): string {
  return `coalesce(octet_length(${text}) || ':' || ${text}, 'N')`
}

/** The texts that were put one after the other. @param prefixed made by `lengthPrefixed`, here or in SQL */
export function parseLengthPrefixed(prefixed: string): readonly (string | null)[] {
  const bytes = Buffer.from(prefixed)
  const texts: (string | null)[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === NULL) {
      texts.push(null)
      at++
      continue
    }
    const colon = bytes.indexOf(COLON, at)
    const end = colon + 1 + Number(bytes.toString('latin1', at, colon))
    texts.push(bytes.toString('utf8', colon + 1, end))
    at = end
  }
  return texts
}

const NULL = 0x4e
const COLON = 0x3a
