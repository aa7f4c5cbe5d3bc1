/** Of an object that goes up in parts. S3 takes none that is smaller than 5 MB, but for the last, and 10,000 at most. */
const PART_BYTES = 8 * 1024 * 1024

/** An object that is at hand, cut into parts; nothing is copied. */
export function* cutIntoParts(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES)
}

/** Pieces of any size, gathered into parts of memory of their own. */
export async function* gatherParts(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let part = new Uint8Array(PART_BYTES)
  let used = 0
  for await (const piece of pieces) {
    for (let from = 0; from < piece.length; ) {
      const count = Math.min(PART_BYTES - used, piece.length - from)
      part.set(piece.subarray(from, from + count), used)
      used += count
      from += count
      if (used < PART_BYTES) continue
      yield part
      part = new Uint8Array(PART_BYTES)
      used = 0
    }
  }
  if (used > 0) yield part.subarray(0, used)
}
