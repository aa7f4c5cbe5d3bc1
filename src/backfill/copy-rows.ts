import { EngineError } from '../../core/errors.ts'
import type { PackedColumn } from '../../schemas/packed-columns.ts'
import { readInt16, readInt32 } from './big-endian.ts'
import type { PutField } from './copy-fields.ts'

/** Where rows go that are read. */
export interface CopyTarget {
  /** In the order of the fields. */
  readonly columns: readonly PackedColumn[]
  /** It is to be emptied before it takes more. */
  readonly isFull: boolean
  /** The number of the next row; one that is not `add`ed is put over. */
  begin(): number
  add(): void
}

/** A column that is read. */
export interface CopiedColumn {
  /** As the source calls it. */
  readonly name: string
  readonly put: PutField
}

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
/** Behind the signature: flags, and the length of what else stands before the first row. */
const HEADER_BYTES = SIGNATURE.length + 8

/**
 * Reads `COPY … TO STDOUT (FORMAT binary)`, which comes in pieces that end anywhere. A field is read from the bytes that
 * came, straight into a column.
 *
 * @see PostgreSQL "COPY", "Binary Format"
 */
export class CopyRows {
  readonly #table: string
  readonly #columns: readonly CopiedColumn[]
  /** What came and was not read yet. */
  #pieces: Buffer[] = []
  #size = 0
  /** Bytes without which there is nothing to read. */
  #needed = HEADER_BYTES
  #isBegun = false
  #isOver = false

  /** @param table for errors */
  constructor(table: string, columns: readonly CopiedColumn[]) {
    this.#table = table
    this.#columns = columns
  }

  take(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#size += piece.length
  }

  /**
   * Reads rows until the target is full, or no whole row is left.
   *
   * @returns whether it is full, so that there may be more
   * @throws EngineError `E_BACKFILL_VALUE` (stop-table) for a value that its column cannot hold
   */
  fill(target: CopyTarget): boolean {
    if (this.#size < this.#needed || this.#isOver) return false
    const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces, this.#size)
    let at = this.#isBegun ? 0 : this.#headerEnd(bytes)
    let isFull = false
    while (!isFull) {
      const next = this.#readRow(bytes, at, target)
      if (next < 0) break
      at = next
      target.add()
      isFull = target.isFull
    }
    this.#keep(bytes, at)
    return isFull
  }

  /** All pieces have come. @throws EngineError `E_BACKFILL_CUT` (retry) when something is missing */
  end(): void {
    if (this.#isOver) return
    throw new EngineError('E_BACKFILL_CUT', 'retry', 'the rows of the source ended before their end', {
      table: this.#table,
    })
  }

  #headerEnd(bytes: Buffer): number {
    this.#isBegun = true
    return HEADER_BYTES + readInt32(bytes, HEADER_BYTES - 4)
  }

  /** @param at where what was not read begins; what is needed counts from there */
  #keep(bytes: Buffer, at: number): void {
    this.#pieces = at < bytes.length ? [bytes.subarray(at)] : []
    this.#size = Math.max(bytes.length - at, 0)
    this.#needed = Math.max(this.#needed - at, 1)
  }

  /** @returns where the next row begins; -1: there is none, or it has not come as a whole */
  #readRow(bytes: Buffer, start: number, target: CopyTarget): number {
    if (!this.#isHere(start + 2, bytes)) return -1
    if (readInt16(bytes, start) < 0) {
      this.#isOver = true
      return -1
    }
    const columns = this.#columns
    const row = target.begin()
    let at = start + 2
    for (let i = 0; i < columns.length; i++) {
      if (!this.#isHere(at + 4, bytes)) return -1
      const length = readInt32(bytes, at)
      at += 4
      const column = target.columns[i]!
      if (length < 0) {
        column.putNull(row)
        continue
      }
      const end = at + length
      if (!this.#isHere(end, bytes)) return -1
      const fault = columns[i]!.put(bytes, at, end, column, row)
      if (fault !== null) throw badValue(this.#table, columns[i]!.name, fault.found)
      at = end
    }
    return at
  }

  /** A value of many pieces is put together once, when the last of them is here. */
  #isHere(end: number, bytes: Buffer): boolean {
    if (end <= bytes.length) return true
    this.#needed = end
    return false
  }
}

function badValue(table: string, column: string, found: string): EngineError {
  return new EngineError(
    'E_BACKFILL_VALUE',
    'stop-table',
    `column ${column} has a value that ${found}; the stream would make a dead letter of it: change the value, or ` +
      "name a type for the column under the table's `columns` that holds it",
    { table },
  )
}
