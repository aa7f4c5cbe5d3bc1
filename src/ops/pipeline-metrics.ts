import type { BatchCommitted, Fact, FlushPhases, StoreRequest, TableStopped } from '../../core/fact.ts'
import type { TableSample } from '../pipeline/work-sample.ts'
import type { BoundedNames } from './bounded-names.ts'
import { ERROR_TYPES, type ErrorType, errorType } from './error-type.ts'
import { lagSeconds } from './lag.ts'
import type { MetricRegistry } from './metric-registry.ts'
import type { WatchedSample } from './pipeline-sample.ts'
import { RunningTotals } from './running-totals.ts'
import type { TableProofs } from './table-proofs.ts'

/** Debezium's letters, as the requirements name what they mean. */
const OPERATIONS: Readonly<Record<string, string>> = {
  c: 'insert',
  u: 'update',
  d: 'delete',
  r: 'snapshot',
  t: 'truncate',
}

const PHASES: Readonly<Record<keyof FlushPhases, string>> = {
  planMs: 'plan',
  encodeMs: 'encode',
  putMs: 'put_data',
  commitMs: 'put_log',
}

/** Names that become labels, shared by the pipelines of a process. */
export interface LabelNames {
  readonly tables: BoundedNames
  readonly topics: BoundedNames
}

/** Turns what is told of one pipeline into metrics. */
export class PipelineMetrics {
  readonly #registry: MetricRegistry
  readonly #pipeline: string
  readonly #names: LabelNames
  readonly #totals = new RunningTotals()
  readonly #begun = new Set<string>()
  readonly #startedMs: number

  /** @param tables those that the configuration names: their series are there from the start */
  constructor(
    registry: MetricRegistry,
    { pipeline, tables, startedMs }: { pipeline: string; tables: readonly string[]; startedMs: number },
    names: LabelNames,
  ) {
    this.#registry = registry
    this.#pipeline = pipeline
    this.#names = names
    this.#startedMs = startedMs
    for (const type of ERROR_TYPES) this.countError(type, 0)
    for (const name of [
      'cdc_rebalances_total',
      'cdc_read_bytes_total',
      'cdc_backpressure_seconds_total',
      'cdc_kafka_throttled_seconds_total',
    ] as const) {
      registry.add(name, { pipeline }, 0)
    }
    for (const name of ['cdc_pipeline_up', 'cdc_pipeline_ready', 'cdc_buffer_bytes'] as const) {
      registry.set(name, { pipeline }, 0)
    }
    for (const table of tables) this.#begin(table)
  }

  countError(type: ErrorType, count = 1): void {
    this.#registry.add('cdc_errors_total', { pipeline: this.#pipeline, error_type: type }, count)
  }

  observe(fact: Fact): void {
    const registry = this.#registry
    const pipeline = this.#pipeline
    switch (fact.kind) {
      case 'batch-read':
        registry.add('cdc_read_bytes_total', { pipeline }, fact.sizeBytes)
        registry.add('cdc_backpressure_seconds_total', { pipeline }, fact.heldMs / 1000)
        break
      case 'batch-committed':
        this.#committed(fact)
        break
      case 'table-stopped':
        this.#stopped(fact)
        break
      case 'table-merged':
        registry.add('cdc_merges_total', { table: this.#begin(fact.table) }, 1)
        registry.add('cdc_merged_bytes_total', { direction: 'read' }, fact.bytesRead)
        registry.add('cdc_merged_bytes_total', { direction: 'written' }, fact.bytesWritten)
        break
      case 'upkeep-ended':
        if (fact.failure === null) break
        this.countError(errorType(fact.failure))
        registry.add('cdc_upkeep_failures_total', { table: this.#begin(fact.table) }, 1)
        break
      case 'schema-changed':
        registry.add('cdc_schema_changes_total', { kind: fact.change }, 1)
        break
      case 'commit-raced':
        if (fact.loss === 'fenced') registry.add('cdc_fenced_total', {}, 1)
        registry.add('cdc_commit_conflicts_total', { kind: fact.loss }, 1)
        break
      case 'commit-in-doubt':
        registry.add('cdc_ambiguous_commits_total', { resolved: fact.resolved }, 1)
        break
      case 'store-asked':
        break
      case 'store-request':
        this.#requested(fact)
        break
      case 'store-retry':
        this.countError('store')
        registry.add('cdc_s3_retries_total', { code: fact.code }, 1)
        break
      case 'partitions-moved':
        registry.add('cdc_rebalances_total', { pipeline }, 1)
        break
      case 'source-throttled':
        registry.add('cdc_kafka_throttled_seconds_total', { pipeline }, fact.throttledMs / 1000)
        break
      default:
        fact satisfies never
    }
  }

  /** How things stand, when somebody asks. */
  take(sample: WatchedSample): void {
    const registry = this.#registry
    const pipeline = this.#pipeline
    const { work, health } = sample
    registry.set('cdc_pipeline_up', { pipeline }, health.isLive && sample.phase !== 'ended' ? 1 : 0)
    registry.set('cdc_pipeline_ready', { pipeline }, health.isReady ? 1 : 0)
    registry.set('cdc_buffer_bytes', { pipeline }, work.heldBytes)
    for (const [outcome, total] of Object.entries(work.tally)) {
      registry.add('cdc_records_total', { pipeline, outcome }, this.#totals.since(`tally ${outcome}`, total))
    }
    if (work.heartbeatMs !== null) {
      const age = Math.max(sample.atMs - work.heartbeatMs, 0) / 1000
      registry.set('cdc_heartbeat_age_seconds', { pipeline }, age)
    }
    for (const table of work.tables) {
      this.#takeTable(table, sample.atMs)
      const proofs = sample.proofs.get(table.name)
      if (proofs !== undefined) this.#takeProofs(table.name, proofs)
    }
    this.#takeLags(sample)
    for (const { name: slot, isActive, isLost, retainedBytes } of sample.slots) {
      registry.set('cdc_slot_active', { slot }, isActive ? 1 : 0)
      registry.set('cdc_slot_lost', { slot }, isLost ? 1 : 0)
      if (retainedBytes !== null) registry.set('cdc_slot_retained_bytes', { slot }, retainedBytes)
    }
  }

  #committed(fact: BatchCommitted): void {
    const registry = this.#registry
    const pipeline = this.#pipeline
    const table = this.#begin(fact.table)
    for (const [op, count] of Object.entries(fact.operations)) {
      const labels = { table, operation: OPERATIONS[op]! }
      if (count > 0) registry.add('postgres_cdc_events_processed_total', labels, count)
    }
    registry.record('postgres_cdc_batch_size', {}, fact.events)
    const endedMs = fact.startedMs + fact.durationMs
    const latency = Math.max(endedMs - fact.oldestMs, 0) / 1000
    registry.record('cdc_end_to_end_latency_seconds', { pipeline }, latency)
    for (const [name, phase] of Object.entries(PHASES)) {
      const ms = fact.phases[name as keyof FlushPhases]
      registry.record('cdc_commit_duration_seconds', { phase }, ms / 1000)
    }
    registry.add('cdc_commits_total', { table, result: 'committed' }, 1)
    for (const [change, rows] of Object.entries(fact.rows))
      registry.add('cdc_rows_total', { table, change }, rows)
    registry.add('cdc_duplicates_dropped_total', { table, reason: 'stale' }, fact.stale)
    registry.add('cdc_duplicates_dropped_total', { table, reason: 'sent_again' }, fact.duplicates)
    registry.add('cdc_ambiguous_key_moves_total', { table }, fact.ambiguousKeyMoves)
  }

  /** A pause is asked for: it is no error. */
  #stopped({ table, code }: TableStopped): void {
    if (code === 'E_PAUSED') return
    this.countError(errorType(code))
    this.#registry.add('cdc_commits_total', { table: this.#begin(table), result: 'failed' }, 1)
  }

  #requested({ op, code, durationMs }: StoreRequest): void {
    this.#registry.add('cdc_s3_requests_total', { op, code }, 1)
    this.#registry.record('cdc_s3_request_duration_seconds', { op }, durationMs / 1000)
    if (code.startsWith('E_')) this.countError(errorType(code))
  }

  #takeProofs(name: string, { last, provenMs, verifiedThrough }: TableProofs): void {
    const registry = this.#registry
    const table = this.#begin(name)
    if (provenMs !== null) {
      registry.set('cdc_dq_last_success_timestamp_seconds', { table }, provenMs / 1000)
    }
    if (verifiedThrough !== null) {
      registry.set('cdc_dq_verified_through_timestamp_seconds', { table }, verifiedThrough.atMs / 1000)
    }
    for (const { check, mismatches, deferred, durationMs } of last) {
      registry.set('cdc_dq_mismatched_rows', { table, kind: check }, mismatches)
      registry.set('cdc_dq_deferred_rows', { table, kind: check }, deferred)
      registry.set('cdc_dq_duration_seconds', { table, kind: check }, durationMs / 1000)
    }
  }

  #takeTable(sample: TableSample, atMs: number): void {
    const registry = this.#registry
    const table = this.#begin(sample.name)
    const { state, stopped, parked, growth, version } = sample
    const lag = lagSeconds(sample, atMs, this.#startedMs)
    registry.set('postgres_cdc_lag_seconds', { pipeline: this.#pipeline, table }, lag)
    registry.set('cdc_table_stopped', { table }, state === 'stopped' ? 1 : 0)
    registry.set('cdc_table_parked_records', { table }, parked)
    registry.set('cdc_offset_gap', { table }, stopped?.code === 'E_OFFSET_GAP' ? 1 : 0)
    if (version !== null) registry.set('cdc_delta_version', { table }, version)
    for (const [reason, total] of sample.letters) {
      const more = this.#totals.since(`letters ${sample.name} ${reason}`, total)
      registry.add('cdc_dlq_records_total', { table, reason }, more)
      this.countError('decode', more)
    }
    if (growth === null) return
    const { files, smallFiles, sizeBytes, storedRows, deletedRows, vectorBytes, tombstones } = growth
    registry.set('cdc_delta_files', { table }, files)
    registry.set('cdc_small_files', { table }, smallFiles)
    registry.set('cdc_delta_bytes', { table }, sizeBytes)
    registry.set('cdc_delta_deleted_ratio', { table }, storedRows === 0 ? 0 : deletedRows / storedRows)
    registry.set('cdc_delta_vector_bytes', { table }, vectorBytes)
    registry.set('cdc_delta_tombstones', { table }, tombstones)
    registry.set('cdc_delta_log_bytes', { table }, sample.logBytes)
  }

  #takeLags({ ends, work }: WatchedSample): void {
    for (const { topic, partition, nextOffset } of work.partitions) {
      const end = ends?.get(`${topic}/${partition}`)
      if (end === undefined) continue
      const lag = end > nextOffset ? Number(end - nextOffset) : 0
      this.#registry.set('cdc_kafka_lag_records', { topic: this.#names.topics.label(topic), partition }, lag)
    }
  }

  /** What can happen to a table is there as 0 before it happens: an increase from nothing would not show. @returns its label */
  #begin(name: string): string {
    const table = this.#names.tables.label(name)
    if (this.#begun.has(table)) return table
    this.#begun.add(table)
    const registry = this.#registry
    for (const operation of Object.values(OPERATIONS)) {
      registry.add('postgres_cdc_events_processed_total', { table, operation }, 0)
    }
    registry.set('postgres_cdc_lag_seconds', { pipeline: this.#pipeline, table }, 0)
    for (const result of ['committed', 'failed']) registry.add('cdc_commits_total', { table, result }, 0)
    for (const change of ['inserted', 'updated', 'deleted'])
      registry.add('cdc_rows_total', { table, change }, 0)
    for (const reason of ['stale', 'sent_again']) {
      registry.add('cdc_duplicates_dropped_total', { table, reason }, 0)
    }
    registry.add('cdc_ambiguous_key_moves_total', { table }, 0)
    registry.add('cdc_merges_total', { table }, 0)
    registry.add('cdc_upkeep_failures_total', { table }, 0)
    registry.set('cdc_table_stopped', { table }, 0)
    registry.set('cdc_table_parked_records', { table }, 0)
    registry.set('cdc_offset_gap', { table }, 0)
    return table
  }
}
