import type { PipelineSample } from '../pipeline/pipeline.ts'
import type { TableProofs } from './table-proofs.ts'

/** A pipeline as it was looked at, with what only the world around it knows. */
export interface WatchedSample extends PipelineSample {
  readonly name: string
  /** Epoch milliseconds. */
  readonly startedMs: number
  readonly atMs: number
  /** Offset after the last record, by `topic/partition`; `null`: the source did not answer. */
  readonly ends: ReadonlyMap<string, bigint> | null
  readonly slots: readonly SlotSample[]
  /** What checks have found, by table. */
  readonly proofs: ReadonlyMap<string, TableProofs>
  readonly health: PipelineHealth
}

/** A replication slot of the source database. */
export interface SlotSample {
  readonly name: string
  readonly isActive: boolean
  readonly isLost: boolean
  readonly retainedBytes: number | null
}

/**
 * - `starting`: it has no partitions yet
 * - `running`: all is well
 * - `degraded`: it works, and something needs a person: a table stands, or the source does not answer
 * - `stopped`: its loop has ended, or stands still
 */
export type HealthState = 'starting' | 'running' | 'degraded' | 'stopped'

export interface PipelineHealth {
  readonly state: HealthState
  readonly isReady: boolean
  readonly isLive: boolean
  /** What is not as it should be, a sentence each. */
  readonly reasons: readonly string[]
}
