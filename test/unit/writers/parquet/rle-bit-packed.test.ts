import fc from 'fast-check'
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js'
import { describe, expect, test } from 'vitest'
import { ByteBuffer } from '../../../../writers/parquet/byte-buffer.ts'
import { bitWidthOf, writeRleBitPacked } from '../../../../writers/parquet/rle-bit-packed.ts'

function encode(values: readonly number[], bitWidth: number): Uint8Array {
  const out = new ByteBuffer(1)
  writeRleBitPacked(out, Int32Array.from(values), 0, values.length, bitWidth)
  return out.view()
}

describe('the hybrid of run lengths and bit packing', () => {
  test('packs 0 to 7 in three bits as the format description does', () => {
    expect([...encode([0, 1, 2, 3, 4, 5, 6, 7], 3)]).toEqual([0b11, 0b10001000, 0b11000110, 0b11111010])
  })

  test('writes eight equal values as one run, seven as a packed group', () => {
    expect([...encode(new Array(8).fill(1), 1)]).toEqual([8 << 1, 1])
    expect([...encode(new Array(7).fill(1), 1)]).toEqual([0b11, 0b01111111])
  })

  test('writes a long run as a length of several bytes', () => {
    expect([...encode(new Array(2000).fill(300), 9)]).toEqual([0xa0, 0x1f, 300 & 0xff, 1])
  })

  test('is read back by another reader, for any values cut into runs', () => {
    const runs = fc.array(fc.tuple(fc.nat(20_000), fc.integer({ min: 1, max: 30 })), { maxLength: 40 })
    fc.assert(
      fc.property(runs, fc.nat(5), (pairs, skipped) => {
        const values = pairs.flatMap(([value, length]) => new Array<number>(length).fill(value))
        const start = Math.min(skipped, values.length)
        const width = bitWidthOf(Math.max(1, ...values))
        const out = new ByteBuffer(1)
        writeRleBitPacked(out, Int32Array.from(values), start, values.length, width)
        const bytes = out.view().slice()
        const read = new Array<number>(values.length - start)
        readRleBitPackedHybrid({ view: new DataView(bytes.buffer), offset: 0 }, width, read, bytes.length)
        expect(read).toEqual(values.slice(start))
      }),
    )
  })
})
