/** Characters that Delta refuses in a column name without column mapping, and those that no name should hold. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const FORBIDDEN = /[ ,;{}()=\u0000-\u001f\u007f]/g

/** Looks like one of our own escapes, so its underscore is escaped as well. */
const ESCAPE_ALIKE = /_(?=u[0-9A-F]{4})/g

/**
 * The name under which a source column is stored (design §3.6). One injective rule: a character that Delta cannot
 * hold becomes `_uXXXX`; a name that looks escaped already is escaped itself. Most names are left as they are.
 */
export function deltaColumnName(name: string): string {
  return name.replace(ESCAPE_ALIKE, escapeChar('_')).replace(FORBIDDEN, escapeChar)
}

function escapeChar(char: string): string {
  return `_u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}

/** Names that mean something to readers of the change feed, or to us. */
export function isReservedColumnName(name: string): boolean {
  const lower = name.toLowerCase()
  return (
    lower === '_change_type' ||
    lower === '_commit_version' ||
    lower === '_commit_timestamp' ||
    lower.startsWith('_cdc_')
  )
}
