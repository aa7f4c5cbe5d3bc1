import type { Action } from './actions.ts'

/** What we wanted to commit when somebody else took the version, as far as it can collide. */
export interface OurCommit {
  /**
   * - `append`: reads nothing, only adds
   * - `upsert`: looked for keys in the whole table and touches the files where it found them
   * - `compaction`: rearranges rows of known files, `dataChange=false`
   * - `metadata`: changes schema, properties or protocol only
   * - `progress`: moves marks forward, from where they are
   */
  readonly kind: 'append' | 'upsert' | 'compaction' | 'metadata' | 'progress'
  /** Log paths of files that we remove or give a new deletion vector; `all` = every live file (TRUNCATE). */
  readonly touched: ReadonlySet<string> | 'all'
  /** Applications whose `txn` we read or write. */
  readonly appIds: ReadonlySet<string>
}

/**
 * What losing to one winner means, from harmless to grave:
 *
 * - `rebase`: the same actions stay right at the next version
 * - `redo`: rows may have moved, vanished or appeared: locate again at the winner's version; staged data files stay good
 * - `replan`: schema, properties or protocol changed: plan again from the fold
 * - `fenced`: somebody else moved a `txn` of ours: find out whether the partition is still ours
 */
export type LossVerdict = 'rebase' | 'redo' | 'replan' | 'fenced'

/**
 * Judges one winning entry against our commit. The whole loss is the gravest verdict over all winners.
 *
 * @see delta-protocol §12: the table of conflicts, at the Serializable level; removes match by path, not (path, vector)
 */
export function judgeLoss(ours: OurCommit, winner: readonly Action[]): LossVerdict {
  let verdict: LossVerdict = 'rebase'
  for (const action of winner) verdict = graver(verdict, judgeAction(ours, action))
  return verdict
}

const GRAVITY: Readonly<Record<LossVerdict, number>> = { rebase: 0, redo: 1, replan: 2, fenced: 3 }

/** The graver of two verdicts. */
export function graver(a: LossVerdict, b: LossVerdict): LossVerdict {
  return GRAVITY[a] >= GRAVITY[b] ? a : b
}

function judgeAction(ours: OurCommit, action: Action): LossVerdict {
  switch (action.kind) {
    case 'protocol':
    case 'metaData':
      return 'replan'
    case 'txn':
      if (ours.kind === 'progress') return 'redo'
      return ours.appIds.has(action.appId) ? 'fenced' : 'rebase'
    case 'add':
      // Only a search of the whole table can have missed a row that came in since.
      return ours.kind === 'upsert' && action.dataChange ? 'redo' : 'rebase'
    case 'remove':
      return touches(ours, action.path) ? 'redo' : 'rebase'
    case 'cdc':
    case 'commitInfo':
    case 'domainMetadata':
      return 'rebase'
    default:
      return action satisfies never
  }
}

function touches(ours: OurCommit, path: string): boolean {
  if (ours.kind !== 'upsert' && ours.kind !== 'compaction') return false
  return ours.touched === 'all' || ours.touched.has(path)
}
