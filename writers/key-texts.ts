import type { RowKey } from '../schemas/change-event.ts'
import type { KeyHasher } from './locator/key-encoding.ts'

/** Keys of a batch, by their number there, as every process knows them. */
export class KeyTexts {
  readonly #hasher: KeyHasher
  readonly #keys = new Map<number, RowKey | string>()

  constructor(hasher: KeyHasher) {
    this.#hasher = hasher
  }

  /** @param key itself, or its text */
  note(number: number, key: RowKey | string): void {
    if (!this.#keys.has(number)) this.#keys.set(number, key)
  }

  /** See `KeyHasher.keyText`. `null`: it was not noted. */
  of(number: number): string | null {
    const key = this.#keys.get(number) ?? null
    if (key === null || typeof key === 'string') return key
    const types = key.columns.map((column) => column.type)
    return this.#hasher.keyText(types, key.values)
  }
}
