import type { RowShape } from '../../schemas/change-event.ts'
import { PackedBytes, type PackedColumn, packedColumn } from '../../schemas/packed-columns.ts'
import type { CopyTarget } from './copy-rows.ts'

const ROWS = 4096
const TEXT_BYTES = 4 * 1024 * 1024

/** Rows between the connection and the columns of a file; it is filled, emptied and filled again. */
export class CopyBlock implements CopyTarget {
  readonly columns: readonly PackedColumn[]
  readonly #texts: readonly PackedBytes[]
  #rowCount = 0

  constructor(shape: RowShape) {
    this.columns = shape.columns.map(({ type }) => packedColumn(type, ROWS))
    this.#texts = this.columns.filter((column) => column instanceof PackedBytes)
  }

  get rowCount(): number {
    return this.#rowCount
  }

  get isFull(): boolean {
    return this.#rowCount === ROWS || this.textBytes >= TEXT_BYTES
  }

  get textBytes(): number {
    let bytes = 0
    for (const text of this.#texts) bytes += text.start(this.#rowCount)
    return bytes
  }

  begin(): number {
    return this.#rowCount
  }

  add(): void {
    this.#rowCount++
  }

  clear(): void {
    this.#rowCount = 0
  }
}
