import { z } from 'zod'
import { DEFAULT_CONTRACT } from '../../schemas/contract.ts'
import { boolean, list, name, names, numeric, optional, strict } from './schema-forms.ts'

const { mode, deletes, merge, merging, expiry, changeFeed, readers, schemaChanges, deadLetters } =
  DEFAULT_CONTRACT

/** What a person may say about a table. All of it may be missing, and a table may be named with nothing behind it. */
export const tableSettings = z.preprocess(
  (value) => value ?? {},
  strict({
    key: optional(names, "Key columns; without it those of the record's key."),
    columns: optional(
      z.record(name, name),
      'Column → Postgres type, such as `numeric(10,2)`: needed where the topic carries no schemas.',
    ),
    decimalHandling: optional(
      z.enum(['precise', 'string']),
      'How the connector writes decimals (its `decimal.handling.mode`) where the topic carries no schemas.',
    ),
    mode: optional(z.enum(['upsert', 'append']), '`append`: every event a row, for an audit log.', mode),
    deletes: optional(z.enum(['hard', 'soft']), '`soft`: a deleted row stays, marked.', deletes),
    merge: optional(
      z.enum(['lazy', 'at-once']),
      '`at-once`: whole files are rewritten, for readers without deletion vectors.',
      merge,
    ),
    merging: optional(
      z.enum(['on', 'off']),
      "`off`: small files are left to somebody else's OPTIMIZE.",
      merging,
    ),
    expiry: optional(
      z.enum(['on', 'off']),
      "`off`: removed files are left to somebody else's VACUUM when their retention has passed.",
      expiry,
    ),
    changeFeed: optional(
      z.enum(['auto', 'full', 'rows', 'off']),
      'What readers of the change feed see; `auto` is `full` where events carry whole before-images, else `rows`.',
      changeFeed,
    ),
    readers: optional(
      list(z.enum(['spark', 'delta-rs', 'polars', 'duckdb', 'trino'])),
      'Engines that must be able to read the table: they decide which table features may be used.',
      readers,
    ),
    partitionBy: optional(
      list(name),
      'Columns of few values that split the files; every one more makes smaller files.',
      [],
    ),
    replicaIdentity: optional(
      z.enum(['full', 'default']),
      '`full`: `before` of every update and delete holds the whole row (`REPLICA IDENTITY FULL`).',
    ),
    schemaChanges: optional(
      z.enum(['evolve', 'contract', 'stop']),
      'What a changed schema of the source does: `contract` takes only the columns that are named here.',
      schemaChanges,
    ),
    deadLetters: optional(
      strict({
        maxShare: numeric(z.number().gt(0).max(1)).meta({
          description: 'Share of the last 1,000 records; `1` turns the storm stop off.',
        }),
      }),
      'When undecodable records stop the table.',
      deadLetters,
    ),
    topics: optional(
      names,
      "Globs of the topics that feed the table; without it the topic whose name ends in the table's.",
    ),
    skip: optional(boolean, 'Its records are read past, and counted as ignored.', false),
    start: optional(
      z.enum(['earliest', 'mark', 'latest']),
      'Where a table begins that has no offsets yet while its pipeline has moved on.',
    ),
    spread: optional(z.enum(['partitions']), 'Several processes write the table, each its own partitions.'),
  }),
)
