import type { ByteSource } from '../../writers/parquet/byte-source.ts'

/** A file in memory that remembers what was read of it. */
export interface MemorySource extends ByteSource {
  readonly reads: { readonly start: number; readonly end: number }[]
}

export function memorySource(bytes: Uint8Array): MemorySource {
  const reads: { start: number; end: number }[] = []
  return {
    sizeBytes: bytes.length,
    reads,
    read(start, end) {
      reads.push({ start, end })
      return Promise.resolve(bytes.slice(start, end))
    },
  }
}
