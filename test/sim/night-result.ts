import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describeMachine, type Machine } from '../../bench/machine.ts'
import type { PartSummaries } from './part-summary.ts'

/** The outcome of a long run, to be committed (`test/sim/results/night.json`). */
export interface NightResult extends Partial<PartSummaries> {
  readonly endedAt: string
  /** That it ran on; with a `+` when the tree was another. */
  readonly commit: string
  readonly machine: Machine
  readonly node: string
  readonly seconds: number
  /** Every part came to its end, and found what it was to find and nothing else. */
  readonly isWell: boolean
}

/** @param commit as it was at the start */
export function writeNightResult(
  path: string,
  commit: string,
  seconds: number,
  isWell: boolean,
  parts: Partial<PartSummaries>,
): void {
  const result: NightResult = {
    ...{ endedAt: new Date().toISOString(), commit, machine: describeMachine(), node: process.version },
    ...{ seconds, isWell, ...parts },
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(result, null, 1)}\n`)
}
