import { decompressZstd } from 'hyparquet-compressors'
import { decompressFrameSync } from 'lz4-napi'
import { uncompressSync } from 'snappy'

/** How kafkajs asks for a codec. We write to no topic, so nothing is ever compressed. */
export interface KafkaCodec {
  decompress(buffer: Buffer): Promise<Buffer>
}

/** Java producers cut their data in blocks of their own: this, two versions, then each block behind its length. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER_BYTES = 16

/*
 * Decompressed in the thread that asks. In those of the pool each keeps, for its next block, memory that another thread has
 * let go of: half a gigabyte of it after some hundred fetches of 10 MB.
 */
export const SNAPPY: KafkaCodec = { decompress: async (buffer) => decompressSnappy(buffer) }
export const LZ4: KafkaCodec = { decompress: async (buffer) => decompressFrameSync(buffer) }
export const ZSTD: KafkaCodec = {
  decompress: async (buffer) => {
    const { buffer: bytes, byteOffset, byteLength } = decompressZstd(buffer)
    return Buffer.from(bytes, byteOffset, byteLength)
  },
}

/** Plain snappy, or snappy-java's blocks. */
function decompressSnappy(buffer: Buffer): Buffer {
  if (!buffer.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) {
    return uncompressSync(buffer) as Buffer
  }
  const blocks: Buffer[] = []
  for (let at = XERIAL_HEADER_BYTES; at < buffer.length; ) {
    const end = at + 4 + buffer.readUInt32BE(at)
    blocks.push(uncompressSync(buffer.subarray(at + 4, end)) as Buffer)
    at = end
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks)
}
