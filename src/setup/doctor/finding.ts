import type { EngineError } from '../../../core/errors.ts'

/** The hops of the chain, in the way of the data: what is broken before makes what comes after doubtful. */
export const HOPS = [
  'configuration',
  'server',
  'rights',
  'publication',
  'slot',
  'connector',
  'topics',
  'group',
  'store',
  'tables',
  'clock',
] as const

export type Hop = (typeof HOPS)[number]

/**
 * `broken`: nothing comes through, or it is wrong. `risk`: it works now and will not always. `unknown`: it could not be
 * told, and why.
 */
export type Severity = 'broken' | 'risk' | 'unknown'

/** One thing that is not as it should be. */
export interface Finding {
  readonly hop: Hop
  /** Stable name of the check, for programs: `slot-lost`. */
  readonly check: string
  readonly severity: Severity
  /** What was found, a sentence without its end. */
  readonly problem: string
  /** What to do: a statement, a setting, a command. */
  readonly cure: string
}

/** What was asked for: known, not asked because nothing names it, or not to be had. */
export type Gathered<T> =
  | { readonly kind: 'known'; readonly value: T }
  | { readonly kind: 'unnamed' }
  | { readonly kind: 'unknown'; readonly error: EngineError }

/** A check of one hop: from what is known of it to what is wrong with it. */
export type Found = Iterable<Finding>

/** Shortens what all checks of a hop have in common. */
export function findingsOf(hop: Hop) {
  const of = (severity: Severity) => (check: string, problem: string, cure: string) =>
    ({ hop, check, severity, problem, cure }) satisfies Finding
  return { broken: of('broken'), risk: of('risk'), unknown: of('unknown') }
}
