/** Numbers of Parquet's own enumerations (parquet.thrift). */

export const PHYSICAL_TYPE = {
  BOOLEAN: 0,
  INT32: 1,
  INT64: 2,
  FLOAT: 4,
  DOUBLE: 5,
  BYTE_ARRAY: 6,
  FIXED_LEN_BYTE_ARRAY: 7,
} as const

export type PhysicalType = keyof typeof PHYSICAL_TYPE

export const CONVERTED_TYPE = {
  UTF8: 0,
  MAP: 1,
  LIST: 3,
  DECIMAL: 5,
  DATE: 6,
  TIMESTAMP_MICROS: 10,
  INT_8: 15,
  INT_16: 16,
} as const

export const REPETITION = { REQUIRED: 0, OPTIONAL: 1, REPEATED: 2 } as const

export const ENCODING = { PLAIN: 0, RLE: 3, RLE_DICTIONARY: 8 } as const

export const CODEC = { uncompressed: 0, snappy: 1 } as const

export const PAGE_TYPE = { DATA_PAGE: 0, DICTIONARY_PAGE: 2 } as const

export const BOUNDARY_ORDER = { UNORDERED: 0, ASCENDING: 1, DESCENDING: 2 } as const

export const MAGIC: Uint8Array = Uint8Array.of(0x50, 0x41, 0x52, 0x31)
