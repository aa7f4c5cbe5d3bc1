import { parseTableName, quoteName, quoteTable, quoteText } from '../../schemas/postgres-name.ts'
import type { CaptureSettings } from '../config/upstream.ts'
import { identityFault } from './identity-fault.ts'
import type { SourceFacts } from './source-facts.ts'

/**
 * What stands in the way of a connector and is for a person to decide, each with its cure.
 *
 * @param tables that are asked for, see `capturedTables`
 * @param allTables a publication of all tables was confirmed
 */
export function* captureProblems(
  facts: SourceFacts,
  settings: CaptureSettings,
  tables: readonly string[] | '*',
  allTables: boolean,
): Generator<string> {
  yield* serverProblems(facts, settings)
  yield* publicationProblems(facts, settings, tables, allTables)
  for (const name of tables === '*' ? facts.tables.keys() : tables)
    yield* tableProblems(name, facts, settings)
}

function* serverProblems(
  { readiness, slots, login }: SourceFacts,
  { slot }: CaptureSettings,
): Generator<string> {
  if (readiness.walLevel !== 'logical') {
    yield `wal_level is ${readiness.walLevel}: run ALTER SYSTEM SET wal_level = logical; and restart the server`
  }
  const own = slots.find(({ name }) => name === slot)
  if (own === undefined && readiness.slotsUsed >= readiness.slotsMax) {
    yield `all ${readiness.slotsMax} replication slots are taken: run ALTER SYSTEM SET max_replication_slots = ${readiness.slotsMax + 5}; and restart the server`
  }
  if (own !== undefined && own.plugin !== 'pgoutput') {
    yield `the slot ${slot} decodes with ${own.plugin}, not pgoutput: name another one, or run SELECT pg_drop_replication_slot(${quoteText(slot)}); if nobody needs it`
  }
  if (own !== undefined && own.database !== login.database) {
    yield `the slot ${slot} belongs to the database ${own.database}: name another one (\`postgres.slot\`)`
  }
}

function* publicationProblems(
  facts: SourceFacts,
  { publication, columns }: CaptureSettings,
  tables: readonly string[] | '*',
  allTables: boolean,
): Generator<string> {
  if (tables.length === 0) {
    yield 'no table is named: list them in `postgres.tables`, in POSTGRES_CDC_TABLES or with --tables'
  }
  if (tables === '*' && facts.publication === null && !allTables) {
    yield 'a publication of all tables also takes every table that will ever be made: list them (`postgres.tables`), or confirm with --all-tables'
  }
  if (tables !== '*' && facts.publication?.isForAllTables === true) {
    yield `the publication ${publication} is for all tables, and the configuration lists some: run DROP PUBLICATION ${quoteName(publication)}; and try again, or set \`postgres.tables: "*"\``
  }
  if (columns.size > 0 && facts.readiness.serverVersion < 150_000) {
    yield 'column lists need Postgres 15: leave `postgres.columns` out, and name columns in `connector.config` (column.exclude.list)'
  }
}

function* tableProblems(name: string, facts: SourceFacts, { columns }: CaptureSettings): Generator<string> {
  const table = facts.tables.get(name)
  if (table === undefined) {
    yield `there is no table ${name}: make it first (--wait-for-table waits for it), or correct \`postgres.tables\``
    return
  }
  const alter = `ALTER TABLE ${quoteTable(parseTableName(name))}`
  const fault = identityFault(table)
  if (fault !== null) {
    const why = fault === 'deferrable-key' ? 'a deferrable primary key' : 'nothing that identifies its rows'
    yield `${name} has ${why}: once it is published, Postgres refuses its updates and deletes; run ${alter} REPLICA IDENTITY FULL;`
  }
  const listed = columns.get(name)
  const unlisted = listed === undefined ? [] : (table.key ?? []).filter((column) => !listed.includes(column))
  if (unlisted.length > 0) {
    yield `the column list of ${name} lacks ${unlisted.join(', ')} of its key: add it to \`postgres.columns\``
  }
  if (listed !== undefined && table.replicaIdentity === 'full') {
    yield `${name} has a column list and REPLICA IDENTITY FULL, with which Postgres refuses its updates: run ${alter} REPLICA IDENTITY DEFAULT;`
  }
}
