import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Difference } from './compare-rows.ts'

const FILE = resolve('fixtures/known-differences.json')

/**
 * What the stream of a recording cannot tell about a table, and why. The lane compares the list with what it finds:
 * a difference that is not listed fails it, and so does a listed one that is not there.
 */
export interface KnownDifference {
  readonly recordings: readonly string[]
  /** `schema.table`. */
  readonly table: string
  readonly reason: string
  /** The topic of the table holds no record, so the lake has no table. */
  readonly noTable?: true
  readonly differences?: readonly Difference[]
}

export function allKnownDifferences(): readonly KnownDifference[] {
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { readonly known: readonly KnownDifference[] }).known
}

export function knownDifferences(recording: string, table: string): KnownDifference[] {
  return allKnownDifferences().filter(
    (entry) => entry.table === table && entry.recordings.includes(recording),
  )
}

/** Differences in an order of their own, as lines that a person can compare. */
export function differenceLines(differences: readonly Difference[]): string[] {
  return differences.map((difference) => JSON.stringify(difference)).sort()
}
