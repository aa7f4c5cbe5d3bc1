/** Debezium's schema of the key and of the envelope, put around payloads that came without. */

interface ConnectField {
  readonly field: string
  readonly type: string
  readonly optional: boolean
  readonly name?: string
  readonly version?: number
  readonly parameters?: Readonly<Record<string, string>>
  readonly default?: string
  readonly fields?: readonly ConnectField[]
}

function column(field: string, type: string, name?: string): ConnectField {
  return { type, optional: field !== 'id', ...(name === undefined ? {} : { name, version: 1 }), field }
}

const ROW: readonly ConnectField[] = [
  column('id', 'int64'),
  column('customer', 'string'),
  column('status', 'string'),
  column('amount', 'string'),
  column('qty', 'int32'),
  column('note', 'string'),
  column('updated_at', 'int64', 'io.debezium.time.MicroTimestamp'),
  column('flag', 'boolean'),
]

const SOURCE: readonly ConnectField[] = [
  { type: 'string', optional: false, field: 'version' },
  { type: 'string', optional: false, field: 'connector' },
  { type: 'string', optional: false, field: 'name' },
  { type: 'int64', optional: false, field: 'ts_ms' },
  {
    ...{ type: 'string', optional: true, name: 'io.debezium.data.Enum', version: 1 },
    parameters: {
      allowed: 'true,first,first_in_data_collection,last_in_data_collection,last,false,incremental',
    },
    ...{ default: 'false', field: 'snapshot' },
  },
  { type: 'string', optional: false, field: 'db' },
  { type: 'string', optional: true, field: 'sequence' },
  { type: 'string', optional: false, field: 'schema' },
  { type: 'string', optional: false, field: 'table' },
  { type: 'int64', optional: true, field: 'txId' },
  { type: 'int64', optional: true, field: 'lsn' },
  { type: 'int64', optional: true, field: 'xmin' },
]

const TRANSACTION: readonly ConnectField[] = [
  { type: 'string', optional: false, field: 'id' },
  { type: 'int64', optional: false, field: 'total_order' },
  { type: 'int64', optional: false, field: 'data_collection_order' },
]

const PREFIX = 'shop.public.orders'
const KEY = { type: 'struct', fields: [ROW[0]], optional: false, name: `${PREFIX}.Key` }
const ENVELOPE = {
  type: 'struct',
  fields: [
    { type: 'struct', fields: ROW, optional: true, name: `${PREFIX}.Value`, field: 'before' },
    { type: 'struct', fields: ROW, optional: true, name: `${PREFIX}.Value`, field: 'after' },
    {
      ...{ type: 'struct', fields: SOURCE, optional: false },
      ...{ name: 'io.debezium.connector.postgresql.Source', version: 1, field: 'source' },
    },
    {
      type: 'struct',
      fields: TRANSACTION,
      optional: true,
      name: 'event.block',
      version: 1,
      field: 'transaction',
    },
    { type: 'string', optional: false, field: 'op' },
    { type: 'int64', optional: true, field: 'ts_ms' },
  ],
  optional: false,
  name: `${PREFIX}.Envelope`,
  version: 2,
}

const CLOSE = Buffer.from('}')

function wrapping(schema: unknown): (payload: Uint8Array) => Buffer {
  const open = Buffer.from(`{"schema":${JSON.stringify(schema)},"payload":`)
  return (payload) => Buffer.concat([open, payload, CLOSE])
}

export const inlineSchemas = { key: wrapping(KEY), value: wrapping(ENVELOPE) }
