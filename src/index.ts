/**
 * alluvium as a library: run pipelines, decode the records of Debezium topics, write and read Delta tables and their
 * change feeds, ask a Postgres, make connectors.
 *
 * ```ts
 * import { DeltaTable, openLake, PostgresCDCPipeline, rowJson } from 'alluvium'
 *
 * await new PostgresCDCPipeline({ config: 'alluvium.yaml' }).start({ untilEnd: true })
 * const lake = await openLake('./lake')
 * const table = await DeltaTable.open(lake, 'inventory/customers')
 * if (table !== null) {
 *   for await (const cells of table.rows({ limit: 10 })) console.log(rowJson(table.schema.fields, cells))
 *   for await (const { type, version, cells } of table.changes({ from: 0 })) console.log(version, type, cells)
 * }
 * ```
 *
 * A cell is a value of `Cell`: exact, without a `Date` or a rounded number; `cellJson` and `rowJson` make JSON of it.
 * Errors that a caller may meet are `EngineError`s, with a stable `code` and the `remedy`.
 *
 * @module
 */
export { EngineError, type Remedy } from '../core/errors.ts'
export type {
  ObjectStore,
  RawRecord,
  SourceColumn,
  SourceDatabase,
  SourceSession,
  SourceTable,
} from '../core/ports.ts'
export { cellJson, type JsonValue, rowJson } from '../schemas/cell-json.ts'
export type { ChangeEvent, Control, Decoded, Tombstone, Undecodable } from '../schemas/change-event.ts'
export { DEFAULT_CONTRACT, type TableContract } from '../schemas/contract.ts'
export type { DecodeOptions } from '../schemas/decode/decode-options.ts'
export { createTopicDecoder, type TopicDecoder } from '../schemas/decode/topic-decoder.ts'
export type { Cell, DeltaType, StructField, StructType } from '../schemas/delta-types.ts'
export { type StandardRecord, toStandardJson } from '../schemas/standard-record.ts'
export type { TableSnapshot } from '../writers/delta/snapshot.ts'
export type { TableChange } from '../writers/table/change-feed.ts'
export { DeltaTable, type ReadOptions } from '../writers/table/delta-table.ts'
export { listTables } from '../writers/table/list-tables.ts'
export { CDCEventParser, type ParserOptions } from './library/cdc-event-parser.ts'
export type { PipelineChoice } from './library/configured-pipeline.ts'
export {
  DeltaLakeWriter,
  type DeltaLakeWriterOptions,
  type WriteResult,
} from './library/delta-lake-writer.ts'
export {
  type PipelineStatus,
  type PipelineTableStatus,
  PostgresCDCPipeline,
  type PostgresCDCPipelineOptions,
  type StartOptions,
} from './library/postgres-cdc-pipeline.ts'
export { type ReadChange, type ReadChangesOptions, readChanges } from './library/read-changes.ts'
export { openLake } from './open-lake.ts'
export type { RunReport } from './pipeline/pipeline.ts'
export type { CdcReadiness, ReplicationSlot } from './postgres/cdc-readiness.ts'
export { PostgresConnectionManager } from './postgres/connection-manager.ts'
export type { PostgresSettings } from './postgres/postgres-settings.ts'
export {
  type ConnectorConfig,
  DebeziumConfigBuilder,
  type DebeziumOptions,
  type MongoConnectorOptions,
  type PostgresConnectorOptions,
} from './setup/debezium-config.ts'
