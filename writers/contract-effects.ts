import { assert } from '../core/assert.ts'
import { EngineError } from '../core/errors.ts'
import type { TableContract } from '../schemas/contract.ts'
import { declaredSpecs } from '../schemas/decode/table-columns.ts'
import { typeText } from '../schemas/evolution.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { isSet } from './delta/table-properties.ts'
import { rowShape, type SchemaChange } from './table/table-layout.ts'
import { refuseOtherKey } from './table-key.ts'
import { readSourceIdentity, type TableProperties } from './table-properties.ts'
import { evolvedState, hasSystemColumns, stateOf, type TableState } from './table-state.ts'
import { refuseLargeWidening } from './widen-columns.ts'

/**
 * What a contract does to a table that is there. `change`: its metadata, with a commit to come. `rewrite`: all of its
 * files are written anew. `stays`: the table keeps what it was made with, against the contract. `stop`: it takes nothing
 * until a person decides.
 */
export interface ContractEffect {
  readonly kind: 'change' | 'rewrite' | 'stays' | 'stop'
  readonly what: string
  /** Of the error that would stop it. */
  readonly code?: string
}

/**
 * Judges a contract against a table as the writer will at its start and at the first event with all columns that the
 * contract names: by the same functions. Empty: the table is what the contract asks for.
 */
export function contractEffects(snapshot: TableSnapshot, contract: TableContract): readonly ContractEffect[] {
  const effects: ContractEffect[] = []
  try {
    for (const effect of effectsOf(snapshot, contract)) effects.push(effect)
  } catch (error) {
    if (!(error instanceof EngineError) || error.remedy !== 'stop-table') throw error
    effects.push({ kind: 'stop', what: error.message, code: error.code })
  }
  return effects
}

function* effectsOf(snapshot: TableSnapshot, contract: TableContract): Generator<ContractEffect> {
  const source = readSourceIdentity(snapshot.metadata.configuration)
  assert(source !== null, 'a table that keeps our progress is one that we made')
  const state = stateOf(snapshot, source, contract)
  const { mode, key } = state.properties
  if (mode === 'upsert' && contract.key !== undefined) refuseOtherKey(contract.key, key, contract.name)
  yield* columnEffects(snapshot, state, contract)
  yield* propertyEffects(snapshot, state.properties, contract)
}

function* columnEffects(
  snapshot: TableSnapshot,
  state: TableState,
  contract: TableContract,
): Generator<ContractEffect> {
  if (!hasSystemColumns(snapshot, state.layout)) {
    yield { kind: 'change', what: 'add column _cdc_deleted: deleted rows stay, marked' }
  }
  const columns = [...declaredSpecs(contract)]
    // How the connector is set decides these: an event that tells its type is believed.
    .filter(([, spec]) => spec.followsEvent !== true)
    .map(([name, { type }]) => ({ name, type, hasDefault: false }))
  const change = evolvedState(state, contract, [rowShape(columns)])?.change
  if (change === undefined) return
  refuseLargeWidening(snapshot, change, contract.name)
  yield* schemaEffects(change)
}

function* schemaEffects({ added, widened }: SchemaChange): Generator<ContractEffect> {
  for (const { name, type } of added) {
    yield { kind: 'change', what: `add column ${name} ${typeText(type)}, with the first event that has it` }
  }
  for (const { name, from, to } of widened) {
    yield { kind: 'rewrite', what: `widen column ${name} from ${typeText(from)} to ${typeText(to)}` }
  }
}

function* propertyEffects(
  { metadata }: TableSnapshot,
  properties: TableProperties,
  contract: TableContract,
): Generator<ContractEffect> {
  const { partitionColumns, configuration } = metadata
  if (partitionColumns.join('\n') !== contract.partitionBy.join('\n')) {
    const kept =
      partitionColumns.length === 0 ? 'unpartitioned' : `partitioned by ${partitionColumns.join(', ')}`
    yield { kind: 'stays', what: `${kept}: only a table that is made anew is partitioned otherwise` }
  }
  const hasFeed = isSet(configuration, 'delta.enableChangeDataFeed')
  if (hasFeed !== (contract.changeFeed !== 'off')) {
    const set = `ALTER TABLE … SET TBLPROPERTIES ('delta.enableChangeDataFeed' = '${!hasFeed}')`
    yield {
      kind: 'stays',
      what: `the change feed is ${hasFeed ? 'on' : 'off'} until an engine is told: ${set}`,
    }
  } else if (properties.changeFeed !== contract.changeFeed) {
    yield { kind: 'change', what: `changeFeed from ${properties.changeFeed} to ${contract.changeFeed}` }
  }
  if (contract.merge === 'at-once' && isSet(configuration, 'delta.enableDeletionVectors')) {
    yield { kind: 'stays', what: 'deletion vectors that are there stay until their files are rewritten' }
  }
}
