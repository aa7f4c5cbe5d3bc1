import { EngineError } from '../../core/errors.ts'
import { parsePostgresType } from '../../schemas/postgres-types.ts'
import type { TableConfig } from './config.ts'

/** A setting that cannot be, or that contradicts another one. */
export interface TableFault {
  /** The setting to change, from the table on: `['columns', 'total']`. */
  readonly path: readonly string[]
  readonly fault: string
}

/** What is wrong with the settings of one table, taken together with its defaults. */
export function tableFaults(table: TableConfig): readonly TableFault[] {
  return [...columnFaults(table), ...contradictions(table)]
}

function* columnFaults(table: TableConfig): Generator<TableFault> {
  for (const [column, type] of Object.entries(table.columns ?? {})) {
    try {
      parsePostgresType(type, column)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      yield { path: ['columns', column], fault: error.message }
    }
  }
}

function* contradictions(table: TableConfig): Generator<TableFault> {
  if (table.changeFeed === 'rows' && table.merge === 'at-once') {
    yield {
      path: ['changeFeed'],
      fault:
        '`changeFeed: rows` leaves readers to derive changes from deletion vectors, and `merge: at-once` writes none: ' +
        'the feed would show whole files as changed; choose `changeFeed: full` or `merge: lazy`',
    }
  }
  if (table.mode === 'append' && table.deletes === 'soft') {
    yield {
      path: ['deletes'],
      fault:
        '`mode: append` keeps every event as a row and deletes none: leave `deletes: soft` out, or use `mode: upsert`',
    }
  }
  if (table.mode === 'append' && table.merge === 'at-once') {
    yield {
      path: ['merge'],
      fault: '`mode: append` never replaces a row: leave `merge: at-once` out, or use `mode: upsert`',
    }
  }
}
