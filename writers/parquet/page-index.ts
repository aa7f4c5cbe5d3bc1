import { encodeBounds } from './column-bounds.ts'
import type { ChunkRecord, PageRecord } from './encode-column-chunk.ts'
import { BOUNDARY_ORDER } from './parquet-format.ts'
import { ThriftCompactWriter } from './thrift-compact.ts'
import type { Bounds } from './value-store.ts'

/** Where a page lies, its header included, and which row of its row group it begins with. */
export type PageLocation = Pick<PageRecord, 'offset' | 'compressedSize' | 'firstRow'>

/** The struct `OffsetIndex`: where each page lies and which row it begins with. */
export function encodeOffsetIndex(pages: readonly PageLocation[]): Uint8Array {
  const thrift = new ThriftCompactWriter()
  thrift.list(1, 'struct', pages.length)
  for (const page of pages) {
    thrift.structElement(() => {
      thrift.i64(1, page.offset)
      thrift.i32(2, page.compressedSize)
      thrift.i64(3, page.firstRow)
    })
  }
  return thrift.finish()
}

/**
 * The struct `ColumnIndex`: bounds and nulls of each page.
 *
 * @returns `null` when a NaN is among the values: a page cannot then say its bounds, and none may be left out
 */
export function encodeColumnIndex(chunk: ChunkRecord): Uint8Array | null {
  if (chunk.bounds?.hasNaN === true) return null
  const { leaf, pages } = chunk
  const encoded = pages.map(({ bounds }) =>
    bounds === undefined ? undefined : encodeBounds(leaf.values, leaf.type, bounds),
  )
  const thrift = new ThriftCompactWriter()
  thrift.list(1, 'bool', pages.length)
  for (const { bounds } of pages) thrift.boolElement(bounds === undefined)
  thrift.list(2, 'binary', pages.length)
  for (const bounds of encoded) thrift.binaryElement(bounds?.min ?? '')
  thrift.list(3, 'binary', pages.length)
  for (const bounds of encoded) thrift.binaryElement(bounds?.max ?? '')
  thrift.i32(4, boundaryOrder(chunk))
  thrift.list(5, 'i64', pages.length)
  for (const { nullCount } of pages) thrift.i64Element(nullCount)
  return thrift.finish()
}

function boundaryOrder({ leaf, pages }: ChunkRecord): number {
  const { values } = leaf
  let ascending = true
  let descending = true
  let before: Bounds | undefined
  for (const { bounds } of pages) {
    if (bounds === undefined) continue
    if (before !== undefined) {
      const { minIndex, maxIndex } = before
      if (values.isLess(bounds.minIndex, minIndex) || values.isLess(bounds.maxIndex, maxIndex))
        ascending = false
      if (values.isLess(minIndex, bounds.minIndex) || values.isLess(maxIndex, bounds.maxIndex))
        descending = false
    }
    before = bounds
  }
  if (ascending) return BOUNDARY_ORDER.ASCENDING
  return descending ? BOUNDARY_ORDER.DESCENDING : BOUNDARY_ORDER.UNORDERED
}
