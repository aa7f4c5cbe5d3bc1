/** A table of the database that the recordings under `fixtures/debezium` were made from. */
export interface SourceTable {
  /** Empty: the table has no key, and its rows are compared as a bag. */
  readonly key: readonly string[]
  /** Column → Postgres type, as the table stands at the end of the recording. */
  readonly columns: Readonly<Record<string, string>>
}

const EVENTS: SourceTable = {
  key: ['id', 'at'],
  columns: { id: 'bigint', at: 'timestamptz', kind: 'text', payload: 'jsonb' },
}

const TOASTED: SourceTable = { key: ['id'], columns: { id: 'int', big: 'text', small: 'int' } }

const ALL_TYPES: SourceTable = {
  key: ['id'],
  columns: {
    id: 'int',
    c_smallint: 'smallint',
    c_int: 'int',
    c_bigint: 'bigint',
    c_numeric_10_2: 'numeric(10,2)',
    c_numeric_38_9: 'numeric(38,9)',
    c_numeric: 'numeric',
    c_real: 'real',
    c_double: 'double precision',
    c_bool: 'bool',
    c_text: 'text',
    c_varchar: 'varchar(20)',
    c_char: 'char(5)',
    c_citext: 'citext',
    c_bytea: 'bytea',
    c_uuid: 'uuid',
    c_json: 'json',
    c_jsonb: 'jsonb',
    c_date: 'date',
    c_time: 'time',
    c_time3: 'time(3)',
    c_timetz: 'timetz',
    c_timestamp: 'timestamp',
    c_timestamp3: 'timestamp(3)',
    c_timestamptz: 'timestamptz',
    c_interval: 'interval',
    c_inet: 'inet',
    c_cidr: 'cidr',
    c_macaddr: 'macaddr',
    c_macaddr8: 'macaddr8',
    c_int_array: 'int[]',
    c_text_array: 'text[]',
    c_numeric_array: 'numeric(10,2)[]',
    c_uuid_array: 'uuid[]',
    c_tstz_array: 'timestamptz[]',
    c_enum: 'enum',
    c_domain: 'int',
    c_point: 'point',
    c_hstore: 'hstore',
    c_int4range: 'int4range',
    c_numrange: 'numrange',
    c_tsrange: 'tsrange',
    c_tstzrange: 'tstzrange',
    c_daterange: 'daterange',
    c_money: 'money',
    c_bit1: 'bit(1)',
    c_bit8: 'bit(8)',
    c_varbit: 'varbit(16)',
    c_xml: 'xml',
    c_ltree: 'ltree',
    c_oid: 'oid',
  },
}

/** By the name of the table inside the schema `inventory`. */
export const INVENTORY: Readonly<Record<string, SourceTable>> = {
  all_types: ALL_TYPES,
  all_types_full: ALL_TYPES,
  by_index: { key: ['code', 'region'], columns: { code: 'text', region: 'text', v: 'int' } },
  customers: {
    key: ['id'],
    columns: {
      id: 'int',
      first_name: 'varchar(255)',
      last_name: 'varchar(255)',
      email: 'varchar(255)',
      created_at: 'timestamptz',
      balance: 'numeric(10,2)',
    },
  },
  debezium_heartbeat: { key: ['id'], columns: { id: 'int', n: 'bigint' } },
  debezium_signal: {
    key: ['id'],
    columns: { id: 'varchar(64)', type: 'varchar(32)', data: 'varchar(2048)' },
  },
  events: EVENTS,
  events_2024: EVENTS,
  events_2025: EVENTS,
  evolving: { key: ['id'], columns: { id: 'int', v: 'bigint', renamed: 'text', price: 'numeric(8,3)' } },
  gen_cols: { key: ['id'], columns: { id: 'int', a: 'int', twice: 'int' } },
  nopk_full: { key: [], columns: { a: 'int', b: 'text', at: 'timestamp(3)' } },
  nopk_inserts: { key: [], columns: { a: 'int', b: 'text' } },
  order_lines: {
    key: ['order_id', 'line_no'],
    columns: {
      order_id: 'bigint',
      line_no: 'smallint',
      sku: 'varchar(40)',
      qty: 'int',
      amount: 'numeric(10,2)',
    },
  },
  orders: {
    key: ['id'],
    columns: {
      id: 'bigint',
      order_date: 'date',
      purchaser: 'int',
      quantity: 'int',
      product_id: 'bigint',
      note: 'text',
    },
  },
  products: {
    key: ['id'],
    columns: {
      id: 'bigint',
      name: 'text',
      description: 'text',
      weight: 'real',
      price: 'numeric(12,4)',
      tags: 'text[]',
    },
  },
  toasted: TOASTED,
  toasted_full: TOASTED,
  zz_end: { key: ['id'], columns: { id: 'int' } },
}
