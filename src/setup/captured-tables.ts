import { parseTableName } from '../../schemas/postgres-name.ts'
import type { CaptureSettings } from '../config/upstream.ts'
import { matchesGlob } from '../pipeline/topic-tables.ts'

export interface CapturedTables {
  /** `'*'`: whatever there is. */
  readonly tables: readonly string[] | '*'
  /** Named or present, and never captured. */
  readonly excluded: readonly string[]
}

/** The tables that a configuration asks for, without those in which tools keep notes of their own. */
export function capturedTables(
  { tables, exclude, heartbeat }: Pick<CaptureSettings, 'tables' | 'exclude' | 'heartbeat'>,
  present: readonly string[],
): CapturedTables {
  const isExcluded = (name: string) =>
    exclude.some((glob) => matchesGlob(name, glob) || matchesGlob(parseTableName(name).table, glob))
  const asked = tables === '*' ? present : tables
  return {
    tables: tables === '*' ? '*' : tables.filter((name) => !isExcluded(name) && name !== heartbeat),
    excluded: asked.filter(isExcluded),
  }
}
