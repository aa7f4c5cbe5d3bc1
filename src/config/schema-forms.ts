import { z } from 'zod'
import { nearestName } from './nearest-name.ts'
import { parseByteSize, parseDuration } from './quantity.ts'
import { Secret } from './secret.ts'

/** An object that refuses keys it does not know and names the one that was meant. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(key, known)).join('; ')
        : undefined,
  })
}

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known)
  const hint =
    nearest === null ? `known here: ${known.join(', ')}` : `did you mean ${JSON.stringify(nearest)}?`
  return `unknown key ${JSON.stringify(key)}; ${hint}`
}

/**
 * A key that may be left out.
 *
 * @param about what it decides, for editors and for the reference
 * @param fallback what holds without it, as the file would say it; none when nothing does
 */
export function optional<Schema extends z.ZodType>(schema: Schema, about: string, fallback?: unknown) {
  return z.exactOptional(schema).meta(described(about, fallback))
}

/** JSON schema's own `default` would have to be of the key's type; ours may also be a sentence. */
export function described(about: string, fallback?: unknown): { description: string; without?: unknown } {
  return { description: about, ...(fallback === undefined ? {} : { without: fallback }) }
}

/** A text that `parse` understands; `form` tells the reader how such a text looks. */
export function textForm<T>(parse: (text: string) => T | null, form: string) {
  return z.string().transform((text, context) => {
    const parsed = parse(text)
    if (parsed !== null) return parsed
    context.addIssue({ code: 'custom', message: `expected ${form}` })
    return z.NEVER
  })
}

/** Numbers, and digits that came out of a variable. */
export function numeric<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => {
    const isDigits = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim())
    return isDigits ? Number(value) : value
  }, schema)
}

export const boolean = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
)

/** A list; one text may hold it too, with commas or as JSON, as variables do. */
export function list<Item extends z.ZodType>(item: Item) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? splitList(value) : value),
    z
      .array(item)
      .refine((items) => new Set(items).size === items.length, { error: 'the same item stands there twice' }),
  )
}

/** A list with something in it. */
export function several<Item extends z.ZodType>(item: Item) {
  return list(item).refine((items) => items.length > 0, { error: 'must not be empty' })
}

export function splitList(text: string): unknown {
  if (text.trimStart().startsWith('[')) {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

export const name = z.string().min(1, { error: 'must not be empty' })
export const names = several(name)
export const count = numeric(z.int().positive())
export const duration = textForm(parseDuration, 'a duration such as 500ms, 1s or 2m')
export const byteSize = z.union([z.int().positive(), textForm(parseByteSize, 'a size such as 64MB')], {
  error: 'expected a size such as 64MB',
})
/** JSON Schema's own word for what is taken and never shown; the canary test knows secrets by it. */
const SECRET = { writeOnly: true }
export const secret = name.transform((text) => new Secret(text)).meta(SECRET)

/** As RFC 6750 lets one be written; the error does not repeat it. */
export const bearerToken = z
  .string()
  .regex(/^[A-Za-z0-9._~+/-]+=*$/, { error: 'expected letters, digits and any of . _ ~ + / -' })
  .transform((text) => new Secret(text))
  .meta(SECRET)

/** `schema.table`, or `*`. */
export const tableKey = z
  .string()
  .regex(/^(\*|[^.\s][^.]*\..+)$/, { error: 'name a table as schema.table, or "*" for all' })
