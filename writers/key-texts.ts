import type { RowKey } from '../schemas/change-event.ts'
import { KeyHasher } from './locator/key-encoding.ts'

/** For texts alone, which do not hang on its secret. */
const HASHER = KeyHasher.withSecret(new Uint8Array(16))

/** A key as every process knows it: see `KeyHasher.keyText`. */
export function keyTextOf({ columns, values }: RowKey): string {
  const types = columns.map(({ type }) => type)
  return HASHER.keyText(types, values)
}

/** Keys of a batch, by their number there, as every process knows them. */
export class KeyTexts {
  readonly #keys = new Map<number, RowKey | string>()

  /** @param key itself, or its text */
  note(number: number, key: RowKey | string): void {
    if (!this.#keys.has(number)) this.#keys.set(number, key)
  }

  /** `null`: it was not noted. */
  of(number: number): string | null {
    const key = this.#keys.get(number) ?? null
    return key === null || typeof key === 'string' ? key : keyTextOf(key)
  }
}
