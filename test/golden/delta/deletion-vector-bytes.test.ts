import { describe, expect, test } from 'vitest'
import { describeVector, encodeDeletionVectorFile } from '../../../writers/delta/deletion-vector.ts'
import { decodeRowSet } from '../../../writers/delta/roaring-format.ts'
import { RowSet } from '../../../writers/delta/row-set.ts'
import { decodeZ85, encodeZ85 } from '../../../writers/delta/z85.ts'

/** A deletion vector file that Spark 4.2.0 with Delta 4.4.0 wrote for rows 3, 5 and 7. */
const SPARK_FILE =
  '01 00000026 d1d33964 0100000000000000 00000000 3a300000 01000000 0000 0200 10000000 0300 0500 0700 000bc16c'
const UUID = 'd2c639aa-8816-431a-aaf6-d3fe2512ff61'

describe('deletion vectors of others, byte for byte', () => {
  test('our file of rows 3, 5, 7 is the one that Spark writes', () => {
    const { bytes, places } = encodeDeletionVectorFile([RowSet.of([3, 5, 7])])
    expect(Buffer.from(bytes).toString('hex')).toBe(SPARK_FILE.replaceAll(' ', ''))
    expect(places).toEqual([{ offset: 1, sizeInBytes: 38, cardinality: 3 }])
  })

  test('the bitmap of that file is read', () => {
    const file = Buffer.from(SPARK_FILE.replaceAll(' ', ''), 'hex')
    expect([...decodeRowSet(file.subarray(5, 43))]).toEqual([3, 5, 7])
  })

  test('the UUID of PROTOCOL.md becomes its Z85 text and comes back', () => {
    const bytes = Uint8Array.from(Buffer.from(UUID.replaceAll('-', ''), 'hex'))
    expect(encodeZ85(bytes)).toBe('^-aqEH.-t@S}K{vb[*k^')
    expect(decodeZ85('^-aqEH.-t@S}K{vb[*k^')).toEqual(bytes)
    expect(describeVector(UUID, { offset: 1, sizeInBytes: 38, cardinality: 3 })).toEqual({
      storageType: 'u',
      pathOrInlineDv: '^-aqEH.-t@S}K{vb[*k^',
      offset: 1,
      sizeInBytes: 38,
      cardinality: 3,
    })
  })

  test('the inline example of PROTOCOL.md is not of this format and is refused', () => {
    const bytes = decodeZ85('wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L')!
    expect(() => decodeRowSet(bytes)).toThrow('magic')
  })

  test('text that is not Z85 has no bytes', () => {
    expect(decodeZ85('abcd')).toBeUndefined()
    expect(decodeZ85('ab"de')).toBeUndefined()
    expect(decodeZ85('#####')).toBeUndefined()
  })
})
