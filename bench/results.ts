import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Case } from './cases.ts'
import type { Part } from './contestant.ts'
import type { Machine } from './machine.ts'
import { RESULTS } from './places.ts'
import type { Spread } from './statistics.ts'

/** Steps of a batch of ours, one after another. */
export type StepName = 'decode' | 'plan' | 'encode' | 'put' | 'commit'

/** Some batches of one contestant. */
export interface Window {
  /** Counted from 1. */
  readonly from: number
  readonly to: number
  readonly seconds: Spread
  readonly cpuSeconds: Spread
  readonly bytesPerEvent: Readonly<Record<Part, number>>
  readonly files: number
  /** Medians; ours alone. */
  readonly phasesMs?: Readonly<Record<StepName, number>>
}

export interface ContestantResult {
  readonly name: 'alluvium' | 'delta-rs' | 'spark'
  /** Of the first batch, which opens the table and (ours) reads its keys. */
  readonly firstSeconds: number
  readonly windows: readonly Window[]
  /** All batches after the first, merging and all. */
  readonly eventsPerSecond: number
  readonly eventsPerCpuSecond: number
  readonly peakMemoryMb: number
  readonly verified: boolean | string
}

export interface ScanResult {
  readonly reader: string
  readonly version: string
  readonly asLeft: Spread
  readonly compacted: Spread
}

export interface CaseResult {
  readonly case: Case
  readonly contestants: readonly ContestantResult[]
  readonly scans: readonly ScanResult[]
  /** Cores that others kept busy meanwhile: above 0.3 the seconds are pessimistic, and CPU seconds tell more. */
  readonly othersCores: number
}

export interface RunResult {
  readonly startedAt: string
  readonly commit: string
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  readonly load: { readonly before: number; readonly after: number }
  readonly cases: readonly CaseResult[]
}

const PREFIX = 'work-'

export function storeResult(result: RunResult): string {
  mkdirSync(RESULTS, { recursive: true })
  const path = join(RESULTS, `${PREFIX}${result.startedAt.replace(/[:.]/g, '-')}.json`)
  writeFileSync(path, `${JSON.stringify(result, null, 1)}\n`)
  return path
}

/** Newest first. */
export function storedResults(): readonly RunResult[] {
  const names = readdirSync(RESULTS).filter((name) => name.startsWith(PREFIX) && name.endsWith('.json'))
  return names
    .sort()
    .reverse()
    .map((name) => JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as RunResult)
}

/** Our figures of a case as they were last stored. */
export function lastOf(name: string, results: readonly RunResult[]): ContestantResult | undefined {
  for (const { cases } of results) {
    const found = cases.find((each) => each.case.name === name)
    if (found !== undefined) return found.contestants.find((each) => each.name === 'alluvium')
  }
  return undefined
}
