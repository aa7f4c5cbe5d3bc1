import type { Cell, DeltaType, Row } from './delta-types.ts'
import type { Position } from './position.ts'

/** Which table of which source. Identity is all four; `sourceName` is Debezium's `topic.prefix`. */
export interface TableId {
  readonly sourceName: string
  readonly database: string
  readonly schema: string
  readonly table: string
}

/** One column as an event (or a contract) describes it. */
export interface Column {
  /** The source's own name, not yet fitted to what Delta can hold. */
  readonly name: string
  readonly type: DeltaType
  /** The source fills this column in rows that the stream has not told of (a default). */
  readonly hasDefault: boolean
}

/** The columns of a row image, in the order of its cells. One object per distinct shape: compare by identity first. */
export interface RowShape {
  readonly columns: readonly Column[]
  readonly indexOf: ReadonlyMap<string, number>
}

export interface RowImage {
  readonly shape: RowShape
  readonly cells: Row
}

/** Key columns by name, in key order, with their values; never null, never unavailable. */
export interface RowKey {
  readonly columns: readonly Column[]
  readonly values: readonly Cell[]
}

/** Debezium's words: snapshot read, create, update, delete, truncate. */
export type Operation = 'r' | 'c' | 'u' | 'd' | 't'

export interface RecordCoordinates {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
}

/** Which record it is. */
export type RecordRef = Pick<RecordCoordinates, 'topic' | 'partition' | 'offset'>

/** One change of one row (or, `t`, of a whole table). */
export interface ChangeEvent {
  readonly kind: 'change'
  readonly op: Operation
  readonly table: TableId
  /** `null`: the table has no key, or `t`. */
  readonly key: RowKey | null
  /** As sent. How far it can be trusted depends on the replica identity: see formats.md §2.4 in `writers/fold.ts`. */
  readonly before: RowImage | null
  readonly after: RowImage | null
  /** `null` for snapshot rows: they take their place in the order of the partition. */
  readonly position: Position | null
  /** `source.lsn`, also of snapshot rows; `null` when the source did not tell. */
  readonly lsn: bigint | null
  /** Of a row of an incremental snapshot: the last event that the connector had sent before it. */
  readonly readAfter?: Position | null
  readonly txId: bigint | null
  /**
   * Of a create that no key tells from another: a number for the run of the connector that sent it. One run sends
   * nothing twice. Not there: the connector does not tell.
   */
  readonly run?: bigint
  /** When the source committed it; microseconds since the epoch, UTC. */
  readonly sourceTimeUs: bigint | null
  /** This `d` is the first half of a key change (`__debezium.newkey`). */
  readonly newKey: RowKey | null
  /** This `c` is the second half of a key change (`__debezium.oldkey`). */
  readonly oldKey: RowKey | null
  readonly at: RecordCoordinates
  /** Size of the raw record without its inline schema, which is kept once for all: what the buffer counts. */
  readonly sizeBytes: number
}

/** A record with a key and no value, after a delete. */
export interface Tombstone {
  readonly kind: 'tombstone'
  readonly at: RecordCoordinates
}

/** A record that is not about a row. */
export interface Control {
  readonly kind: 'control'
  readonly what: 'heartbeat' | 'transaction' | 'message' | 'signal' | 'notification' | 'schema-change'
  readonly at: RecordCoordinates
}

/** A record that cannot be read as what it should be: it becomes a dead letter. */
export interface Undecodable {
  readonly kind: 'undecodable'
  /** Stable code, upper case with underscores, e.g. `BAD_JSON`. */
  readonly reason: string
  /** One sentence for a person: which column, what was found. Never the value itself. */
  readonly message: string
  /** When the record got far enough to tell. */
  readonly table: TableId | null
  readonly at: RecordCoordinates
}

export type Decoded = ChangeEvent | Tombstone | Control | Undecodable

/** `schema.table`: how configuration and messages name a table. */
export function tableName(id: TableId): string {
  return `${id.schema}.${id.table}`
}
