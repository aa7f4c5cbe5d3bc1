import { assert } from '../../core/assert.ts'

/** Where the value of a member stands in the text, without the spaces around it. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Finds a member of the outermost object without parsing what it holds, so that its text can be kept or replaced exactly.
 *
 * @param text a JSON object
 * @param name a key without characters that JSON escapes
 * @returns `undefined` when the object has no such member
 */
export function memberSpan(text: string, name: string): Span | undefined {
  const key = `"${name}"`
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
    else if (char === '"') {
      const end = stringEnd(text, at)
      const colon = skipSpaces(text, end)
      if (depth === 1 && text[colon] === ':' && text.slice(at, end) === key) {
        const start = skipSpaces(text, colon + 1)
        return { start, end: valueEnd(text, start) }
      }
      at = end - 1
    }
  }
  return undefined
}

/** The object with one member set: its value replaced, or the member added at the end. */
export function withMember(text: string, name: string, value: string): string {
  const span = memberSpan(text, name)
  if (span !== undefined) return text.slice(0, span.start) + value + text.slice(span.end)
  const close = text.lastIndexOf('}')
  assert(close > 0, 'a JSON object ends with a brace')
  const isEmpty = text.slice(0, close).trimEnd().endsWith('{')
  return `${text.slice(0, close)}${isEmpty ? '' : ','}"${name}":${value}${text.slice(close)}`
}

function valueEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (char === '"') at = stringEnd(text, at) - 1
    else if (char === '{' || char === '[') depth++
    else if (depth > 0 && (char === '}' || char === ']')) depth--
    else if (depth === 0 && (char === ',' || char === '}' || /\s/.test(char!))) return at
  }
  return text.length
}

/** @param start of the opening quote. @returns index behind the closing one */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}

function skipSpaces(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text[at]!)) at++
  return at
}
