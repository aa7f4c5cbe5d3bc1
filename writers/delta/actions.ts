import type { DeletionVectorDescriptor } from './dv-descriptor.ts'

/**
 * What a log entry is made of; `kind` is the key that stands in the log.
 *
 * Counts, sizes and times are `number`; what another program may count past 2^53 (`txn.version`, row ids) is `bigint`.
 *
 * @see PROTOCOL.md "Actions"; delta-protocol §2
 */
export type Action =
  | CommitInfo
  | Protocol
  | Metadata
  | SetTransaction
  | DomainMetadata
  | RemoveFile
  | AddFile
  | AddCdcFile

export interface AddFile {
  readonly kind: 'add'
  /** As the log writes it (URI-encoded, from the table root): the key of the file, echoed byte for byte by its remove. */
  readonly path: string
  /** One entry per partition column; `null` and the empty string both mean null. */
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
  /** Milliseconds; a file that is added again with another deletion vector keeps it. */
  readonly modificationTime: number
  /** False when rows are only rearranged. */
  readonly dataChange: boolean
  /** JSON text (delta-protocol §7), never parsed and written again. */
  readonly stats?: string | undefined
  readonly tags?: Readonly<Record<string, string | null>> | undefined
  readonly deletionVector?: DeletionVectorDescriptor | undefined
  readonly baseRowId?: bigint | undefined
  readonly defaultRowCommitVersion?: bigint | undefined
  readonly clusteringProvider?: string | undefined
}

export interface RemoveFile {
  readonly kind: 'remove'
  /** The very text of the add's path. */
  readonly path: string
  readonly deletionTimestamp?: number | undefined
  readonly dataChange: boolean
  readonly extendedFileMetadata?: boolean | undefined
  readonly partitionValues?: Readonly<Record<string, string | null>> | undefined
  readonly size?: number | undefined
  readonly tags?: Readonly<Record<string, string | null>> | undefined
  /** The vector that the file had before. */
  readonly deletionVector?: DeletionVectorDescriptor | undefined
  readonly baseRowId?: bigint | undefined
  readonly defaultRowCommitVersion?: bigint | undefined
}

export interface AddCdcFile {
  readonly kind: 'cdc'
  readonly path: string
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
  readonly tags?: Readonly<Record<string, string | null>> | undefined
}

export interface SetTransaction {
  readonly kind: 'txn'
  readonly appId: string
  /** int64; what it counts is the application's business (ours: the next offset to read). */
  readonly version: bigint
  readonly lastUpdated?: number | undefined
}

export interface Metadata {
  readonly kind: 'metaData'
  /** Never changes in the life of a table. */
  readonly id: string
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly format: { readonly provider: string; readonly options: Readonly<Record<string, string>> }
  readonly schemaString: string
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  readonly createdTime?: number | undefined
}

export interface Protocol {
  readonly kind: 'protocol'
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  /** Present exactly when the reader version is 3. */
  readonly readerFeatures?: readonly string[] | undefined
  /** Present exactly when the writer version is 7. */
  readonly writerFeatures?: readonly string[] | undefined
}

/** Free in form; these are the members we write and look at. Maps are flat: a nested one breaks DESCRIBE HISTORY. */
export interface CommitInfo {
  readonly kind: 'commitInfo'
  readonly timestamp?: number | undefined
  readonly operation?: string | undefined
  readonly operationParameters?: Readonly<Record<string, string>> | undefined
  readonly readVersion?: number | undefined
  readonly isolationLevel?: string | undefined
  /** True only for a commit that read nothing and only adds: other writers trust it. */
  readonly isBlindAppend?: boolean | undefined
  readonly operationMetrics?: Readonly<Record<string, string>> | undefined
  readonly engineInfo?: string | undefined
  /** Names the commit: how we know our own entry after an answer was lost. */
  readonly txnId?: string | undefined
}

export interface DomainMetadata {
  readonly kind: 'domainMetadata'
  readonly domain: string
  readonly configuration: string
  readonly removed: boolean
}

/**
 * The remove that takes `file` out of the table, path and vector as the log has them.
 *
 * @see delta-protocol §2.4, §14 trap 1
 */
export function removeOf(file: AddFile, deletionTimestamp: number, dataChange: boolean): RemoveFile {
  return {
    kind: 'remove',
    path: file.path,
    deletionTimestamp,
    dataChange,
    extendedFileMetadata: true,
    partitionValues: file.partitionValues,
    size: file.size,
    tags: file.tags,
    deletionVector: file.deletionVector,
    baseRowId: file.baseRowId,
    defaultRowCommitVersion: file.defaultRowCommitVersion,
  }
}
