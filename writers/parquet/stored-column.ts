import type { Cell } from '../../schemas/delta-types.ts'
import { ByteArrays } from './byte-arrays.ts'
import type { StoredValues } from './cell-conversion.ts'
import type { DecodedPage } from './decode-pages.ts'
import type { LeafSource } from './read-tree.ts'
import { unreadable } from './unreadable.ts'

/** A column of one row group that is not nested, as its pages hold it. */
export interface StoredColumn {
  readonly leaf: LeafSource
  readonly pages: PagesInTurn
}

export interface PagesInTurn {
  /** @returns `null`: there are no more */
  next(): DecodedPage | null
}

/** Walks over the rows of a stored column and makes nothing of a value until somebody asks. */
export class ColumnWalk {
  readonly #leaf: LeafSource
  readonly #pages: PagesInTurn
  #entryCount = 0
  #entry = -1
  #value = 0
  #defs: Uint8Array | null = null
  #codes: Int32Array | null = null
  /** Where the row's value stands in what `texts`, `words` or `numbers` tell; -1: it is null. */
  index = -1
  #values: StoredValues = []
  /** Byte sequences of the page, where the column has such. */
  texts: ByteArrays | null = null
  /** 64-bit integers of the page as pairs of 32-bit words, the lower first. */
  words: Uint32Array | null = null
  /** 32-bit integers of the page. */
  numbers: Int32Array | null = null

  constructor({ leaf, pages }: StoredColumn) {
    this.#leaf = leaf
    this.#pages = pages
  }

  /** Goes to the next row, the first one at first. */
  next(): void {
    while (++this.#entry >= this.#entryCount) this.#turn()
    if (this.#defs !== null && this.#defs[this.#entry] !== this.#leaf.maxDef) {
      this.index = -1
      return
    }
    const value = this.#value++
    this.index = this.#codes === null ? value : this.#codes[value]!
  }

  cell(): Cell {
    return this.index < 0 ? null : this.#leaf.conversion!(this.#values as never, this.index)
  }

  #turn(): void {
    const { entryCount, defs, codes, values } = nextPage(this.#pages)
    this.#entryCount = entryCount
    this.#entry = -1
    this.#value = 0
    this.#defs = defs
    this.#codes = codes
    if (values === this.#values) return
    this.#values = values
    this.texts = values instanceof ByteArrays ? values : null
    this.words =
      values instanceof BigInt64Array
        ? new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
        : null
    this.numbers = values instanceof Int32Array ? values : null
  }
}

/** The page after the last one that was asked for. @throws EngineError when a column ends before its row group */
export function nextPage(pages: PagesInTurn): DecodedPage {
  const page = pages.next()
  if (page === null) throw unreadable('a column has fewer rows than its row group')
  return page
}
