import { arrayOf, field, mapOf, type StructType, struct } from '../../schemas/delta-types.ts'

const TEXT_MAP = mapOf('string', 'string')
const TEXT_LIST = arrayOf('string')

const DELETION_VECTOR = struct([
  field('storageType', 'string'),
  field('pathOrInlineDv', 'string'),
  field('offset', 'integer'),
  field('sizeInBytes', 'integer'),
  field('cardinality', 'long'),
])

export const TXN_COLUMNS = struct([
  field('appId', 'string'),
  field('version', 'long'),
  field('lastUpdated', 'long'),
])

export const ADD_COLUMNS = struct([
  field('path', 'string'),
  field('partitionValues', TEXT_MAP),
  field('size', 'long'),
  field('modificationTime', 'long'),
  field('dataChange', 'boolean'),
  field('tags', TEXT_MAP),
  field('deletionVector', DELETION_VECTOR),
  field('baseRowId', 'long'),
  field('defaultRowCommitVersion', 'long'),
  field('clusteringProvider', 'string'),
  field('stats', 'string'),
])

export const REMOVE_COLUMNS = struct([
  field('path', 'string'),
  field('deletionTimestamp', 'long'),
  field('dataChange', 'boolean'),
  field('extendedFileMetadata', 'boolean'),
  field('partitionValues', TEXT_MAP),
  field('size', 'long'),
  field('deletionVector', DELETION_VECTOR),
  field('baseRowId', 'long'),
  field('defaultRowCommitVersion', 'long'),
])

export const METADATA_COLUMNS = struct([
  field('id', 'string'),
  field('name', 'string'),
  field('description', 'string'),
  field('format', struct([field('provider', 'string'), field('options', TEXT_MAP)])),
  field('schemaString', 'string'),
  field('partitionColumns', TEXT_LIST),
  field('configuration', TEXT_MAP),
  field('createdTime', 'long'),
])

export const PROTOCOL_COLUMNS = struct([
  field('minReaderVersion', 'integer'),
  field('minWriterVersion', 'integer'),
  field('readerFeatures', TEXT_LIST),
  field('writerFeatures', TEXT_LIST),
])

export const DOMAIN_COLUMNS = struct([
  field('domain', 'string'),
  field('configuration', 'string'),
  field('removed', 'boolean'),
])

export const SIDECAR_COLUMNS = struct([field('path', 'string')])

/**
 * A classic checkpoint: an action a row, in the one column of its kind. Always the full set of columns, in Spark's order
 * and physical types: readers have failed on less.
 *
 * @see PROTOCOL.md "Checkpoint Schema"; delta-protocol §4.2
 */
export const CHECKPOINT_SCHEMA: StructType = struct([
  field('txn', TXN_COLUMNS),
  field('add', ADD_COLUMNS),
  field('remove', REMOVE_COLUMNS),
  field('metaData', METADATA_COLUMNS),
  field('protocol', PROTOCOL_COLUMNS),
  field('domainMetadata', DOMAIN_COLUMNS),
])
