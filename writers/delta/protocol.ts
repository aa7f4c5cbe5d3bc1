import { EngineError } from '../../core/errors.ts'
import type { DeltaType, StructField, StructType } from '../../schemas/delta-types.ts'
import type { Metadata, Protocol } from './actions.ts'
import { isSet } from './table-properties.ts'

/** What a table of ours may need beyond plain rows. */
export interface ProtocolNeeds {
  readonly deletionVectors: boolean
  readonly changeDataFeed: boolean
  /** The schema has a `timestamp_ntz` column, at any depth. */
  readonly timestampNtz: boolean
}

/** Features that a legacy writer version switched on, each with the version it came with. */
const LEGACY_WRITER_FEATURES: readonly (readonly [feature: string, since: number])[] = [
  ['appendOnly', 2],
  ['invariants', 2],
  ['checkConstraints', 3],
  ['changeDataFeed', 4],
  ['generatedColumns', 4],
  ['columnMapping', 5],
  ['identityColumns', 6],
]

/** Reader features we honour; `columnMapping` only where it is not in use (see `activeProblems`). */
const READABLE: ReadonlySet<string> = new Set([
  'deletionVectors',
  'timestampNtz',
  'v2Checkpoint',
  'vacuumProtocolCheck',
  'columnMapping',
])

/** Writer features we honour, or may leave alone while nothing in the table uses them (see `activeProblems`). */
const WRITABLE: ReadonlySet<string> = new Set([
  'appendOnly',
  'invariants',
  'checkConstraints',
  'changeDataFeed',
  'generatedColumns',
  'columnMapping',
  'identityColumns',
  'allowColumnDefaults',
  'deletionVectors',
  'timestampNtz',
  'inCommitTimestamp',
  'vacuumProtocolCheck',
  'domainMetadata',
  'checkpointProtection',
])

/**
 * The protocol of a table that we create.
 *
 * @see delta-protocol §0: the least that the needs allow, so that the most readers can follow
 */
export function protocolFor(needs: ProtocolNeeds): Protocol {
  return upgradeProtocol({ kind: 'protocol', minReaderVersion: 1, minWriterVersion: 2 }, needs)
}

/**
 * `current` with what is needed added; the same object when nothing is. Features are never taken away.
 *
 * @see PROTOCOL.md "Table Features for New and Existing Tables": a step from a legacy version to 7 lists all it implied
 */
export function upgradeProtocol(current: Protocol, needs: ProtocolNeeds): Protocol {
  const reader = new Set(readerFeaturesOf(current))
  const writer = new Set(writerFeaturesOf(current))
  const before = reader.size + writer.size
  if (needs.deletionVectors) reader.add('deletionVectors')
  if (needs.timestampNtz) reader.add('timestampNtz')
  if (needs.changeDataFeed) writer.add('changeDataFeed')
  if (reader.size + writer.size === before) return current

  for (const feature of reader) writer.add(feature)
  const readerListed = current.minReaderVersion === 3 || needs.deletionVectors || needs.timestampNtz
  return {
    kind: 'protocol',
    minReaderVersion: readerListed ? 3 : current.minReaderVersion,
    minWriterVersion: 7,
    readerFeatures: readerListed ? [...reader] : undefined,
    writerFeatures: [...writer],
  }
}

/** Reader features that bind, listed or implied by a legacy version. */
export function readerFeaturesOf(protocol: Protocol): readonly string[] {
  if (protocol.minReaderVersion >= 3) return protocol.readerFeatures ?? []
  return protocol.minReaderVersion === 2 ? ['columnMapping'] : []
}

/** Writer features that bind, listed or implied by a legacy version. */
export function writerFeaturesOf(protocol: Protocol): readonly string[] {
  if (protocol.minWriterVersion >= 7) return protocol.writerFeatures ?? []
  return LEGACY_WRITER_FEATURES.filter(([, since]) => since <= protocol.minWriterVersion).map(
    ([name]) => name,
  )
}

/** @throws EngineError `E_TABLE_FEATURE` (stop-table) naming what we cannot read, and the cure */
export function assertReadable(protocol: Protocol, metadata: Metadata): void {
  if (protocol.minReaderVersion > 3)
    throw unsupported('read', [`reader version ${protocol.minReaderVersion}`])
  const unknown = readerFeaturesOf(protocol).filter((feature) => !READABLE.has(feature))
  if (isColumnMapped(metadata)) unknown.push('columnMapping')
  if (unknown.length > 0) throw unsupported('read', unknown)
}

/**
 * @param schema of `metadata`, parsed
 * @param intent `append`: rows are only added or rearranged · `change`: rows are deleted or updated too
 * @throws EngineError `E_TABLE_FEATURE` (stop-table) naming what we cannot write, and the cure
 * @see delta-protocol §3
 */
export function assertWritable(
  protocol: Protocol,
  metadata: Metadata,
  schema: StructType,
  intent: 'append' | 'change',
): void {
  assertReadable(protocol, metadata)
  if (protocol.minWriterVersion > 7)
    throw unsupported('write', [`writer version ${protocol.minWriterVersion}`])
  const unknown = writerFeaturesOf(protocol).filter((feature) => !WRITABLE.has(feature))
  const problems = [...unknown, ...activeProblems(metadata, schema)]
  if (intent === 'change' && isSet(metadata.configuration, 'delta.appendOnly'))
    problems.push('delta.appendOnly')
  if (problems.length > 0) throw unsupported('write', problems)
}

/** Features that are in use, by property or by a column, and that we do not carry out. */
function activeProblems(metadata: Metadata, schema: StructType): string[] {
  const { configuration } = metadata
  const problems = Object.keys(configuration)
    .filter((property) => property.startsWith('delta.constraints.'))
    .map((property) => `checkConstraints (${property})`)
  if (isSet(configuration, 'delta.enableInCommitTimestamps')) problems.push('inCommitTimestamp')
  for (const field of fieldsOf(schema)) {
    if ('delta.invariants' in field.metadata) problems.push(`invariants (column ${field.name})`)
    if ('delta.generationExpression' in field.metadata)
      problems.push(`generatedColumns (column ${field.name})`)
    if ('CURRENT_DEFAULT' in field.metadata) problems.push(`allowColumnDefaults (column ${field.name})`)
    if (Object.keys(field.metadata).some((key) => key.startsWith('delta.identity.'))) {
      problems.push(`identityColumns (column ${field.name})`)
    }
  }
  return problems
}

/** True when a column of the type stands anywhere in the schema. */
export function hasTimestampNtz(type: DeltaType): boolean {
  if (typeof type === 'string') return type === 'timestamp_ntz'
  switch (type.kind) {
    case 'decimal':
      return false
    case 'array':
      return hasTimestampNtz(type.element)
    case 'map':
      return hasTimestampNtz(type.key) || hasTimestampNtz(type.value)
    case 'struct':
      return type.fields.some((field) => hasTimestampNtz(field.type))
    default:
      return type satisfies never
  }
}

/** Fields at any depth of structs. */
function fieldsOf(type: DeltaType): readonly StructField[] {
  if (typeof type === 'string' || type.kind !== 'struct') return []
  return type.fields.flatMap((field) => [field, ...fieldsOf(field.type)])
}

function isColumnMapped(metadata: Metadata): boolean {
  return (metadata.configuration['delta.columnMapping.mode'] ?? 'none') !== 'none'
}

function unsupported(action: 'read' | 'write', features: readonly string[]): EngineError {
  const names = [...new Set(features)].join(', ')
  return new EngineError(
    'E_TABLE_FEATURE',
    'stop-table',
    `this table cannot be ${action === 'read' ? 'read' : 'written'} here: it uses ${names}. Take the feature off with the ` +
      'engine that put it on (ALTER TABLE … DROP FEATURE, or UNSET TBLPROPERTIES), or let the pipeline write to a new table',
  )
}
