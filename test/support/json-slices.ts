/**
 * Cuts JSON text into the text of its members, so that a number keeps every digit and a nested value its own spelling.
 * For well-formed text that another program wrote; it finds borders and does not judge what lies between them.
 */

/** @returns `[name, raw text of the value]` of every member, in order */
export function memberSlices(object: string): [name: string, raw: string][] {
  return slicesBetween(object, '{', '}').map((member) => {
    const nameEnd = endOfString(member, 0)
    const colon = member.indexOf(':', nameEnd)
    return [JSON.parse(member.slice(0, nameEnd)) as string, member.slice(colon + 1).trim()]
  })
}

/** @returns the raw text of every element, in order */
export function elementSlices(array: string): string[] {
  return slicesBetween(array, '[', ']')
}

/** Pieces between the outermost brackets, cut at the commas that stand directly inside them. */
function slicesBetween(text: string, open: string, close: string): string[] {
  const body = text.trim()
  if (!body.startsWith(open) || !body.endsWith(close)) throw new Error(`not ${open}…${close}: ${body}`)
  const pieces: string[] = []
  let depth = 0
  let start = 1
  for (let i = 1; i < body.length - 1; i++) {
    const char = body[i]
    if (char === '"') i = endOfString(body, i) - 1
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
    else if (char === ',' && depth === 0) {
      pieces.push(body.slice(start, i).trim())
      start = i + 1
    }
  }
  const last = body.slice(start, -1).trim()
  return last === '' && pieces.length === 0 ? [] : [...pieces, last]
}

/** Index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i + 1
  }
  throw new Error(`unclosed string: ${text.slice(start)}`)
}
