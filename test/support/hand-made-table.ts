import { type Cell, type StructType, struct } from '../../schemas/delta-types.ts'
import type { Action, AddCdcFile, AddFile, Metadata } from '../../writers/delta/actions.ts'
import {
  deletionVectorFileName,
  describeVector,
  encodeDeletionVectorFile,
} from '../../writers/delta/deletion-vector.ts'
import type { DeletionVectorDescriptor } from '../../writers/delta/dv-descriptor.ts'
import { writeCommit } from '../../writers/delta/log-entry.ts'
import { commitPath, joinTablePath } from '../../writers/delta/log-path.ts'
import { protocolFor } from '../../writers/delta/protocol.ts'
import { RowSet } from '../../writers/delta/row-set.ts'
import { renderSchemaString } from '../../writers/delta/schema-string.ts'
import type { ParquetOptions } from '../../writers/parquet/encode-parquet.ts'
import type { MemoryStore } from './memory-store.ts'
import { encodeRows } from './parquet-file.ts'

export interface HandMadeOptions {
  readonly name?: string
  readonly configuration?: Readonly<Record<string, string>>
  readonly partitionColumns?: readonly string[]
  readonly parquet?: Partial<ParquetOptions>
}

/** When version 0 of a table is committed; each version a second later. */
const FIRST_COMMIT_MS = 1_700_000_000_000

/** A Delta table put together action by action, as any writer might have done it. */
export class HandMadeTable {
  readonly store: MemoryStore
  readonly path: string
  readonly schema: StructType
  version = -1
  readonly #options: HandMadeOptions
  #vectors = 0

  /** Version 0 holds protocol and metadata. */
  constructor(store: MemoryStore, path: string, schema: StructType, options: HandMadeOptions = {}) {
    this.store = store
    this.path = path
    this.schema = schema
    this.#options = options
    const needs = { deletionVectors: true, changeDataFeed: true, timestampNtz: false }
    this.commit([protocolFor(needs), this.metadata(options.configuration)])
  }

  metadata(configuration: Readonly<Record<string, string>> = {}, schema = this.schema): Metadata {
    const { name, partitionColumns = [] } = this.#options
    return {
      kind: 'metaData',
      id: '5a11ab1e-0000-4000-8000-000000000000',
      name,
      format: { provider: 'parquet', options: {} },
      schemaString: renderSchemaString(schema),
      partitionColumns,
      configuration,
    }
  }

  /** Stores a data file; `partition` names the values of partition columns, which are left out of the file. */
  file(path: string, rows: readonly (readonly Cell[])[], partition: Record<string, string> = {}): AddFile {
    const stored = struct(this.schema.fields.filter(({ name }) => !(name in partition)))
    const size = this.#storeParquet(path, stored, rows)
    return {
      kind: 'add',
      path,
      partitionValues: partition,
      size,
      modificationTime: 5,
      dataChange: true,
      stats: `{"numRecords":${rows.length}}`,
    }
  }

  /** Stores a change file: the last cell of a row is its `_change_type`. */
  changeFile(path: string, schema: StructType, rows: readonly (readonly Cell[])[]): AddCdcFile {
    return { kind: 'cdc', path, partitionValues: {}, size: this.#storeParquet(path, schema, rows) }
  }

  vector(rows: readonly number[]): DeletionVectorDescriptor {
    const uuid = `00000000-0000-4000-8000-${String(++this.#vectors).padStart(12, '0')}`
    const { bytes, places } = encodeDeletionVectorFile([RowSet.of(rows)])
    this.store.seed(joinTablePath(this.path, deletionVectorFileName(uuid)), bytes)
    return describeVector(uuid, places[0]!)
  }

  /** @returns the new version */
  commit(actions: readonly Action[], info: Readonly<Record<string, unknown>> = {}): number {
    this.version++
    const timestamp = FIRST_COMMIT_MS + this.version * 1000
    const commitInfo = { kind: 'commitInfo', timestamp, txnId: `commit-${this.version}`, ...info } as Action
    this.store.seed(commitPath(this.path, this.version), writeCommit([commitInfo, ...actions]))
    return this.version
  }

  #storeParquet(path: string, schema: StructType, rows: readonly (readonly Cell[])[]): number {
    const { bytes } = encodeRows(schema, rows, this.#options.parquet)
    this.store.seed(joinTablePath(this.path, path), bytes)
    return bytes.length
  }
}
