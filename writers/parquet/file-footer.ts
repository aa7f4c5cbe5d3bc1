import type { DeltaType, StructField, StructType } from '../../schemas/delta-types.ts'
import type { EncodedBounds } from './column-bounds.ts'
import type { ChunkRecord } from './encode-column-chunk.ts'
import {
  CODEC,
  CONVERTED_TYPE,
  ENCODING,
  MAGIC,
  PAGE_TYPE,
  PHYSICAL_TYPE,
  REPETITION,
} from './parquet-format.ts'
import { decimalByteLength, isLeafType, type LeafType, physicalTypeOf } from './physical-types.ts'
import { ThriftCompactWriter } from './thrift-compact.ts'

/** Where an index of a column chunk lies in the file. */
export interface IndexLocation {
  readonly offset: number
  readonly length: number
}

/** What the footer tells of a column chunk: the values themselves may be gone by the time that it is written. */
export interface ChunkInFile extends Omit<ChunkRecord, 'leaf' | 'bounds' | 'pages'> {
  readonly path: readonly string[]
  readonly type: LeafType
  readonly bounds: EncodedBounds | undefined
  readonly firstPageOffset: number
  readonly pageCount: number
  columnIndex: IndexLocation | null
  offsetIndex: IndexLocation | null
}

export interface RowGroupInFile {
  readonly rowCount: number
  readonly chunks: readonly ChunkInFile[]
}

export interface FooterOptions {
  readonly codec: keyof typeof CODEC
  readonly createdBy: string
}

/** How a file ends: its metadata, how long they are, and the magic. */
export function encodeFooter(
  schema: StructType,
  rowCount: number,
  rowGroups: readonly RowGroupInFile[],
  options: FooterOptions,
): Uint8Array {
  const metadata = encodeFileMetadata(schema, rowCount, rowGroups, options)
  return Buffer.concat([metadata, new Uint8Array(Uint32Array.of(metadata.length).buffer), MAGIC])
}

/** The struct `FileMetaData` of parquet.thrift. */
function encodeFileMetadata(
  schema: StructType,
  rowCount: number,
  rowGroups: readonly RowGroupInFile[],
  { codec, createdBy }: FooterOptions,
): Uint8Array {
  const thrift = new ThriftCompactWriter()
  thrift.i32(1, 2)
  writeSchema(thrift, schema)
  thrift.i64(3, rowCount)
  thrift.list(4, 'struct', rowGroups.length)
  rowGroups.forEach((group, ordinal) => {
    thrift.structElement(() => writeRowGroup(thrift, group, ordinal, codec))
  })
  thrift.binary(6, createdBy)
  const leafCount = countLeaves(schema)
  thrift.list(7, 'struct', leafCount)
  // Each column is ordered as its type says: without this, readers ignore min_value and max_value.
  for (let i = 0; i < leafCount; i++) thrift.structElement(() => thrift.struct(1, () => {}))
  return thrift.finish()
}

function countLeaves(type: DeltaType): number {
  if (isLeafType(type)) return 1
  if (type.kind === 'array') return countLeaves(type.element)
  if (type.kind === 'map') return countLeaves(type.key) + countLeaves(type.value)
  return type.fields.reduce((sum, field) => sum + countLeaves(field.type), 0)
}

function countElements(type: DeltaType): number {
  if (isLeafType(type)) return 1
  if (type.kind === 'array') return 2 + countElements(type.element)
  if (type.kind === 'map') return 2 + countElements(type.key) + countElements(type.value)
  return type.fields.reduce((sum, field) => sum + countElements(field.type), 1)
}

function writeSchema(thrift: ThriftCompactWriter, schema: StructType): void {
  thrift.list(2, 'struct', countElements(schema))
  thrift.structElement(() => {
    thrift.binary(4, 'schema')
    thrift.i32(5, schema.fields.length)
  })
  for (const field of schema.fields) writeField(thrift, field)
}

function writeField(
  thrift: ThriftCompactWriter,
  field: Pick<StructField, 'name' | 'type' | 'nullable'>,
): void {
  const { name, type } = field
  const repetition = field.nullable ? REPETITION.OPTIONAL : REPETITION.REQUIRED
  if (isLeafType(type)) {
    thrift.structElement(() => writeLeaf(thrift, name, type, repetition))
    return
  }
  switch (type.kind) {
    case 'struct':
      writeGroup(thrift, name, repetition, type.fields.length)
      for (const child of type.fields) writeField(thrift, child)
      return
    case 'array':
      writeGroup(thrift, name, repetition, 1, { converted: CONVERTED_TYPE.LIST, logicalField: 3 })
      writeGroup(thrift, 'list', REPETITION.REPEATED, 1)
      writeField(thrift, { name: 'element', type: type.element, nullable: true })
      return
    case 'map':
      writeGroup(thrift, name, repetition, 1, { converted: CONVERTED_TYPE.MAP, logicalField: 2 })
      writeGroup(thrift, 'key_value', REPETITION.REPEATED, 2)
      writeField(thrift, { name: 'key', type: type.key, nullable: false })
      writeField(thrift, { name: 'value', type: type.value, nullable: true })
      return
  }
}

function writeGroup(
  thrift: ThriftCompactWriter,
  name: string,
  repetition: number,
  childCount: number,
  annotation?: { readonly converted: number; readonly logicalField: number },
): void {
  thrift.structElement(() => {
    thrift.i32(3, repetition)
    thrift.binary(4, name)
    thrift.i32(5, childCount)
    if (annotation === undefined) return
    thrift.i32(6, annotation.converted)
    thrift.struct(10, () => thrift.struct(annotation.logicalField, () => {}))
  })
}

function writeLeaf(thrift: ThriftCompactWriter, name: string, type: LeafType, repetition: number): void {
  const physical = physicalTypeOf(type)
  thrift.i32(1, PHYSICAL_TYPE[physical])
  if (physical === 'FIXED_LEN_BYTE_ARRAY' && typeof type !== 'string') {
    thrift.i32(2, decimalByteLength(type.precision))
  }
  thrift.i32(3, repetition)
  thrift.binary(4, name)
  if (typeof type !== 'string') {
    thrift.i32(6, CONVERTED_TYPE.DECIMAL)
    thrift.i32(7, type.scale)
    thrift.i32(8, type.precision)
    thrift.struct(10, () =>
      thrift.struct(5, () => {
        thrift.i32(1, type.scale)
        thrift.i32(2, type.precision)
      }),
    )
    return
  }
  writeAnnotation(thrift, type)
}

function writeAnnotation(thrift: ThriftCompactWriter, type: LeafType): void {
  switch (type) {
    case 'string':
      thrift.i32(6, CONVERTED_TYPE.UTF8)
      thrift.struct(10, () => thrift.struct(1, () => {}))
      return
    case 'date':
      thrift.i32(6, CONVERTED_TYPE.DATE)
      thrift.struct(10, () => thrift.struct(6, () => {}))
      return
    case 'byte':
    case 'short':
      thrift.i32(6, type === 'byte' ? CONVERTED_TYPE.INT_8 : CONVERTED_TYPE.INT_16)
      thrift.struct(10, () => thrift.struct(10, () => writeIntegerType(thrift, type === 'byte' ? 8 : 16)))
      return
    case 'timestamp':
      thrift.i32(6, CONVERTED_TYPE.TIMESTAMP_MICROS)
      thrift.struct(10, () => thrift.struct(8, () => writeTimestampType(thrift, true)))
      return
    case 'timestamp_ntz':
      // The converted type would say UTC: it has no word for a timestamp without zone.
      thrift.struct(10, () => thrift.struct(8, () => writeTimestampType(thrift, false)))
      return
    default:
      return
  }
}

function writeIntegerType(thrift: ThriftCompactWriter, bitWidth: 8 | 16): void {
  thrift.i8(1, bitWidth)
  thrift.bool(2, true)
}

function writeTimestampType(thrift: ThriftCompactWriter, isAdjustedToUtc: boolean): void {
  thrift.bool(1, isAdjustedToUtc)
  thrift.struct(2, () => thrift.struct(2, () => {}))
}

function writeRowGroup(
  thrift: ThriftCompactWriter,
  group: RowGroupInFile,
  ordinal: number,
  codec: keyof typeof CODEC,
): void {
  thrift.list(1, 'struct', group.chunks.length)
  let uncompressedSize = 0
  let compressedSize = 0
  for (const chunk of group.chunks) {
    uncompressedSize += chunk.uncompressedSize
    compressedSize += chunk.compressedSize
    thrift.structElement(() => writeChunk(thrift, chunk, codec))
  }
  thrift.i64(2, uncompressedSize)
  thrift.i64(3, group.rowCount)
  thrift.i64(5, chunkStart(group.chunks[0]!))
  thrift.i64(6, compressedSize)
  thrift.i16(7, ordinal)
}

function chunkStart(chunk: ChunkInFile): number {
  return chunk.dictionaryOffset ?? chunk.firstPageOffset
}

function writeChunk(thrift: ThriftCompactWriter, chunk: ChunkInFile, codec: keyof typeof CODEC): void {
  thrift.i64(2, chunkStart(chunk))
  thrift.struct(3, () => writeColumnMetadata(thrift, chunk, codec))
  if (chunk.offsetIndex !== null) {
    thrift.i64(4, chunk.offsetIndex.offset)
    thrift.i32(5, chunk.offsetIndex.length)
  }
  if (chunk.columnIndex !== null) {
    thrift.i64(6, chunk.columnIndex.offset)
    thrift.i32(7, chunk.columnIndex.length)
  }
}

function writeColumnMetadata(
  thrift: ThriftCompactWriter,
  chunk: ChunkInFile,
  codec: keyof typeof CODEC,
): void {
  const { path, type, firstPageOffset, pageCount, dictionaryOffset } = chunk
  const hasDictionary = dictionaryOffset !== null
  thrift.i32(1, PHYSICAL_TYPE[physicalTypeOf(type)])
  const encodings = [ENCODING.PLAIN, ENCODING.RLE, ...(hasDictionary ? [ENCODING.RLE_DICTIONARY] : [])]
  thrift.list(2, 'i32', encodings.length)
  for (const encoding of encodings) thrift.i32Element(encoding)
  thrift.list(3, 'binary', path.length)
  for (const step of path) thrift.binaryElement(step)
  thrift.i32(4, CODEC[codec])
  thrift.i64(5, chunk.entryCount)
  thrift.i64(6, chunk.uncompressedSize)
  thrift.i64(7, chunk.compressedSize)
  thrift.i64(9, firstPageOffset)
  if (hasDictionary) thrift.i64(11, dictionaryOffset)
  thrift.struct(12, () => writeStatistics(thrift, chunk))
  thrift.list(13, 'struct', hasDictionary ? 2 : 1)
  if (hasDictionary) {
    thrift.structElement(() => writeEncodingStats(thrift, PAGE_TYPE.DICTIONARY_PAGE, ENCODING.PLAIN, 1))
  }
  const dataEncoding = hasDictionary ? ENCODING.RLE_DICTIONARY : ENCODING.PLAIN
  thrift.structElement(() => writeEncodingStats(thrift, PAGE_TYPE.DATA_PAGE, dataEncoding, pageCount))
}

function writeEncodingStats(
  thrift: ThriftCompactWriter,
  pageType: number,
  encoding: number,
  count: number,
): void {
  thrift.i32(1, pageType)
  thrift.i32(2, encoding)
  thrift.i32(3, count)
}

function writeStatistics(thrift: ThriftCompactWriter, chunk: ChunkInFile): void {
  const { bounds, nullCount } = chunk
  thrift.i64(3, nullCount)
  if (bounds === undefined) return
  thrift.binary(5, bounds.max)
  thrift.binary(6, bounds.min)
  thrift.bool(7, bounds.isMaxExact)
  thrift.bool(8, bounds.isMinExact)
}
