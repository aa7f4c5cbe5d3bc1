import { type DeletionVectorDescriptor, dvUniqueId } from '../delta/dv-descriptor.ts'
import type { RowSet } from '../delta/row-set.ts'

/** At one bit a row, the most that a vector takes, those of 500 million rows. */
const VECTOR_BYTES_MAX = 64 * 1024 * 1024

interface HeldVector {
  readonly id: string
  readonly rows: RowSet
  readonly sizeBytes: number
}

/**
 * Deletion vectors in memory, of each data file the one that was asked for last: the next commit is likely to add to it.
 * Older ones are not kept, since each commit that deletes rows all over the table writes those of all its files anew.
 */
export class HeldVectors {
  /** By path of the data file, the one that was not asked for for longest first. */
  readonly #held = new Map<string, HeldVector>()
  readonly #bytesMax: number
  #sizeBytes = 0

  constructor(bytesMax = VECTOR_BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  /** @returns `null`: another vector of the file is held, or none */
  get(path: string, vector: DeletionVectorDescriptor): RowSet | null {
    const held = this.#held.get(path)
    if (held === undefined || held.id !== dvUniqueId(vector)) return null
    this.#held.delete(path)
    this.#held.set(path, held)
    return held.rows
  }

  set(path: string, vector: DeletionVectorDescriptor, rows: RowSet): void {
    this.#forget(path)
    const { sizeBytes } = rows
    this.#held.set(path, { id: dvUniqueId(vector)!, rows, sizeBytes })
    this.#sizeBytes += sizeBytes
    for (const oldest of this.#held.keys()) {
      if (this.#sizeBytes <= this.#bytesMax || oldest === path) break
      this.#forget(oldest)
    }
  }

  retain(isNeeded: (path: string) => boolean): void {
    for (const path of this.#held.keys()) if (!isNeeded(path)) this.#forget(path)
  }

  #forget(path: string): void {
    this.#sizeBytes -= this.#held.get(path)?.sizeBytes ?? 0
    this.#held.delete(path)
  }
}
