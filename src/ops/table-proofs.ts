import type { PastCheck } from '../../dq/proof-log.ts'
import type { SourcePlace } from '../../dq/source-moment.ts'

/** What the checks of one table have found. */
export interface TableProofs {
  /** The newest of each kind. */
  readonly last: readonly PastCheck[]
  /** Epoch milliseconds of the newest checksum that found nothing; `null`: none of those that are remembered. */
  readonly provenMs: number | null
  /** How far the table was shown to equal its source, at most; `null`: none of those that are remembered says it. */
  readonly verifiedThrough: SourcePlace | null
}

/** @param past the newest first */
export function tableProofs(past: readonly PastCheck[]): ReadonlyMap<string, TableProofs> {
  const byTable = new Map<string, PastCheck[]>()
  for (const check of past) byTable.set(check.table, [...(byTable.get(check.table) ?? []), check])
  return new Map(
    [...byTable].map(([table, checks]) => {
      const kinds = [...new Set(checks.map(({ check }) => check))]
      const last = kinds.map((kind) => checks.find(({ check }) => check === kind)!)
      const proven = checks.find(({ check, verdict }) => check === 'checksum' && isProof(verdict))
      const verified = checks.find(({ verifiedThrough }) => verifiedThrough !== null)
      const verifiedThrough = verified?.verifiedThrough ?? null
      return [table, { last, provenMs: proven?.startedMs ?? null, verifiedThrough }]
    }),
  )
}

/** What the stream does not carry cannot differ. */
function isProof(verdict: PastCheck['verdict']): boolean {
  return verdict === 'equal' || verdict === 'source-lossy'
}
