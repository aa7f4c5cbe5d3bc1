import type { SourceTable } from '../source-schema.ts'

/**
 * The database under load. Every row version of every table has a `rev` of its own (equal rows of a table without a key
 * excepted), so that whatever shows up later can be told from what showed up before.
 */
export const SCHEMA_SQL = `
create schema shop;
create schema ops;
create sequence shop.rev;

create table shop.customers (
  id int primary key, name text not null, balance numeric(12,2) not null default 0,
  seen_at timestamptz, rev bigint not null);
create table shop.order_lines (
  order_id bigint, line_no smallint, sku text, qty int, rev bigint not null, primary key (order_id, line_no));
create table shop.settings (name text primary key, value jsonb, rev bigint not null);

create table shop.audit (a int, b text, rev bigint not null);
alter table shop.audit replica identity full;

create table shop.documents (id int primary key, title text, body text, rev bigint not null);
alter table shop.documents alter column body set storage external;

create table shop.readings (id int, region text, value double precision, rev bigint not null, primary key (id, region))
  partition by list (region);
create table shop.readings_north partition of shop.readings for values in ('north');
create table shop.readings_south partition of shop.readings for values in ('south', 'west');

create table shop.parcels (id int primary key, region text, weight real, rev bigint not null);

create table shop.accounts (id int primary key, owner text, amount numeric(14,2) not null, rev bigint not null);
alter table shop.accounts replica identity full;

create table shop.seats (no int primary key deferrable initially deferred, guest text, rev bigint not null);
alter table shop.seats replica identity full;

create table shop.stock (id int primary key, quantity int, rev bigint not null);
create table shop.ledger (id int primary key, entry text, rev bigint not null);

-- Kept moving by the connector itself, so that its slot goes on while the other tables rest.
create table ops.heartbeat (id int primary key, beats bigint not null);
insert into ops.heartbeat values (1, 0);

insert into shop.customers select i, 'first ' || i, i, now(), nextval('shop.rev') from generate_series(1, 400) i;
insert into shop.settings select 'name ' || i, '{"n": 1}', nextval('shop.rev') from generate_series(1, 60) i;
insert into shop.documents select i, 'title', repeat(md5(i::text), 150), nextval('shop.rev') from generate_series(1, 80) i;
insert into shop.parcels select i, 'north', i, nextval('shop.rev') from generate_series(1, 200) i;
insert into shop.accounts select i, 'owner ' || i, 100, nextval('shop.rev') from generate_series(1, 200) i;
insert into shop.seats select i, 'guest ' || i, nextval('shop.rev') from generate_series(1, 60) i;
`

/** What becomes of the tables while they are written: a column comes, without a default. */
export const ALTER_SQL = 'alter table shop.customers add column tier text'

/** The tables as they stand in the end, by their names inside the schema `shop`. */
export const SHOP: Readonly<Record<string, SourceTable>> = {
  customers: {
    key: ['id'],
    columns: {
      id: 'int',
      name: 'text',
      balance: 'numeric(12,2)',
      seen_at: 'timestamptz',
      rev: 'bigint',
      tier: 'text',
    },
  },
  order_lines: {
    key: ['order_id', 'line_no'],
    columns: { order_id: 'bigint', line_no: 'smallint', sku: 'text', qty: 'int', rev: 'bigint' },
  },
  settings: { key: ['name'], columns: { name: 'text', value: 'jsonb', rev: 'bigint' } },
  audit: { key: [], columns: { a: 'int', b: 'text', rev: 'bigint' } },
  documents: { key: ['id'], columns: { id: 'int', title: 'text', body: 'text', rev: 'bigint' } },
  readings: {
    key: ['id', 'region'],
    columns: { id: 'int', region: 'text', value: 'double precision', rev: 'bigint' },
  },
  parcels: { key: ['id'], columns: { id: 'int', region: 'text', weight: 'real', rev: 'bigint' } },
  accounts: { key: ['id'], columns: { id: 'int', owner: 'text', amount: 'numeric(14,2)', rev: 'bigint' } },
  seats: { key: ['no'], columns: { no: 'int', guest: 'text', rev: 'bigint' } },
  stock: { key: ['id'], columns: { id: 'int', quantity: 'int', rev: 'bigint' } },
  ledger: { key: ['id'], columns: { id: 'int', entry: 'text', rev: 'bigint' } },
}
