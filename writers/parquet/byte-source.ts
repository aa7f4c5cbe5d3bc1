import { EngineError } from '../../core/errors.ts'

/** A file that can be read in pieces. */
export interface ByteSource {
  readonly sizeBytes: number
  /** Bytes `[start, end)`, all of them. */
  read(start: number, end: number): Promise<Uint8Array>
}

/** Bytes `[start, end)` of a source. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Ranges closer than this are fetched together: a request costs more than reading on. */
const GAP_BYTES_MAX = 1 << 15

export async function readExactly(source: ByteSource, { start, end }: ByteRange): Promise<Uint8Array> {
  const bytes = await source.read(start, end)
  if (bytes.length !== end - start) {
    throw new EngineError(
      'E_PARQUET_UNREADABLE',
      'stop-table',
      `a Parquet file is cut off: bytes ${start} to ${end} were asked for, ${bytes.length} came. Restore the file from a copy`,
    )
  }
  return bytes
}

/** Reads several ranges with as few requests as is sensible. @returns the bytes in the order of `ranges` */
export async function readRanges(
  source: ByteSource,
  ranges: readonly ByteRange[],
): Promise<readonly Uint8Array[]> {
  const merged = mergeRanges(ranges)
  const fetched = await Promise.all(merged.map((range) => readExactly(source, range)))
  return ranges.map(({ start, end }) => {
    const at = merged.findLastIndex((range) => range.start <= start)
    const offset = merged[at]!.start
    return fetched[at]!.subarray(start - offset, end - offset)
  })
}

function mergeRanges(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const merged: ByteRange[] = []
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1)
    if (last !== undefined && range.start <= last.end + GAP_BYTES_MAX) {
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) }
    } else {
      merged.push(range)
    }
  }
  return merged
}
