import { setImmediate } from 'node:timers/promises'
import { compressFrameSync } from 'lz4-napi'
import { compressSync } from 'snappy'
import { expect, test } from 'vitest'
import { LZ4, SNAPPY, ZSTD } from '../../../../src/io/kafka-codecs.ts'

const TEXT = Buffer.from('silt settles '.repeat(500))

/** As snappy-java writes it: magic, version, compatible version, then blocks behind their lengths. */
function xerial(...blocks: readonly Buffer[]): Buffer {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
  const parts = blocks.flatMap((block) => {
    const bytes = compressSync(block)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat([header, ...parts])
}

test('snappy is read plain, and in the blocks of Java producers', async () => {
  expect(await SNAPPY.decompress(compressSync(TEXT))).toEqual(TEXT)
  expect(await SNAPPY.decompress(xerial(TEXT))).toEqual(TEXT)
  expect(await SNAPPY.decompress(xerial(TEXT.subarray(0, 100), TEXT.subarray(100)))).toEqual(TEXT)
})

test('lz4 is read as frames', async () => {
  expect(await LZ4.decompress(compressFrameSync(TEXT))).toEqual(TEXT)
})

test('zstd is read, also where the frame does not tell its size', async () => {
  // "silt" as one raw block behind a header without a content size.
  const frame = Buffer.from('28b52ffd0058210000' + '73696c74', 'hex')
  expect((await ZSTD.decompress(frame)).toString()).toBe('silt')
})

test('what was read is given back to the system, also where many fetches are read at a time', async () => {
  const fetches = [1, 2, 4, 8].map((megabytes) => compressFrameSync(Buffer.alloc(megabytes << 20, TEXT)))
  const held: Buffer[] = []
  const began = process.memoryUsage.rss()
  for (let round = 0; round < 20; round++) {
    held.push(...(await Promise.all(fetches.map((bytes) => LZ4.decompress(bytes)))))
    if (held.length > 8) held.splice(0, 8)
    await setImmediate()
  }
  expect(process.memoryUsage.rss() - began).toBeLessThan(200 << 20)
})
