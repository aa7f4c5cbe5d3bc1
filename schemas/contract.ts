/** What a person decided about one table (design §4, `tables.<name>`). All of it has a default. */
export interface TableContract {
  /** `schema.table`. */
  readonly name: string
  /** Key columns; default: the columns of the record's key. */
  readonly key?: readonly string[]
  /** Column → Postgres type, e.g. `numeric(10,2)`: needed where the topic carries no schemas. */
  readonly columns?: Readonly<Record<string, string>>
  /** How decimals of `columns` are written where the topic carries no schemas: the connector's `decimal.handling.mode`. */
  readonly decimalHandling?: 'precise' | 'string'
  readonly mode: 'upsert' | 'append'
  readonly deletes: 'hard' | 'soft'
  readonly merge: 'lazy' | 'at-once'
  readonly changeFeed: 'auto' | 'full' | 'rows' | 'off'
  readonly readers: readonly Reader[]
  readonly partitionBy: readonly string[]
  /** `off`: small files and deleted rows are left to somebody else's OPTIMIZE. */
  readonly merging: 'on' | 'off'
  /** `off`: files that no reader may still ask for are left to somebody else's VACUUM. */
  readonly expiry: 'on' | 'off'
  /** `full`: `before` of every update and delete holds the whole row (`REPLICA IDENTITY FULL`). */
  readonly replicaIdentity?: 'full' | 'default'
  readonly schemaChanges: 'evolve' | 'contract' | 'stop'
  readonly deadLetters: { readonly maxShare: number }
  /** Globs of the topics that feed this table; default: the topic whose name ends in the table's. */
  readonly topics?: readonly string[]
  /** Several processes write the table, each its own partitions; default: all partitions belong to one. */
  readonly spread?: 'partitions'
}

/** Engines that must be able to read the table: they decide which table features may be used. */
export type Reader = 'spark' | 'delta-rs' | 'polars' | 'duckdb' | 'trino'

export const DEFAULT_CONTRACT: Omit<TableContract, 'name'> = {
  mode: 'upsert',
  deletes: 'hard',
  merge: 'lazy',
  changeFeed: 'auto',
  readers: ['spark', 'delta-rs', 'duckdb'],
  partitionBy: [],
  merging: 'on',
  expiry: 'on',
  schemaChanges: 'evolve',
  deadLetters: { maxShare: 0.5 },
}
