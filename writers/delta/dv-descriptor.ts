/**
 * Where a deletion vector lies and what it holds, as the log says it.
 *
 * @see PROTOCOL.md "Deletion Vector Descriptor Schema"; delta-protocol §5
 */
export interface DeletionVectorDescriptor {
  /** `u`: file under the table root, named by a UUID · `p`: absolute URI · `i`: the bitmap itself, in Z85. */
  readonly storageType: 'u' | 'p' | 'i'
  readonly pathOrInlineDv: string
  /** Byte position of the size field in the file; the first vector of a file stands at 1. Absent for `i`. */
  readonly offset?: number | undefined
  /** Bytes of the bitmap with its magic number, without the size and checksum words around it. */
  readonly sizeInBytes: number
  /** Rows deleted; readers answer `COUNT(*)` from it. */
  readonly cardinality: number
}

/** What tells two vectors of one data file apart; `undefined` for a file without one. */
export function dvUniqueId(descriptor: DeletionVectorDescriptor | undefined): string | undefined {
  if (descriptor === undefined) return undefined
  const { storageType, pathOrInlineDv, offset } = descriptor
  return offset === undefined ? storageType + pathOrInlineDv : `${storageType}${pathOrInlineDv}@${offset}`
}
