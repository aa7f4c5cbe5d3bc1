import type { Cell, StructType } from '../../schemas/delta-types.ts'
import type { Action } from './actions.ts'
import {
  ADD_COLUMNS,
  CHECKPOINT_SCHEMA,
  DOMAIN_COLUMNS,
  METADATA_COLUMNS,
  PROTOCOL_COLUMNS,
  REMOVE_COLUMNS,
  TXN_COLUMNS,
} from './checkpoint-schema.ts'

/** An action that may stand in a checkpoint. */
export type StateAction = Exclude<Action, { readonly kind: 'cdc' | 'commitInfo' }>

const COLUMNS: Readonly<Record<StateAction['kind'], StructType>> = {
  txn: TXN_COLUMNS,
  add: ADD_COLUMNS,
  remove: REMOVE_COLUMNS,
  metaData: METADATA_COLUMNS,
  protocol: PROTOCOL_COLUMNS,
  domainMetadata: DOMAIN_COLUMNS,
}

/** The row of a checkpoint that holds `action`; its members become cells by name and type. */
export function cellsOfAction(action: StateAction): readonly Cell[] {
  const columns = COLUMNS[action.kind]
  return CHECKPOINT_SCHEMA.fields.map(({ name }) =>
    name === action.kind ? structCells(action, columns) : null,
  )
}

function structCells(value: object, columns: StructType): readonly Cell[] {
  const members = value as Readonly<Record<string, unknown>>
  return columns.fields.map(({ name, type }) => {
    const member = members[name]
    if (member === undefined || member === null) return null
    if (type === 'long') return BigInt(member as number | bigint)
    if (typeof type === 'string') return member as Cell
    if (type.kind === 'struct') return structCells(member as object, type)
    return type.kind === 'map' ? Object.entries(member as Record<string, Cell>) : (member as Cell)
  })
}

/**
 * The members of a struct cell by name, in the form that JSON would give them: nulls are left out, maps are objects.
 * `action-json.ts` makes the action of it, so that both forms of the log obey the same rules.
 */
export function membersOfCell(cell: readonly Cell[], columns: StructType): Record<string, unknown> {
  const members: Record<string, unknown> = {}
  for (const [at, { name, type }] of columns.fields.entries()) {
    const value = cell[at]
    if (value === null || value === undefined) continue
    if (typeof type === 'string') members[name] = type === 'long' ? exactLong(value as bigint) : value
    else if (type.kind === 'struct') members[name] = membersOfCell(value as readonly Cell[], type)
    else if (type.kind === 'map') members[name] = Object.fromEntries(value as readonly [string, Cell][])
    else members[name] = value
  }
  return members
}

function exactLong(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
