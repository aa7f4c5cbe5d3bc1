import type { SourcePlace } from './source-moment.ts'

export const CHECKS = ['schema', 'row-count', 'checksum', 'lag'] as const
export type Check = (typeof CHECKS)[number]

/**
 * What a check has found out.
 *
 * - `equal`: everything was compared, and is the same. Final
 * - `source-lossy`: the same, as far as the stream carries it: named columns lose something on their way
 * - `incomplete`: the same, but for columns of which the table itself says that older rows lack them
 * - `deferred`: some rows, or all, moved whenever they were looked at; the others are the same
 * - `different`: seen twice, at two moments of the source
 */
export type Verdict = 'equal' | 'source-lossy' | 'incomplete' | 'deferred' | 'different'

/** How a row differs: the lake lacks it, the lake alone has it, or both have it with other values. */
export type MismatchKind = 'missing' | 'extra' | 'different'

/** One row that differs. */
export interface Mismatch {
  readonly kind: MismatchKind
  /** Canonical texts of the key columns by name; of a table without a key the whole row. */
  readonly key: Readonly<Record<string, string | null>>
  /** Columns whose values differ. */
  readonly columns: readonly string[]
  /** Of a table without a key: how many such rows each has. */
  readonly counts?: { readonly source: number; readonly lake: number }
}

/** A column that is compared less than whole. */
export interface ColumnNote {
  readonly column: string
  readonly reason: string
}

/** Result of one check of one table. */
export interface CheckResult {
  readonly table: string
  readonly check: Check
  readonly verdict: Verdict
  /** One sentence for a person, where there is more to say than the numbers do. */
  readonly detail: string | null
  /** Version of the lake's table; `null`: there is none. */
  readonly version: number | null
  /** The moment of the source, as `pg_current_snapshot()` tells it; `null`: it was not asked. */
  readonly snapshot: string | null
  /** All that the source had committed before this place in its log was shown to be in the lake, row by row. */
  readonly verifiedThrough: SourcePlace | null
  /** Rows of the source. */
  readonly sourceRows: number | null
  /** Rows of the lake's table at the version. */
  readonly lakeRows: number | null
  readonly buckets: number
  /** Rows that differ; `mismatches` holds the first of them. */
  readonly mismatchCount: number
  readonly mismatches: readonly Mismatch[]
  /** Rows that could not be told yet. */
  readonly deferred: number
  /** Age of the oldest change that the lake does not hold yet; 0: it holds all. `null`: it was not asked. */
  readonly lagMs: number | null
  /** How often it was looked: twice at least before anything is called different. */
  readonly looks: number
  /** Columns that are compared in part or not at all, and why. */
  readonly notes: readonly ColumnNote[]
  readonly durationMs: number
  /** What was repaired before this check, which shows what came of it; `null`: nothing was. */
  readonly repair: RepairReport | null
}

/** What was done about rows that differed, each counted once. */
export interface RepairReport {
  /** Rows written, each in the change feed too. */
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  /** Rows that were the same when they were looked at again. */
  readonly unchanged: number
  /** Rows that were left as they are: they moved, or nobody could tell whether the lake knows newer. */
  readonly deferred: number
  /** Rows that cannot be repaired; `notes` say why. */
  readonly impossible: number
  /** Whether the check that follows found nothing any more. */
  readonly verified: boolean
  readonly notes: readonly string[]
}

/** What a check found, before it is told which table, check and time it was; what is not there is nothing. */
export type Found = Partial<Omit<CheckResult, 'table' | 'check' | 'durationMs' | 'repair'>> & {
  readonly verdict: Verdict
  /** Canonical texts of the keys that differ, of all of them. */
  readonly differing?: ReadonlySet<string>
}

/** The gravest of the checks of a run. */
export function gravest(verdicts: Iterable<Verdict>): Verdict {
  let found: Verdict = 'equal'
  for (const verdict of verdicts) if (GRAVITY[verdict] > GRAVITY[found]) found = verdict
  return found
}

const GRAVITY: Readonly<Record<Verdict, number>> = {
  equal: 0,
  'source-lossy': 1,
  incomplete: 2,
  deferred: 3,
  different: 4,
}
