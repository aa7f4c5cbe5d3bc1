/** What stands before each message: a letter, and a length that counts itself. */
const HEADER_BYTES = 5
const COPY_DATA = 0x64 // d
/** Messages that may stand between those of the data: CopyOutResponse, notices, settings, notifications. */
const BESIDE: ReadonlySet<number> = new Set(Buffer.from('HNSA'))

/** A piece of what a server sends, taken apart. */
export interface TakenPiece {
  /** The data in it, of the memory that the piece had. */
  readonly data: Buffer
  /** From the message on that ends the data; `null`: it has not come. */
  readonly rest: Buffer | null
}

/**
 * Takes the data of `COPY … TO STDOUT` out of the messages that bring it, one a row. It is moved together where it came:
 * a buffer for each row would cost as much as all else that is done with the row.
 *
 * @see PostgreSQL "Message Formats": CopyData
 */
export class CopyFrames {
  /** Of the message that is being read. */
  #left = 0
  #isData = false
  #header: Buffer = Buffer.alloc(0)

  /** @param piece is written over */
  take(piece: Buffer): TakenPiece {
    const bytes = this.#header.length === 0 ? piece : Buffer.concat([this.#header, piece])
    this.#header = Buffer.alloc(0)
    let at = 0
    let dataEnd = 0
    for (;;) {
      const end = Math.min(at + this.#left, bytes.length)
      if (this.#isData && end > at) {
        bytes.copyWithin(dataEnd, at, end)
        dataEnd += end - at
      }
      this.#left -= end - at
      at = end
      if (bytes.length - at < HEADER_BYTES) break
      const kind = bytes[at]!
      this.#isData = kind === COPY_DATA
      if (!this.#isData && !BESIDE.has(kind))
        return { data: bytes.subarray(0, dataEnd), rest: bytes.subarray(at) }
      this.#left = bytes.readInt32BE(at + 1) - 4
      at += HEADER_BYTES
    }
    this.#header = Buffer.from(bytes.subarray(at))
    return { data: bytes.subarray(0, dataEnd), rest: null }
  }
}
