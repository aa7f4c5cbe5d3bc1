import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Case } from './cases.ts'
import type { Part } from './contestant.ts'
import {
  describeCommit,
  describeMachine,
  describeVersions,
  loadOfLastMinute,
  type Machine,
} from './machine.ts'
import { RESULTS, ROOT } from './places.ts'
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

/** When, where and of what something was measured. */
export interface Stamp {
  readonly startedAt: string
  readonly commit: string
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  /** Of the last minute: processes that wanted to run. */
  readonly load: { readonly before: number; readonly after: number }
}

export interface RunResult extends Stamp {
  readonly cases: readonly CaseResult[]
}

/** `work`: beside the peers; `steps`: each by itself; `live`: with a broker and an object store. */
export type ResultKind = 'work' | 'steps' | 'live'

/** Begins a measurement. @returns ends it */
export function stampResult(): () => Stamp {
  const startedAt = new Date().toISOString()
  const commit = describeCommit()
  const before = loadOfLastMinute()
  return () => ({
    ...{ startedAt, commit, machine: describeMachine(), versions: describeVersions() },
    load: { before, after: loadOfLastMinute() },
  })
}

/** @returns where it lies */
export function storeStamped<Result extends Stamp>(kind: ResultKind, result: Result): string {
  mkdirSync(RESULTS, { recursive: true })
  const path = join(RESULTS, `${kind}-${result.startedAt.replace(/[:.]/g, '-')}.json`)
  writeFileSync(path, `${JSON.stringify(result, null, 1)}\n`)
  return relative(ROOT, path)
}

/** Newest first. */
export function storedResults<Result extends Stamp>(kind: ResultKind): readonly Result[] {
  const names = readdirSync(RESULTS).filter((name) => name.startsWith(`${kind}-`) && name.endsWith('.json'))
  return names
    .sort()
    .reverse()
    .map((name) => JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as Result)
}

/** Our figures of a case as they were last stored. */
export function lastOf(name: string, results: readonly RunResult[]): ContestantResult | undefined {
  for (const { cases } of results) {
    const found = cases.find((each) => each.case.name === name)
    if (found !== undefined) return found.contestants.find((each) => each.name === 'alluvium')
  }
  return undefined
}
