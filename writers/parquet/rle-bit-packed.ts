import type { ByteBuffer } from './byte-buffer.ts'

const GROUP = 8

/** Bits needed to write numbers up to `max`. */
export function bitWidthOf(max: number): number {
  return 32 - Math.clz32(max)
}

/**
 * Writes `values[start, end)` in Parquet's hybrid of run lengths and bit packing. Runs of eight and more equal values
 * become run lengths; all else is packed in groups of eight, the last one filled up with zeros.
 *
 * @see Parquet "Encodings.md", "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)"
 */
export function writeRleBitPacked(
  out: ByteBuffer,
  values: Uint8Array | Int32Array,
  start: number,
  end: number,
  bitWidth: number,
): void {
  let packedFrom = start
  let i = start
  // A run is looked for at multiples of eight only, so that packed groups are whole everywhere but at the end.
  while (i < end) {
    const value = values[i]!
    let runEnd = i + 1
    while (runEnd < end && values[runEnd] === value) runEnd++
    if (runEnd - i < GROUP) {
      i = Math.min(i + GROUP, end)
      continue
    }
    writePacked(out, values, packedFrom, i, bitWidth)
    out.varint((runEnd - i) << 1)
    out.littleEndian(value, (bitWidth + 7) >> 3)
    i = runEnd
    packedFrom = runEnd
  }
  writePacked(out, values, packedFrom, end, bitWidth)
}

function writePacked(
  out: ByteBuffer,
  values: Uint8Array | Int32Array,
  start: number,
  end: number,
  bitWidth: number,
): void {
  if (start === end) return
  const groups = Math.ceil((end - start) / GROUP)
  out.varint((groups << 1) | 1)
  let pending = 0
  let pendingBits = 0
  for (let i = start; i < start + groups * GROUP; i++) {
    pending |= (i < end ? values[i]! : 0) << pendingBits
    pendingBits += bitWidth
    while (pendingBits >= 8) {
      out.byte(pending & 0xff)
      pending >>>= 8
      pendingBits -= 8
    }
  }
}
