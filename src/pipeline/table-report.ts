import type { EngineError } from '../../core/errors.ts'
import type { TableOwner } from './table-owner.ts'

/** What a run did to one table. */
export interface TableReport {
  readonly name: string
  /** `null`: the table stopped before it was opened. */
  readonly path: string | null
  readonly version: number | null
  readonly rows: number
  readonly inserts: number
  readonly updates: number
  readonly deletes: number
  readonly unresolvedUnavailable: number
  readonly ambiguousKeyMoves: number
  readonly stopped: StopReason | null
  /** It is stopped until it is known whose it is: see `TableOwner.isUndecided`. */
  readonly isUndecided: boolean
}

export type StopReason = Pick<EngineError, 'code' | 'message'>

export function stopReason({ stopped }: TableOwner): StopReason | null {
  return stopped === null ? null : { code: stopped.code, message: stopped.message }
}

export function tableReport(owner: TableOwner): TableReport {
  const { contract, writer, standing, counts } = owner
  return {
    name: contract.name,
    path: writer?.options.path ?? standing?.path ?? null,
    version: writer?.version ?? standing?.version ?? null,
    rows: writer?.rowCount ?? standing?.rows ?? 0,
    inserts: counts.inserted,
    updates: counts.updated,
    deletes: counts.deleted,
    unresolvedUnavailable: owner.unresolvedUnavailable,
    ambiguousKeyMoves: owner.ambiguousKeyMoves,
    stopped: stopReason(owner),
    isUndecided: owner.isUndecided,
  }
}
