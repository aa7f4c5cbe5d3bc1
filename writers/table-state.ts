import { EngineError } from '../core/errors.ts'
import type { Column, RowShape, TableId } from '../schemas/change-event.ts'
import type { TableContract } from '../schemas/contract.ts'
import { type StructField, type StructType, struct } from '../schemas/delta-types.ts'
import { typeText } from '../schemas/evolution.ts'
import type { Metadata, Protocol } from './delta/actions.ts'
import { hasTimestampNtz, protocolFor, upgradeProtocol } from './delta/protocol.ts'
import { renderSchemaString } from './delta/schema-string.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { isSet } from './delta/table-properties.ts'
import { type LayoutOptions, mergeShapes, type SchemaChange, TableLayout } from './table/table-layout.ts'
import {
  deltaProperties,
  readTableProperties,
  sourceIdentity,
  type TableProperties,
  usesDeletionVectors,
  withTableProperties,
} from './table-properties.ts'

/** What a table is, beside its rows: layout and properties. A new state comes into force with a commit. */
export interface TableState {
  readonly layout: TableLayout
  readonly properties: TableProperties
}

/**
 * The state that a snapshot tells.
 *
 * @throws EngineError `E_FOREIGN_TABLE` or `E_TABLE_IDENTITY` (stop-table) when the table is not ours, or another's;
 * `E_MODE_CHANGED` (stop-table) when it is not kept in the contract's mode; `E_PROGRESS_EXPIRES` (stop-table) when it
 * would forget how far it was read
 */
export function stateOf(snapshot: TableSnapshot, table: TableId, contract: TableContract): TableState {
  const properties = readTableProperties(snapshot.metadata.configuration)
  const name = contract.name
  if (properties === null) {
    throw new EngineError(
      'E_FOREIGN_TABLE',
      'stop-table',
      'the path holds a Delta table that alluvium did not make; choose another lake, or move that table away',
      { table: name },
    )
  }
  if (properties.source !== sourceIdentity(table)) {
    throw new EngineError(
      'E_TABLE_IDENTITY',
      'stop-table',
      `the path holds the copy of ${properties.source}, and the topic tells of ${sourceIdentity(table)}; ` +
        'give each source a lake of its own',
      { table: name },
    )
  }
  if (TXN_RETENTION in snapshot.metadata.configuration) throw forgetsProgress(name)
  if (properties.mode !== contract.mode) throw modeChanged(properties.mode, contract)
  const options = layoutOptions(contract, snapshot.schema.fields)
  const layout = TableLayout.of(snapshot.schema, new Set(properties.incomplete), options, name)
  const fullBefore = properties.fullBefore || contract.replicaIdentity === 'full'
  return { layout, properties: { ...properties, fullBefore } }
}

/** A table keeps the mark of its deleted rows when the contract asks for no more of them. */
function layoutOptions(contract: TableContract, stored: readonly StructField[]): LayoutOptions {
  const marksDeleted = stored.some(({ name }) => name === '_cdc_deleted')
  return {
    withOperation: contract.mode === 'append',
    withDeleted: marksDeleted || contract.deletes === 'soft',
  }
}

/** Whether the table has all columns of ours that the contract asks for by now. */
export function hasSystemColumns(snapshot: TableSnapshot, layout: TableLayout): boolean {
  return layout.system.every(({ name }) => snapshot.schema.fields.some((stored) => stored.name === name))
}

const TXN_RETENTION = 'delta.setTransactionRetentionDuration'

/** Progress is kept in `txn` actions, and a quiet table's are old. */
function forgetsProgress(table: string): EngineError {
  return new EngineError(
    'E_PROGRESS_EXPIRES',
    'stop-table',
    `the table has ${TXN_RETENTION}, after which it forgets how far its topics were read, and would read them again; ` +
      `take it off: ALTER TABLE … UNSET TBLPROPERTIES ('${TXN_RETENTION}')`,
    { table },
  )
}

function modeChanged(mode: TableContract['mode'], contract: TableContract): EngineError {
  const rows = { append: 'every event', upsert: 'the newest row of every key' }
  return new EngineError(
    'E_MODE_CHANGED',
    'stop-table',
    `the table holds ${rows[mode]}, and tables.${contract.name}.mode now asks for ${rows[contract.mode]}; set it back ` +
      `to ${mode}, or take the topic in anew into another lake`,
    { table: contract.name },
  )
}

/** The state of a table whose first rows have these shapes. */
export function firstState(
  table: TableId,
  contract: TableContract,
  key: readonly string[] | null,
  shapes: Iterable<RowShape>,
): TableState {
  const change = mergeShapes([], contractShapes(shapes, contract, key), contract.name)
  const columns = change?.columns ?? []
  const first = [...shapes][0]
  const later = columns.filter((column) => !first?.indexOf.has(column.name))
  return {
    layout: new TableLayout(columns, layoutOptions(contract, []), contract.name),
    properties: {
      source: sourceIdentity(table),
      mode: contract.mode,
      key: contract.mode === 'append' ? null : key,
      fullBefore: contract.replicaIdentity === 'full',
      incomplete: later.filter((column) => column.hasDefault).map((column) => column.name),
      addedLater: later.map((column) => column.name),
      unsent: [],
      owed: [],
      owedValues: [],
      changeFeed: contract.changeFeed,
    },
  }
}

/**
 * The state after rows of these shapes came in, and what changed; `null` when nothing does.
 *
 * @throws EngineError `E_SCHEMA_CHANGED` (stop-table) when the contract says `schemaChanges: stop`
 */
export function evolvedState(
  state: TableState,
  contract: TableContract,
  shapes: Iterable<RowShape>,
): { readonly state: TableState; readonly change: SchemaChange } | null {
  const columns = state.layout.shape.columns
  const change = mergeShapes(columns, contractShapes(shapes, contract, state.properties.key), contract.name)
  if (change === null) return null
  if (contract.schemaChanges === 'stop') throw schemaChanged(contract, change)
  const { incomplete, addedLater } = state.properties
  const namesOf = (columns: readonly Column[]): string[] => columns.map((column) => column.name)
  return {
    change,
    state: {
      layout: new TableLayout(change.columns, layoutOptions(contract, state.layout.system), contract.name),
      properties: {
        ...state.properties,
        incomplete: [...incomplete, ...namesOf(change.added.filter((column) => column.hasDefault))],
        addedLater: [...addedLater, ...namesOf(change.added)],
      },
    },
  }
}

/** Under `schemaChanges: contract` only the columns that the contract names exist, and the key. */
function* contractShapes(
  shapes: Iterable<RowShape>,
  contract: TableContract,
  key: readonly string[] | null,
): Generator<RowShape> {
  const named = contract.columns
  const isWanted = ({ name }: Column): boolean =>
    named === undefined || Object.hasOwn(named, name) || (key?.includes(name) ?? false)
  for (const shape of shapes) {
    if (contract.schemaChanges === 'contract') yield { ...shape, columns: shape.columns.filter(isWanted) }
    else yield shape
  }
}

function schemaChanged(contract: TableContract, change: SchemaChange): EngineError {
  const what = [
    ...change.added.map((column) => `new column ${column.name} ${typeText(column.type)}`),
    ...change.widened.map(({ name, from, to }) => `column ${name} from ${typeText(from)} to ${typeText(to)}`),
  ]
  return new EngineError(
    'E_SCHEMA_CHANGED',
    'stop-table',
    `the source's columns changed (${what.join(', ')}) and tables.${contract.name}.schemaChanges says stop; ` +
      'allow it with schemaChanges: evolve',
    { table: contract.name },
  )
}

/** `metaData` that brings a state into force; `protocol` too where the table needs more than it has. */
export function metadataActions(
  state: TableState,
  contract: TableContract,
  snapshot: TableSnapshot | null,
  newId: string,
  nowMs: number,
): readonly (Protocol | Metadata)[] {
  const schema = withStoredFields(state.layout.schema, snapshot)
  const configuration = withTableProperties(
    snapshot?.metadata.configuration ?? deltaProperties(contract),
    state.properties,
  )
  const schemaString = renderSchemaString(schema)
  const needs = protocolNeeds(configuration, contract, schema)
  if (snapshot === null) {
    const metadata: Metadata = {
      kind: 'metaData',
      id: newId,
      name: contract.name,
      format: { provider: 'parquet', options: {} },
      schemaString,
      partitionColumns: partitionColumns(state.layout, contract),
      configuration,
      createdTime: nowMs,
    }
    return [protocolFor(needs), metadata]
  }
  const protocol = upgradeProtocol(snapshot.protocol, needs)
  const metadata = { ...snapshot.metadata, schemaString, configuration }
  return protocol === snapshot.protocol ? [metadata] : [protocol, metadata]
}

function protocolNeeds(
  configuration: Readonly<Record<string, string>>,
  contract: TableContract,
  schema: StructType,
) {
  return {
    deletionVectors: usesDeletionVectors(contract),
    changeDataFeed: isSet(configuration, 'delta.enableChangeDataFeed'),
    timestampNtz: hasTimestampNtz(schema),
  }
}

/** What others have put on a column (a comment, a constraint) is theirs: a change of the schema does not drop it. */
function withStoredFields(schema: StructType, snapshot: TableSnapshot | null): StructType {
  const stored = new Map(snapshot?.schema.fields.map((field) => [field.name, field]))
  return struct(
    schema.fields.map((field) => {
      const { nullable = true, metadata } = stored.get(field.name) ?? {}
      return { ...field, nullable, metadata: { ...metadata, ...field.metadata } }
    }),
  )
}

/**
 * Names under which the contract's partition columns are stored.
 *
 * @throws EngineError `E_PARTITION_COLUMN` (stop-table) when the table has no such column
 */
export function partitionColumns(layout: TableLayout, contract: TableContract): string[] {
  return contract.partitionBy.map((name) => {
    const stored = layout.fieldOf(name)
    if (stored !== undefined) return stored.name
    throw new EngineError(
      'E_PARTITION_COLUMN',
      'stop-table',
      `tables.${contract.name}.partitionBy names ${name}, and the table has no such column`,
      { table: contract.name },
    )
  })
}
