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
/** Some pieces of a socket. */
const BUFFER_BYTES = 256 * 1024

/**
 * Reads `COPY … TO STDOUT (FORMAT binary)`, which comes in pieces that end anywhere. A field is read from the bytes that
 * came, straight into a column.
 *
 * @see PostgreSQL "COPY", "Binary Format"
 */
export class CopyRows {
  readonly #table: string
  readonly #columns: readonly CopiedColumn[]
  /** What came and was not read yet stands in it from `#start` to `#end`. Pieces are copied: a new buffer each would cost more. */
  #bytes: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #start = 0
  #end = 0
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
    const size = this.#end - this.#start
    if (this.#end + piece.length > this.#bytes.length) {
      const isLarger = size + piece.length > this.#bytes.length
      const to = isLarger ? Buffer.allocUnsafeSlow(2 * (size + piece.length)) : this.#bytes
      this.#bytes.copy(to, 0, this.#start, this.#end)
      this.#bytes = to
      this.#start = 0
      this.#end = size
    }
    piece.copy(this.#bytes, this.#end)
    this.#end += piece.length
  }

  /**
   * Reads rows until the target is full, or no whole row is left.
   *
   * @returns whether it is full, so that there may be more
   * @throws EngineError `E_BACKFILL_VALUE` (stop-table) for a value that its column cannot hold
   */
  fill(target: CopyTarget): boolean {
    if (this.#end - this.#start < this.#needed || this.#isOver) return false
    if (!this.#isBegun) this.#skipHeader()
    let isFull = false
    while (!isFull) {
      const next = this.#readRow(this.#bytes, this.#start, target)
      if (next < 0) return false
      this.#start = next
      target.add()
      isFull = target.isFull
    }
    this.#needed = 1
    return true
  }

  /** All pieces have come. @throws EngineError `E_BACKFILL_CUT` (retry) when something is missing */
  end(): void {
    if (this.#isOver) return
    throw new EngineError('E_BACKFILL_CUT', 'retry', 'the rows of the source ended before their end', {
      table: this.#table,
    })
  }

  #skipHeader(): void {
    this.#isBegun = true
    this.#start += HEADER_BYTES + readInt32(this.#bytes, this.#start + HEADER_BYTES - 4)
  }

  /** @returns where the next row begins; -1: there is none, or it has not come as a whole */
  #readRow(bytes: Buffer, start: number, target: CopyTarget): number {
    if (!this.#isHere(start + 2)) return -1
    if (readInt16(bytes, start) < 0) {
      this.#isOver = true
      return -1
    }
    const columns = this.#columns
    const row = target.begin()
    let at = start + 2
    for (let i = 0; i < columns.length; i++) {
      if (!this.#isHere(at + 4)) return -1
      const length = readInt32(bytes, at)
      at += 4
      const column = target.columns[i]!
      if (length < 0) {
        column.putNull(row)
        continue
      }
      const end = at + length
      if (!this.#isHere(end)) return -1
      const fault = columns[i]!.put(bytes, at, end, column, row)
      if (fault !== null) throw badValue(this.#table, columns[i]!.name, fault.found)
      at = end
    }
    return at
  }

  /** A row of many pieces is looked at again when what was missing is here. */
  #isHere(end: number): boolean {
    if (end <= this.#end) return true
    this.#needed = end - this.#start
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
