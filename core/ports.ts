import type { StoreSite } from './store-sites.ts'

/**
 * The doors to the world. Everything above `core` asks through these; `src/io` (and the simulator) answer.
 *
 * Every call names its site (`'log.put'`, `'data.put'`, …), so that a test can count the places where the world can
 * fail and make each of them fail.
 */

/** One stored object. `path` is relative to the store's root, with `/` between its parts and no leading slash. */
export interface ObjectInfo {
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedMs: number
}

/**
 * `created`: the object did not exist and now holds exactly our bytes.
 * `exists`: somebody's object is there (perhaps our own from an attempt whose answer was lost); nothing was changed.
 */
export type PutIfAbsentOutcome = 'created' | 'exists'

/**
 * An object store or a directory that behaves like one. Methods reject with an `EngineError`: `retry` when the world
 * had a bad day (for `putIfAbsent` the bytes may have arrived all the same), `stop` when it will not get better.
 */
export interface ObjectStore {
  /** Where paths are relative to, as a person would write it. Never holds a secret. */
  readonly location: string
  /** @returns the whole object, or `null` when there is none */
  get(site: StoreSite, path: string): Promise<Uint8Array | null>
  /** Bytes `[start, end)`. @returns `null` when there is no such object */
  getRange(site: StoreSite, path: string, start: number, end: number): Promise<Uint8Array | null>
  head(site: StoreSite, path: string): Promise<ObjectInfo | null>
  /** Creates or replaces; durable when it resolves (data before log). */
  put(site: StoreSite, path: string, bytes: Uint8Array): Promise<void>
  /**
   * As `put`, of an object that comes part by part, so that nobody has to hold it whole. It is there when the last part is,
   * and nothing is before.
   *
   * @param parts the memory of one may be used again when the next one is asked for
   * @throws also what `parts` throws
   */
  putParts(site: StoreSite, path: string, parts: AsyncIterable<Uint8Array>): Promise<void>
  /** Creates atomically, or leaves what is there. The only way a log entry is written. */
  putIfAbsent(site: StoreSite, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome>
  /**
   * Objects whose path starts with `prefix`, in path order (UTF-8 bytes), after `startAfter` when given. With `limit`
   * the first so many are enough; a store may answer with more.
   */
  list(site: StoreSite, prefix: string, startAfter?: string, limit?: number): Promise<readonly ObjectInfo[]>
  /** Removes the object; no error when it is not there. */
  delete(site: StoreSite, path: string): Promise<void>
}

/** A record as the broker holds it, not looked into. */
export interface RawRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Broker's timestamp, milliseconds since the epoch. */
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** In order; a name may repeat. */
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[]
}

/** Records of one partition, ascending offsets. `nextOffset` may be past the last record (gaps, control batches). */
export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly RawRecord[]
  readonly nextOffset: bigint
  readonly sizeBytes: number
}

/** One partition of a topic and what of it can be read. */
export interface PartitionRange {
  readonly topic: string
  readonly partition: number
  /** First offset that still exists. */
  readonly startOffset: bigint
  /** Offset after the last record at the time of the question. */
  readonly endOffset: bigint
}

export interface PartitionPosition {
  readonly topic: string
  readonly partition: number
  /** The next offset to read; never the last one read. */
  readonly nextOffset: bigint
}

export interface ReadOptions {
  /** End after the offsets that `partitions()` told at the start, instead of waiting for more. */
  readonly untilEnd: boolean
  /**
   * Asked when a partition comes to this process, before any record of it is delivered: the next offset to read, or
   * `null`: not to be read.
   */
  startAt(range: PartitionRange): Promise<bigint | null>
  /**
   * The partitions are another member's from now on: nothing of them may be acked or written any more. Partitions that
   * feed one table go together; `startAt` is asked again when they come back.
   */
  onRevoked(partitions: readonly { readonly topic: string; readonly partition: number }[]): Promise<void>
}

/** Some records of one partition: from an offset up to, and without, another. */
export interface OffsetRange {
  readonly topic: string
  readonly partition: number
  readonly fromOffset: bigint
  readonly toOffset: bigint
}

/**
 * Where change events come from. Batches are pulled: a consumer that does not ask for the next one holds the source
 * back, and no more than one batch is ever in flight.
 */
export interface ChangeSource {
  /** All partitions there are now. */
  partitions(): Promise<readonly PartitionRange[]>
  /**
   * Record batches, in order inside a partition. Yields `null` when there is nothing now, so that the caller can look
   * at its clocks.
   */
  read(options: ReadOptions): AsyncIterable<RecordBatch | null>
  /**
   * Records of the past, beside what `read` delivers and without touching it.
   *
   * @throws EngineError `E_OFFSET_GAP` (stop-table) when records of the range are gone, before any that lies behind them
   */
  readRange(range: OffsetRange): AsyncIterable<RecordBatch>
  /**
   * Whether what was given to this process is still its own, as whoever gives it says now: a process that stood still may
   * have been taken for dead and not know it. `false` also when nobody answers. What it has lost comes by `onRevoked`.
   */
  stillHolds(): Promise<boolean>
  /** Tells the broker how far tables are durable: a copy of what the tables say, never the truth. */
  ack(positions: readonly PartitionPosition[]): Promise<void>
  close(): Promise<void>
}

/** What a source may know beside its records, for whoever looks into a topic: where a time stands in it. */
export interface TopicTimes {
  /** By partition, the offset of the first record that is not older than this time; the end where there is none. */
  offsetsSince(topic: string, sinceMs: number): Promise<ReadonlyMap<number, bigint>>
}

/**
 * Files of this machine, for caches alone: all of them may be gone, or torn, at any time. Paths are relative, with `/`
 * between their parts. Methods reject with an `EngineError`; nobody waits for what they keep.
 */
export interface LocalFiles {
  /** @returns `null` when there is no such file */
  read(path: string): Promise<Uint8Array | null>
  /** Creates or replaces; a reader sees the old bytes or the new ones. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** A new file, in the place of any older one. It is whole when `close` has resolved. */
  create(path: string): Promise<LocalFileWriter>
  /** @returns `null` when there is no such file. What is open can be read though it is deleted. */
  open(path: string): Promise<LocalFile | null>
  /** Names of the files of a folder; none when it is not there. */
  list(folder: string): Promise<readonly string[]>
  /** No error when it is not there. */
  delete(path: string): Promise<void>
}

export interface LocalFileWriter {
  append(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

export interface LocalFile {
  readonly sizeBytes: number
  /** Fills `out` with pieces of `lengthBytes`, one for each offset. @throws EngineError when the file ends before */
  readPieces(offsets: readonly number[], lengthBytes: number, out: Uint8Array): Promise<void>
  close(): void
}

export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  nowMs(): number
  /** Milliseconds since some start; never goes back. */
  monotonicMs(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export interface Random {
  /** Random bytes, good enough to name files and to key a hash. */
  bytes(length: number): Uint8Array
  uuid(): string
}

export interface Logger {
  debug(fields: Record<string, unknown>, message: string): void
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
  error(fields: Record<string, unknown>, message: string): void
}

/** A row of a statement's result by column name: values as the database writes them, so that none is rounded. */
export type SourceRow = Readonly<Record<string, string | null>>

/** A value of a statement's parameter; an array becomes an array of the database. */
export type SourceValue = string | number | bigint | boolean | null | readonly (string | null)[]

/** One connection of a source database, used by one caller at a time. */
export interface SourceSession {
  /**
   * Runs one statement.
   *
   * @param site what it is for, such as `dq.buckets`; whoever watches the database sees it in front of the statement
   */
  query(site: string, sql: string, values?: readonly SourceValue[]): Promise<readonly SourceRow[]>
}

/** How rows of a table are told apart in the stream: `REPLICA IDENTITY`. */
export type ReplicaIdentity = 'default' | 'full' | 'index' | 'nothing'

export interface SourceColumn {
  readonly name: string
  /** As the database writes it, with its numbers, a domain by its base type: `numeric(10,2)`, `text[]`. */
  readonly type: string
  /** What the type is made of: `enum`, `composite`, `range` and `multirange` need no list of their names then. */
  readonly kind: 'base' | 'enum' | 'composite' | 'range' | 'multirange' | 'pseudo'
  readonly isNullable: boolean
  /** Expression of the default; `null`: none. Of a generated column what it is computed from. */
  readonly defaultExpression: string | null
  readonly isGenerated: boolean
  readonly isIdentity: boolean
}

/** A table as the catalog of its database describes it. */
export interface SourceTable {
  readonly schema: string
  readonly table: string
  /** In their order. */
  readonly columns: readonly SourceColumn[]
  /** Columns of the primary key in key order; `null`: it has none. */
  readonly key: readonly string[] | null
  readonly replicaIdentity: ReplicaIdentity
  /** Columns that identify a row in the stream, when the identity is an index. */
  readonly identityColumns: readonly string[] | null
  readonly isPartitioned: boolean
  /** Leaves of a partitioned table, as `schema.table`; else empty. */
  readonly partitions: readonly string[]
}

/** A name of a table, as its parts. */
export interface SourceTableName {
  readonly schema: string
  readonly table: string
}

/**
 * The database that the stream tells of, asked beside the stream. Methods reject with an `EngineError`: `retry` when the
 * database had a bad day, `stop` when it will not get better. No error holds a secret.
 */
export interface SourceDatabase {
  /** Where it is, as a person would write it. Never holds a secret. */
  readonly location: string
  /** One statement that only reads, on any connection: it may be sent again after a bad day. */
  query(site: string, sql: string, values?: readonly SourceValue[]): Promise<readonly SourceRow[]>
  /** One connection for the time of `work`, which is not repeated. What it left open is rolled back. */
  session<T>(work: (session: SourceSession) => Promise<T>): Promise<T>
  /** @returns `null` when there is no such table, or it cannot be seen */
  describeTable(name: SourceTableName): Promise<SourceTable | null>
  close(): Promise<void>
}

/** Tells a test that the code stands at a named step between two I/O calls. Does nothing in production. */
export type StepReached = (step: string) => void
