/** How a metric is called, counted and read. The guide's page of metrics is made from this. */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels?: readonly string[]
  readonly buckets?: readonly number[]
}

/** From 1 to 1,048,576 by the factor 4. */
const EVENT_BUCKETS = Array.from({ length: 11 }, (_, power) => 4 ** power)
/** From a quick commit on a disk to a slow one on a far store. */
const WORK_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** From below the age of a batch to six hours behind. */
const AGE_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 21_600]

/** Every metric there is. Names and labels are a public interface: what is here stays. */
export const METRICS = {
  postgres_cdc_events_processed_total: counter('Events that are durable in a table', 'table', 'operation'),
  postgres_cdc_lag_seconds: gauge(
    'Age of the oldest event that is not durable; 0 when all is',
    'pipeline',
    'table',
  ),
  postgres_cdc_batch_size: histogram('Events of one batch', EVENT_BUCKETS),
  cdc_errors_total: counter('What went wrong, by kind', 'pipeline', 'error_type'),
  cdc_build_info: gauge('Always 1; says what runs', 'version'),
  cdc_pipeline_up: gauge('1: its loop goes round', 'pipeline'),
  cdc_pipeline_ready: gauge('1: it has its partitions and may work', 'pipeline'),
  cdc_records_total: counter(
    'Records read, each once, by what became of it (docs/guide/what-is-counted.md)',
    'pipeline',
    'outcome',
  ),
  cdc_read_bytes_total: counter('Bytes of raw records that were read', 'pipeline'),
  cdc_end_to_end_latency_seconds: histogram(
    'From the change at the source to the commit, of the oldest event of each batch',
    AGE_SECONDS,
    'pipeline',
  ),
  cdc_kafka_lag_records: gauge('Offsets from the next to read to the end', 'topic', 'partition'),
  cdc_kafka_throttled_seconds_total: counter(
    'Time that brokers told connections to wait: a quota is used up',
    'pipeline',
  ),
  cdc_rebalances_total: counter('Times that partitions were shared out anew', 'pipeline'),
  cdc_buffer_bytes: gauge('Bytes of raw records that are not durable', 'pipeline'),
  cdc_backpressure_seconds_total: counter('Time in which records waited to be taken', 'pipeline'),
  cdc_commit_duration_seconds: histogram('Where the time of a batch goes', WORK_SECONDS, 'phase'),
  cdc_commits_total: counter('Batches of a table, by how they ended', 'table', 'result'),
  cdc_rows_total: counter('Rows that commits changed', 'table', 'change'),
  cdc_commit_conflicts_total: counter('Commits of others that came first, by what that meant', 'kind'),
  cdc_ambiguous_commits_total: counter('Commits whose outcome nobody knew for a while', 'resolved'),
  cdc_fenced_total: counter('Times that another writer had moved a table of ours'),
  cdc_duplicates_dropped_total: counter('Events of a batch that the table had already', 'table', 'reason'),
  cdc_ambiguous_key_moves_total: counter(
    'Key changes that could not be told apart: rows may be lost',
    'table',
  ),
  cdc_schema_changes_total: counter('Changes of tables that the source made', 'kind'),
  cdc_dlq_records_total: counter('Dead letters', 'table', 'reason'),
  cdc_table_stopped: gauge('1: the table takes nothing until somebody acts', 'table'),
  cdc_table_parked_records: gauge('Records that wait in their topic until the table goes on', 'table'),
  cdc_offset_gap: gauge('1: the table stands because records it needs are gone', 'table'),
  cdc_s3_requests_total: counter('Calls of the store, a bucket or a directory', 'op', 'code'),
  cdc_s3_request_duration_seconds: histogram('How long they took, repeats included', WORK_SECONDS, 'op'),
  cdc_s3_retries_total: counter('Attempts that failed and could be repeated', 'code'),
  cdc_delta_version: gauge('Newest version of a table', 'table'),
  cdc_delta_files: gauge('Live files of a table', 'table'),
  cdc_small_files: gauge('Live files below 16 MiB', 'table'),
  cdc_delta_bytes: gauge('Bytes of live files', 'table'),
  cdc_delta_deleted_ratio: gauge('Share of the stored rows that is deleted', 'table'),
  cdc_delta_vector_bytes: gauge('Bytes of deletion vectors', 'table'),
  cdc_delta_tombstones: gauge('Removed files that the log remembers', 'table'),
  cdc_delta_log_bytes: gauge('Bytes of log entries since the last checkpoint', 'table'),
  cdc_merges_total: counter('Merges of small files', 'table'),
  cdc_merged_bytes_total: counter('Bytes that merges read and wrote', 'direction'),
  cdc_upkeep_failures_total: counter('Checkpoints and merges that failed and are tried again', 'table'),
  cdc_heartbeat_age_seconds: gauge(
    'Since the newest heartbeat of the source; absent without one',
    'pipeline',
  ),
  cdc_slot_retained_bytes: gauge('WAL that a replication slot holds back', 'slot'),
  cdc_slot_active: gauge('1: somebody reads from the slot', 'slot'),
  cdc_slot_lost: gauge('1: the slot is lost, or about to be', 'slot'),
  cdc_dq_last_success_timestamp_seconds: gauge('When a checksum last found the table equal', 'table'),
  cdc_dq_verified_through_timestamp_seconds: gauge(
    'Time of the source up to which all of its changes were last shown to be in the table',
    'table',
  ),
  cdc_dq_mismatched_rows: gauge(
    'Rows that differ from the source, by the last check of a kind',
    'table',
    'kind',
  ),
  cdc_dq_deferred_rows: gauge('Rows that the last check could not tell yet', 'table', 'kind'),
  cdc_dq_duration_seconds: gauge('How long the last check took', 'table', 'kind'),
} as const satisfies Readonly<Record<string, MetricDefinition>>

export type MetricName = keyof typeof METRICS

function counter(help: string, ...labels: readonly string[]): MetricDefinition {
  return { kind: 'counter', help, labels }
}

function gauge(help: string, ...labels: readonly string[]): MetricDefinition {
  return { kind: 'gauge', help, labels }
}

function histogram(help: string, buckets: readonly number[], ...labels: readonly string[]): MetricDefinition {
  return { kind: 'histogram', help, buckets, labels }
}
