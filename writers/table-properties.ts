import type { TableId } from '../schemas/change-event.ts'
import type { TableContract } from '../schemas/contract.ts'

/**
 * What we keep in a table's own properties: public format, `alluvium.*` (design §4).
 *
 * `alluvium.source` names the table that this is a copy of, `alluvium.key` its key columns (`null`: none),
 * `alluvium.replicaIdentity` is `full` once events are known to carry whole rows before, `alluvium.incomplete` lists
 * columns whose older rows the stream could not tell, `alluvium.addedLater` all that came after the first rows,
 * `alluvium.unsent` those in which a value that was never sent is stored as null, `alluvium.owed` rows of a table
 * without a key that went before they came, `alluvium.owedValues` values of rows that changed their key and came before
 * they went,
 * `alluvium.changeFeed` is what the contract asks of the feed.
 */
export interface TableProperties {
  readonly source: string
  readonly mode: 'upsert' | 'append'
  readonly key: readonly string[] | null
  readonly fullBefore: boolean
  readonly incomplete: readonly string[]
  /** Columns that came after the first rows: an older row may be stored otherwise than its events tell it. */
  readonly addedLater: readonly string[]
  /** Columns in which some row holds null for a value that was never sent. */
  readonly unsent: readonly string[]
  /** Rows of a table without a key that went before they came: see `writers/owed-rows.ts`. */
  readonly owed: readonly string[]
  /** Values that a row under a new key has not been told: see `writers/owed-values.ts`. */
  readonly owedValues: readonly string[]
  readonly changeFeed: TableContract['changeFeed']
}

/** Identity of a source table as it stands in `alluvium.source`. */
export function sourceIdentity(table: TableId): string {
  return JSON.stringify([table.sourceName, table.database, table.schema, table.table])
}

/** Which table of which source a table is the copy of. @returns `null` for a table that we did not make */
export function readSourceIdentity(configuration: Readonly<Record<string, string>>): TableId | null {
  const identity = configuration['alluvium.source']
  if (identity === undefined) return null
  const [sourceName, database, schema, table] = JSON.parse(identity) as [string, string, string, string]
  return { sourceName, database, schema, table }
}

/** @returns `null` for a table that we did not make */
export function readTableProperties(configuration: Readonly<Record<string, string>>): TableProperties | null {
  const source = configuration['alluvium.source']
  if (source === undefined) return null
  return {
    source,
    mode: configuration['alluvium.mode'] === 'append' ? 'append' : 'upsert',
    key: JSON.parse(configuration['alluvium.key'] ?? 'null') as readonly string[] | null,
    fullBefore: configuration['alluvium.replicaIdentity'] === 'full',
    incomplete: JSON.parse(configuration['alluvium.incomplete'] ?? '[]') as readonly string[],
    addedLater: JSON.parse(configuration['alluvium.addedLater'] ?? '[]') as readonly string[],
    unsent: JSON.parse(configuration['alluvium.unsent'] ?? '[]') as readonly string[],
    owed: JSON.parse(configuration['alluvium.owed'] ?? '[]') as readonly string[],
    owedValues: JSON.parse(configuration['alluvium.owedValues'] ?? '[]') as readonly string[],
    changeFeed: (configuration['alluvium.changeFeed'] ?? 'auto') as TableProperties['changeFeed'],
  }
}

/** `configuration` with our properties as they are now; all others stay. */
export function withTableProperties(
  configuration: Readonly<Record<string, string>>,
  properties: TableProperties,
): Record<string, string> {
  const next: Record<string, string> = {
    ...configuration,
    'alluvium.format': '1',
    'alluvium.source': properties.source,
    'alluvium.mode': properties.mode,
    'alluvium.key': JSON.stringify(properties.key),
    'alluvium.changeFeed': properties.changeFeed,
  }
  setOrDelete(next, 'alluvium.replicaIdentity', properties.fullBefore ? 'full' : null)
  const { incomplete, addedLater, unsent, owed, owedValues } = properties
  setOrDelete(next, 'alluvium.incomplete', incomplete.length === 0 ? null : JSON.stringify(incomplete))
  setOrDelete(next, 'alluvium.addedLater', addedLater.length === 0 ? null : JSON.stringify(addedLater))
  setOrDelete(next, 'alluvium.unsent', unsent.length === 0 ? null : JSON.stringify(unsent))
  setOrDelete(next, 'alluvium.owed', owed.length === 0 ? null : JSON.stringify(owed))
  setOrDelete(next, 'alluvium.owedValues', owedValues.length === 0 ? null : JSON.stringify(owedValues))
  return next
}

function setOrDelete(configuration: Record<string, string>, name: string, value: string | null): void {
  if (value === null) delete configuration[name]
  else configuration[name] = value
}

/** Delta's own properties of a table that we create (design §3.4 "Cadence and growth"). */
export function deltaProperties(contract: TableContract): Record<string, string> {
  const properties: Record<string, string> = {
    'delta.deletedFileRetentionDuration': 'interval 1 day',
    'delta.logRetentionDuration': 'interval 7 days',
  }
  if (usesDeletionVectors(contract)) properties['delta.enableDeletionVectors'] = 'true'
  if (contract.changeFeed !== 'off') properties['delta.enableChangeDataFeed'] = 'true'
  return properties
}

export function usesDeletionVectors(contract: TableContract): boolean {
  return contract.mode === 'upsert' && contract.merge === 'lazy'
}
