import { decompressZstd } from 'hyparquet-compressors'
import { decompressFrame } from 'lz4-napi'
import { uncompress } from 'snappy'

/** How kafkajs asks for a codec. We write to no topic, so nothing is ever compressed. */
export interface KafkaCodec {
  decompress(buffer: Buffer): Promise<Buffer>
}

/** Java producers cut their data in blocks of their own: this, two versions, then each block behind its length. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER_BYTES = 16

export const SNAPPY: KafkaCodec = { decompress: decompressSnappy }
export const LZ4: KafkaCodec = { decompress: decompressFrame }
export const ZSTD: KafkaCodec = {
  decompress: async (buffer) => {
    const { buffer: bytes, byteOffset, byteLength } = decompressZstd(buffer)
    return Buffer.from(bytes, byteOffset, byteLength)
  },
}

/** Plain snappy, or snappy-java's blocks. */
async function decompressSnappy(buffer: Buffer): Promise<Buffer> {
  if (!buffer.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) {
    return (await uncompress(buffer)) as Buffer
  }
  const blocks: Buffer[] = []
  for (let at = XERIAL_HEADER_BYTES; at < buffer.length; ) {
    const end = at + 4 + buffer.readUInt32BE(at)
    blocks.push((await uncompress(buffer.subarray(at + 4, end))) as Buffer)
    at = end
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks)
}
