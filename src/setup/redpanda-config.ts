import { stringify } from 'yaml'
import { EngineError } from '../../core/errors.ts'
import { UNAVAILABLE_PLACEHOLDER } from '../../schemas/decode/decode-options.ts'
import { parseTableName } from '../../schemas/postgres-name.ts'
import type { CaptureSettings } from '../config/upstream.ts'

/** What the file is made of, beside the database. */
export interface RedpandaOptions {
  readonly brokers: readonly string[]
  readonly topic: string
  /** Key columns by `schema.table`. */
  readonly keys: ReadonlyMap<string, readonly string[]>
}

/**
 * A configuration of Redpanda Connect that puts a database's changes on one topic so that they can be told apart and
 * kept in order: with the schema, the time of the commit and a key; existing rows first.
 *
 * @returns YAML; the address of the database stays a variable, as it holds a password
 * @throws EngineError `E_CONNECTOR` (usage) when it cannot be
 */
export function redpandaConfig({ tables, schema, slot }: CaptureSettings, options: RedpandaOptions): string {
  const named = tables === '*' ? [] : tables.map(parseTableName)
  const strangers = named.filter((table) => table.schema !== schema)
  if (named.length === 0) throw cannotBe('it takes no "all tables": list them in `postgres.tables`')
  if (strangers.length > 0) {
    throw cannotBe(
      `one of it reads one schema, and ${strangers.map((each) => `${each.schema}.${each.table}`).join(', ')} is not in ${schema}: make one pipeline a schema`,
    )
  }
  return stringify(
    {
      input: {
        postgres_cdc: {
          dsn: '${POSTGRES_CDC_DSN}',
          schema,
          tables: named.map(({ table }) => table),
          slot_name: slot,
          stream_snapshot: true,
          include_transaction_markers: false,
          // Else a large value that an update did not touch arrives as null.
          unchanged_toast_value: UNAVAILABLE_PLACEHOLDER,
        },
      },
      pipeline: { processors: [{ mapping: mapping(schema, options.keys) }] },
      output: {
        kafka_franz: {
          seed_brokers: options.brokers,
          topic: options.topic,
          key: '${! metadata("key") }',
          partitioner: 'murmur2_hash',
          idempotent_write: true,
          max_in_flight: 1,
        },
      },
      http: { address: '${POSTGRES_CDC_HTTP_ADDR:0.0.0.0:4195}' },
    },
    { lineWidth: 0 },
  )
}

/** Bloblang. Rows of a table without a key get the table's name as theirs, so that they stay in one partition. */
function mapping(schema: string, keys: ReadonlyMap<string, readonly string[]>): string {
  const cases = [...keys].map(([table, columns]) => {
    const parts = columns.map((column) => `this.get(${JSON.stringify(column)})`).join(', ')
    return `  ${JSON.stringify(parseTableName(table).table)} => [@table, ${parts}].format_json(no_indent: true).string(),`
  })
  return [
    'root._metadata = {',
    `  "schema": ${JSON.stringify(schema)},`,
    '  "table": @table,',
    '  "operation": @operation,',
    '  "lsn": @lsn.or(null),',
    '  "commit_ts_ms": @commit_ts_ms.or(null)',
    '}',
    'root.payload = this',
    'meta key = match @table {',
    ...cases,
    '  _ => @table',
    '}',
    '',
  ].join('\n')
}

function cannotBe(why: string): EngineError {
  return new EngineError('E_CONNECTOR', 'usage', `Redpanda Connect cannot do this: ${why}`)
}
