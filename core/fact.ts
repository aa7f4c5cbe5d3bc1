import type { StoreSite } from './store-sites.ts'

/**
 * What has happened, for whoever watches: metrics, spans, the status page. Plain values, so that a thread can tell
 * another. Told once a batch, a commit or a request of the store, never once a record.
 */
export type Fact =
  | BatchRead
  | BatchCommitted
  | TableStopped
  | TableMerged
  | UpkeepEnded
  | SchemaChanged
  | CommitRaced
  | CommitInDoubt
  | StoreAsked
  | StoreRequest
  | StoreRetry
  | PartitionsMoved
  | SourceThrottled

export type Observe = (fact: Fact) => void

/** For those who watch nothing. */
export const unobserved: Observe = () => {}

/** Records came from the source and were given to their tables, or to the thread that does the work on them. */
export interface BatchRead {
  readonly kind: 'batch-read'
  readonly topic: string
  readonly partition: number
  readonly records: number
  readonly sizeBytes: number
  /** Epoch milliseconds when the source was asked. */
  readonly startedMs: number
  /** Milliseconds until the source answered. */
  readonly waitedMs: number
  readonly takenMs: number
  /** Milliseconds that the batch before it kept the loop waiting for room. */
  readonly heldMs: number
}

/** A batch of a table is durable: one commit, or none when it changed nothing. */
export interface BatchCommitted {
  readonly kind: 'batch-committed'
  readonly table: string
  readonly version: number | null
  /** Events by Debezium's letter: `r` `c` `u` `d` `t`. */
  readonly operations: Readonly<Record<string, number>>
  readonly events: number
  readonly sizeBytes: number
  readonly rows: { readonly inserted: number; readonly updated: number; readonly deleted: number }
  /** Of these events. */
  readonly stale: number
  readonly duplicates: number
  readonly ambiguousKeyMoves: number
  /** Epoch milliseconds when its oldest event happened at the source, as far as is known. */
  readonly oldestMs: number
  /** Epoch milliseconds when its turn came. */
  readonly startedMs: number
  readonly durationMs: number
  readonly phases: FlushPhases
}

/** Where the time of a flush went, milliseconds; what had to be done anew after a lost race is in it. */
export interface FlushPhases {
  /** Fold, locate, plan. */
  planMs: number
  encodeMs: number
  /** Data, deletion vectors and change files. */
  putMs: number
  /** The log entry, and what it takes to win its place. */
  commitMs: number
}

export function noPhases(): FlushPhases {
  return { planMs: 0, encodeMs: 0, putMs: 0, commitMs: 0 }
}

export interface TableStopped {
  readonly kind: 'table-stopped'
  readonly table: string
  readonly code: string
}

export interface TableMerged {
  readonly kind: 'table-merged'
  readonly table: string
  readonly filesRemoved: number
  readonly bytesRead: number
  readonly bytesWritten: number
}

/** Checkpoint, cleaning, merge: beside the stream. */
export interface UpkeepEnded {
  readonly kind: 'upkeep-ended'
  readonly table: string
  /** The error's code; `null`: it went well. */
  readonly failure: string | null
}

export interface SchemaChanged {
  readonly kind: 'schema-changed'
  readonly change: 'columns-added' | 'columns-widened'
}

/** Somebody else's commit came first. */
export interface CommitRaced {
  readonly kind: 'commit-raced'
  /** What it meant: ours is tried again as it is, is done anew, or is not ours to do. */
  readonly loss: 'rebase' | 'redo' | 'fenced'
}

/** Nobody could say whether a log entry was written, and then somebody could, or not. */
export interface CommitInDoubt {
  readonly kind: 'commit-in-doubt'
  readonly resolved: 'ours' | 'theirs' | 'no'
}

/** A call of the store begins; a `store-request` tells its end, in whatever way. */
export interface StoreAsked {
  readonly kind: 'store-asked'
}

/** One call of the store has ended; a large object, a long list or a bad day make several requests of it. */
export interface StoreRequest {
  readonly kind: 'store-request'
  readonly site: StoreSite
  readonly op: StoreOp
  /** `ok`, `absent`, `exists`, or the code of the error. */
  readonly code: string
  readonly durationMs: number
}

export type StoreOp = 'get' | 'get_range' | 'head' | 'put' | 'put_parts' | 'put_if_absent' | 'list' | 'delete'

/** An attempt failed, and another one may be made. */
export interface StoreRetry {
  readonly kind: 'store-retry'
  readonly code: string
}

/** A broker told one of our connections to wait before it asks again: a quota is used up. */
export interface SourceThrottled {
  readonly kind: 'source-throttled'
  readonly throttledMs: number
}

/** Whoever shares out partitions gave some or took some. */
export interface PartitionsMoved {
  readonly kind: 'partitions-moved'
  readonly given: number
  readonly taken: number
}
