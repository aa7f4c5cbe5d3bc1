/** A type of the source, as `format_type` writes it, in its parts. */
export interface SourceType {
  /** Without the schema it lies in: `numeric`, `timestamp without time zone`, `hstore`. */
  readonly name: string
  /** The schema with its dot, quoted as the database writes it; empty where the search path finds the type. */
  readonly prefix: string
  /** First number in its parentheses. */
  readonly length: number | null
  readonly isArray: boolean
}

/** schema. name (numbers) rest-of-name [] */
const TYPE =
  /^((?:"(?:[^"]|"")*"|[\w$]+)\.)?([^([]+?)(?:\((-?\d+)[^)]*\))?( with(?:out)? time zone)?((?:\[\])*)$/

export function parseSourceType(text: string): SourceType {
  const [, prefix = '', name = text, length, rest = '', brackets = ''] = TYPE.exec(text) ?? []
  return {
    name: `${name}${rest}`,
    prefix,
    length: length === undefined ? null : Number(length),
    isArray: brackets !== '',
  }
}
