import type { RawRecord, RecordBatch } from '../../core/ports.ts'

/**
 * A batch that goes to another thread by handing over one block of memory.
 *
 * The arena, in the byte order of this machine: per record its offset (int64) and its timestamp (float64); then int32s,
 * per record the lengths of key and value (-1: null) and the number of headers, per header the lengths of name and
 * value; then all these bytes, in the same order.
 */
export interface PackedBatch extends Omit<RecordBatch, 'records'> {
  readonly recordCount: number
  readonly lengthCount: number
  readonly arena: ArrayBuffer
}

const NULL = -1
const NUMBER_BYTES = 8
const LENGTH_BYTES = 4

/** Copies every byte of a batch once. */
export function packBatch({ records, ...batch }: RecordBatch): PackedBatch {
  const lengths: number[] = []
  const pieces: Uint8Array[] = []
  const put = (bytes: Uint8Array | null): void => {
    lengths.push(bytes?.length ?? NULL)
    if (bytes !== null) pieces.push(bytes)
  }
  for (const { key, value, headers } of records) {
    put(key)
    put(value)
    lengths.push(headers.length)
    for (const [name, bytes] of headers) {
      put(Buffer.from(name))
      put(bytes)
    }
  }
  const packed = { ...batch, recordCount: records.length, lengthCount: lengths.length }
  const start = placesOf(packed).bytes
  const arena = new ArrayBuffer(pieces.reduce((end, { length }) => end + length, start))
  const { offsets, timestamps, lengths: stored } = viewsOf(packed, arena)
  records.forEach(({ offset, timestampMs }, i) => {
    offsets[i] = offset
    timestamps[i] = timestampMs
  })
  stored.set(lengths)
  const bytes = new Uint8Array(arena)
  let end = start
  for (const piece of pieces) {
    bytes.set(piece, end)
    end += piece.length
  }
  return { ...packed, arena }
}

/** The batch again; its records look into the arena. */
export function unpackBatch(packed: PackedBatch): RecordBatch {
  const { recordCount, lengthCount: _, arena, ...batch } = packed
  const { offsets, timestamps, lengths } = viewsOf(packed, arena)
  const bytes = Buffer.from(arena)
  let end = placesOf(packed).bytes
  let at = 0
  const take = (): Buffer | null => {
    const length = lengths[at++]!
    if (length === NULL) return null
    end += length
    return bytes.subarray(end - length, end)
  }
  const records: RawRecord[] = []
  for (let i = 0; i < recordCount; i++) {
    const [key, value] = [take(), take()]
    const headers: RawRecord['headers'][number][] = []
    for (let left = lengths[at++]!; left > 0; left--) headers.push([take()!.toString(), take()])
    const { topic, partition } = batch
    records.push({ topic, partition, offset: offsets[i]!, timestampMs: timestamps[i]!, key, value, headers })
  }
  return { ...batch, records }
}

type Counts = Pick<PackedBatch, 'recordCount' | 'lengthCount'>

/** Where each part of an arena begins. */
function placesOf({ recordCount, lengthCount }: Counts) {
  const timestamps = recordCount * NUMBER_BYTES
  const lengths = timestamps + recordCount * NUMBER_BYTES
  return { offsets: 0, timestamps, lengths, bytes: lengths + lengthCount * LENGTH_BYTES }
}

function viewsOf(counts: Counts, arena: ArrayBuffer) {
  const places = placesOf(counts)
  return {
    offsets: new BigInt64Array(arena, places.offsets, counts.recordCount),
    timestamps: new Float64Array(arena, places.timestamps, counts.recordCount),
    lengths: new Int32Array(arena, places.lengths, counts.lengthCount),
  }
}
