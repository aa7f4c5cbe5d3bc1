import type { DeltaType } from '../../schemas/delta-types.ts'
import type { CanonicalText } from './canonical-text.ts'

const AS_KEPT = {
  ...{ isAscii: false, loss: null, isOneToOne: true },
  text: (cell: unknown) => cell as string,
  cell: (text: string) => text,
} as const

/** The text as it is, in no normal form: also `json` and `jsonb`, which are kept to the letter. */
export function plainText(delta: DeltaType): CanonicalText | null {
  return delta === 'string' ? { ...AS_KEPT, sql: (value) => `(${value})::text` } : null
}

/** Blanks at the end of a `char(n)` mean nothing, and are delivered: as many as fill it up. */
export function charText(length: number, delta: DeltaType): CanonicalText | null {
  if (delta !== 'string') return null
  return {
    ...AS_KEPT,
    sql: (value) => `rtrim((${value})::text, ' ')`,
    text: (cell) => (cell as string).replace(/ +$/, ''),
    cell: (text) => text + ' '.repeat(Math.max(0, length - [...text].length)),
    isOneToOne: false,
  }
}

/** As the type itself writes it, which is what is delivered: a cast to text adds the length of the mask. */
export function inetText(delta: DeltaType): CanonicalText | null {
  if (delta !== 'string') return null
  // Of NULL, format makes an empty text.
  return { ...AS_KEPT, sql: (value) => `CASE WHEN ${value} IS NOT NULL THEN format('%s', ${value}) END` }
}

/** Lower hex. */
export function bytesText(delta: DeltaType): CanonicalText | null {
  if (delta !== 'binary') return null
  return {
    ...{ isAscii: true, loss: null, isOneToOne: true },
    sql: (value) => `encode(${value}, 'hex')`,
    text: (cell) => {
      const bytes = cell as Uint8Array
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
    },
    cell: (text) => Uint8Array.from(Buffer.from(text, 'hex')),
  }
}

/** `bit(n)`: all its bits. */
export function paddedBitsText(delta: DeltaType): CanonicalText | null {
  return delta === 'string' ? { ...AS_KEPT, isAscii: true, sql: (value) => `(${value})::text` } : null
}

/** `bit varying`: the zeros at its front are not delivered. */
export function varbitText(delta: DeltaType): CanonicalText | null {
  if (delta !== 'string') return null
  return {
    isAscii: true,
    loss: 'zeros at the front of a bit string of no fixed length are not delivered',
    sql: (value) => `ltrim((${value})::text, '0')`,
    text: (cell) => (cell as string).replace(/^0+/, ''),
    cell: (text) => text,
    isOneToOne: false,
  }
}
