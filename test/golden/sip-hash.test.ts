import { expect, test } from 'vitest'
import { SipHash128 } from '../../writers/locator/sip-hash.ts'

// The reference implementation's own vectors (key 00..0f, message 00..n-1), n = 0, 1, 7, 8, 15, 63.
const VECTORS: readonly (readonly [length: number, hex: string])[] = [
  [0, 'a3817f04ba25a8e66df67214c7550293'],
  [1, 'da87c1d86b99af44347659119b22fc45'],
  [7, 'a1f1ebbed8dbc153c0b84aa61ff08239'],
  [8, '3b62a9ba6258f5610f83e264f31497b4'],
  [15, '5493e99933b0a8117e08ec0f97cfc3d9'],
  [63, '5150d1772f50834a503e069a973fbd7c'],
]

function hashHex(length: number): string {
  const out = new Uint32Array(4)
  const key = Uint8Array.from({ length: 16 }, (_, i) => i)
  new SipHash128(key).hash(
    Uint8Array.from({ length }, (_, i) => i),
    length,
    out,
    0,
  )
  return Buffer.from(out.buffer).toString('hex')
}

test.each(VECTORS)('%i bytes hash as the reference implementation hashes them', (length, hex) => {
  expect(hashHex(length)).toBe(hex)
})
