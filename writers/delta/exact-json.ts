/**
 * JSON whose integers survive: those that a `number` cannot hold become `bigint`, and a `bigint` is written as the
 * digits it has. Texts without such an integer take the plain `JSON.parse`.
 */
export type ExactJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ExactJson[]
  | { readonly [key: string]: ExactJson }

/** 16 digits in a row: the only texts that can hold an integer beyond 2^53 (or something that looks like one). */
const MAYBE_LARGE = /\d{16}/
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const INTEGER = /^-?\d+$/

/** @throws SyntaxError as `JSON.parse` does */
export function parseExactJson(text: string): ExactJson {
  if (!MAYBE_LARGE.test(text)) return JSON.parse(text)
  // Every string gets a mark, every large integer becomes a string with another: no text can be taken for a number.
  const marked = text.replace(STRING_OR_NUMBER, (token) => {
    if (token.charCodeAt(0) === 0x22) return `"s${token.slice(1)}`
    return token.length >= 16 && INTEGER.test(token) ? exact(token) : token
  })
  return unmark(JSON.parse(marked))
}

function exact(integer: string): string {
  return Number.isSafeInteger(Number(integer)) ? integer : `"i${integer}"`
}

function unmark(value: ExactJson): ExactJson {
  if (typeof value === 'string') return value.startsWith('i') ? BigInt(value.slice(1)) : value.slice(1)
  if (value === null || typeof value !== 'object') return value
  if (isArray(value)) return value.map(unmark)
  const plain: Record<string, ExactJson> = {}
  for (const key of Object.keys(value)) setOwn(plain, key.slice(1), unmark(value[key]!))
  return plain
}

/** Plain assignment would take a key named `__proto__` for the prototype. */
function setOwn(target: Record<string, ExactJson>, key: string, value: ExactJson): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, writable: true })
  else target[key] = value
}

/** Members that are `undefined` are left out, as `JSON.stringify` does. */
export function stringifyExactJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(stringifyExactJson).join(',')}]`
  const members: string[] = []
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${stringifyExactJson(member)}`)
  }
  return `{${members.join(',')}}`
}

function isArray(value: ExactJson): value is readonly ExactJson[] {
  return Array.isArray(value)
}
