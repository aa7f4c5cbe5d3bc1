import { hash } from 'node:crypto'
import type { Cell } from '../schemas/delta-types.ts'
import { lengthPrefixed } from './canonical/length-prefix.ts'
import type { ComparedTable } from './compared-table.ts'

/** MD5 finds every difference that is not made on purpose; builds under FIPS refuse it. */
export type Digest = 'md5' | 'sha256'

/** A row, as it is compared. */
export interface DigestedRow {
  /** Canonical texts of its key columns, one after the other; of a table without a key all of its columns. */
  readonly keyText: string
  /** Hash of the whole row, hex. */
  readonly rowHash: string
}

/** Makes digests of cells that stand in the order of the compared columns. */
export class RowDigests {
  readonly #table: ComparedTable
  readonly #digest: Digest
  /** Places of the key's columns among the compared ones; `null`: all of them. */
  readonly #keyAt: readonly number[] | null

  constructor(table: ComparedTable, digest: Digest) {
    this.#table = table
    this.#digest = digest
    this.#keyAt = table.key?.map((column) => table.columns.indexOf(column)) ?? null
  }

  keyText(cells: readonly Cell[]): string {
    if (this.#keyAt === null) return this.#rowText(cells)
    const { columns } = this.#table
    let text = ''
    for (const at of this.#keyAt) text += lengthPrefixed(columns[at]!.canonical, cells[at]!)
    return text
  }

  /** Hex. Its first digits are the bucket of a key. */
  hash(text: string): string {
    return hash(this.#digest, text, 'hex')
  }

  rowHash(cells: readonly Cell[]): string {
    return hash(this.#digest, this.#rowText(cells), 'hex')
  }

  /** Text of each compared column; `null` where the cell is. */
  columnTexts(cells: readonly Cell[]): readonly (string | null)[] {
    return this.#table.columns.map(({ canonical }, i) =>
      cells[i] === null ? null : canonical.text(cells[i]!),
    )
  }

  #rowText(cells: readonly Cell[]): string {
    const { columns } = this.#table
    let text = ''
    for (let i = 0; i < columns.length; i++) text += lengthPrefixed(columns[i]!.canonical, cells[i]!)
    return text
  }
}
