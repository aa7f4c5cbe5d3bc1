import { tableName } from '../schemas/change-event.ts'
import { tablePath } from '../schemas/table-path.ts'
import { type ContractEffect, contractEffects } from '../writers/contract-effects.ts'
import type { TableSnapshot } from '../writers/delta/snapshot.ts'
import { readSourceIdentity } from '../writers/table-properties.ts'
import { contractFor, type PipelineConfig, type TableConfig } from './config/config.ts'
import type { TablePatterns } from './pipeline/table-patterns.ts'

/** What the lake holds of one pipeline. */
export interface PipelineTables {
  /** Those that keep its progress. */
  readonly tables: readonly { readonly path: string; readonly snapshot: TableSnapshot }[]
  /** The tables that it took when it last wrote its mark; `null`: it has not run yet. */
  readonly taken: TablePatterns | null
}

/** As `ContractEffect`, and `create` for a table that is not there yet. */
export interface TableEffect extends Omit<ContractEffect, 'kind'> {
  readonly kind: ContractEffect['kind'] | 'create'
}

/** What the next start does to one table. No effect: nothing. */
export interface TablePlan {
  /** `schema.table`. */
  readonly table: string
  readonly effects: readonly TableEffect[]
}

/** What a pipeline's configuration does to the tables that are there, and which ones that it names are still to come. */
export function pipelinePlan(
  pipeline: PipelineConfig,
  { tables, taken }: PipelineTables,
): readonly TablePlan[] {
  const there = tables.map((table) => planStored(pipeline, table))
  const known = new Set(there.map(({ table }) => table))
  const toCome = [...pipeline.tables.values()].filter(({ name, skip }) => skip !== true && !known.has(name))
  return [...there, ...toCome.map((contract) => planNew(contract, taken))]
}

function planStored(
  pipeline: PipelineConfig,
  { path, snapshot }: PipelineTables['tables'][number],
): TablePlan {
  const source = readSourceIdentity(snapshot.metadata.configuration)
  if (source === null) return { table: snapshot.metadata.name ?? path, effects: [] }
  const table = tableName(source)
  const contract = contractFor(pipeline, table)
  if (contract.skip === true) {
    return { table, effects: [{ kind: 'stays', what: 'its records are read past from now on' }] }
  }
  const wanted = tablePath(pipeline.tablePath, source)
  return { table, effects: wanted === path ? contractEffects(snapshot, contract) : [moved(path, wanted)] }
}

function moved(path: string, wanted: string): ContractEffect {
  const what = `it lies at ${path} and tablePath now says ${wanted}: there it would begin without the rows that it has; move the directory, or set tablePath back`
  return { kind: 'stop', what }
}

function planNew({ name, start }: TableConfig, taken: TablePatterns | null): TablePlan {
  if (taken === null || taken.covers(name) || start !== undefined) {
    return { table: name, effects: [{ kind: 'create', what: 'made with its first record' }] }
  }
  const what = `its records were skipped until now; say where it begins: tables.${name}.start: earliest, mark or latest`
  return { table: name, effects: [{ kind: 'stop', what, code: 'E_START_UNNAMED' }] }
}
