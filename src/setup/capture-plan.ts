import { parseTableName, quoteName, quoteTable, quoteText } from '../../schemas/postgres-name.ts'
import type { CaptureSettings } from '../config/upstream.ts'
import { captureAdvice } from './capture-advice.ts'
import { captureProblems } from './capture-problems.ts'
import { capturedTables } from './captured-tables.ts'
import type { SourceFacts } from './source-facts.ts'

/** A statement and what it is for, as the end of a sentence. */
export interface PlannedStatement {
  readonly about: string
  readonly sql: string
}

/** What a database lacks for a connector, and what has to be decided by a person. */
export interface CapturePlan {
  /** What is captured, by `schema.table`; `'*'`: whatever there is. */
  readonly tables: readonly string[] | '*'
  /** In one transaction, in order. */
  readonly statements: readonly PlannedStatement[]
  /** After it and alone: a slot is not made in a transaction that has written. */
  readonly slot: PlannedStatement | null
  /** What stands in the way, each with its cure; nothing is done then. */
  readonly problems: readonly string[]
  /** What a person should know or decide; never done by itself. */
  readonly advice: readonly string[]
}

export interface PlanOptions {
  /** Also roles and grants. */
  readonly withRoles: boolean
  /** A publication of all tables was confirmed. */
  readonly allTables: boolean
}

const PUBLISHED = "publish = 'insert, update, delete, truncate', publish_via_partition_root = true"

/** The statements that bring a database from what it is to what a connector needs: none when it has it all. */
export function planCapture(
  facts: SourceFacts,
  settings: CaptureSettings,
  options: PlanOptions,
): CapturePlan {
  const { tables, excluded } = capturedTables(settings, [...facts.tables.keys()])
  const roles = options.withRoles ? [...roleStatements(facts, settings)] : []
  const mayHaveRoles = roles.length === 0 || facts.login.mayCreateRoles
  const statements = [
    ...(mayHaveRoles ? roles : []),
    ...heartbeatStatements(facts, settings),
    ...publicationStatements(facts, settings, tables),
    ...(options.withRoles && mayHaveRoles ? grantStatements(facts, settings, tables) : []),
  ]
  const { slot, role, proofRole } = settings
  const made =
    options.withRoles && mayHaveRoles ? [role, proofRole].filter((name) => !facts.roles.has(name)) : []
  const hasSlot = facts.slots.some(({ name }) => name === slot)
  return {
    tables,
    statements,
    slot: hasSlot
      ? null
      : {
          about: `replication slot ${slot}`,
          sql: `SELECT pg_create_logical_replication_slot(${quoteText(slot)}, 'pgoutput')`,
        },
    problems: [...captureProblems(facts, settings, tables, options.allTables)],
    advice: [
      ...(mayHaveRoles ? [] : [rolesByOthers(facts.login.name, roles)]),
      ...captureAdvice(facts, settings, tables),
      ...made.map((name) => `${name} has no password yet: set one with \\password ${name} in psql`),
      ...excluded.map((table) => `${table} is left out: tools keep their notes there`),
    ],
  }
}

function* roleStatements(
  { roles }: SourceFacts,
  { role, proofRole }: CaptureSettings,
): Generator<PlannedStatement> {
  const [connector, proof] = [quoteName(role), quoteName(proofRole)]
  const found = roles.get(role)
  if (found === undefined) {
    yield {
      about: `role ${role} for the connector`,
      sql: `CREATE ROLE ${connector} LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE`,
    }
  } else if (!found.mayReplicate && !found.isSuperuser) {
    yield { about: `right to replicate of ${role}`, sql: `ALTER ROLE ${connector} REPLICATION` }
  }
  if (roles.has(proofRole)) return
  yield {
    about: `role ${proofRole} for the proof`,
    sql: `CREATE ROLE ${proof} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE`,
  }
  for (const setting of [
    "idle_in_transaction_session_timeout = '60s'",
    'default_transaction_read_only = on',
  ]) {
    yield { about: `${setting.split(' ')[0]} of ${proofRole}`, sql: `ALTER ROLE ${proof} SET ${setting}` }
  }
}

function* heartbeatStatements(
  { tables }: SourceFacts,
  { heartbeat }: CaptureSettings,
): Generator<PlannedStatement> {
  if (tables.has(heartbeat)) return
  const name = parseTableName(heartbeat)
  const table = quoteTable(name)
  yield { about: `schema ${name.schema}`, sql: `CREATE SCHEMA IF NOT EXISTS ${quoteName(name.schema)}` }
  yield {
    about: `heartbeat table ${heartbeat}`,
    sql: `CREATE TABLE ${table} (id int PRIMARY KEY, beat_at timestamptz NOT NULL)`,
  }
  yield { about: 'its one row', sql: `INSERT INTO ${table} VALUES (1, now())` }
}

function* publicationStatements(
  { publication: found }: SourceFacts,
  { publication, columns, heartbeat }: CaptureSettings,
  tables: readonly string[] | '*',
): Generator<PlannedStatement> {
  const name = quoteName(publication)
  const tableText = (table: string) => quoteTable(parseTableName(table)) + columnText(columns.get(table))
  if (tables === '*') {
    if (found !== null) return
    yield {
      about: `publication ${publication} of all tables`,
      sql: `CREATE PUBLICATION ${name} FOR ALL TABLES WITH (${PUBLISHED})`,
    }
    return
  }
  const wanted = [...tables, heartbeat]
  if (found === null) {
    const list = wanted.map(tableText).join(', ')
    yield {
      about: `publication ${publication} of ${wanted.join(', ')}`,
      sql: `CREATE PUBLICATION ${name} FOR TABLE ${list} WITH (${PUBLISHED})`,
    }
    return
  }
  if (found.operations.length < 4 || !found.isViaRoot) {
    yield {
      about: `all operations in ${publication}, partitioned tables under their own name`,
      sql: `ALTER PUBLICATION ${name} SET (${PUBLISHED})`,
    }
  }
  for (const table of wanted) {
    const present = found.tables.get(table)
    if (present !== undefined && sameColumns(present, columns.get(table))) continue
    if (present !== undefined) {
      yield {
        about: `old columns of ${table}`,
        sql: `ALTER PUBLICATION ${name} DROP TABLE ${quoteTable(parseTableName(table))}`,
      }
    }
    yield {
      about: `${table} in ${publication}`,
      sql: `ALTER PUBLICATION ${name} ADD TABLE ${tableText(table)}`,
    }
  }
}

function columnText(columns: readonly string[] | undefined): string {
  return columns === undefined ? '' : ` (${columns.map(quoteName).join(', ')})`
}

function sameColumns(present: readonly string[] | null, wanted: readonly string[] | undefined): boolean {
  if (present === null || wanted === undefined) return present === null && wanted === undefined
  return [...present].sort().join('\0') === [...wanted].sort().join('\0')
}

/** No more than the connector reads (its snapshot), and beats on. */
function* grantStatements(
  { tables: facts }: SourceFacts,
  { role, proofRole, heartbeat, columns }: CaptureSettings,
  tables: readonly string[] | '*',
): Generator<PlannedStatement> {
  const wanted = tables === '*' ? [...facts.keys()].filter((table) => table !== heartbeat) : tables
  for (const reader of [role, proofRole]) {
    const closed = wanted.filter((table) => facts.get(table)?.schemaOpenTo.includes(reader) !== true)
    for (const schema of new Set(closed.map((table) => parseTableName(table).schema))) {
      yield {
        about: `schema ${schema} for ${reader}`,
        sql: `GRANT USAGE ON SCHEMA ${quoteName(schema)} TO ${quoteName(reader)}`,
      }
    }
    for (const table of wanted.filter((table) => facts.get(table)?.readableBy.includes(reader) !== true)) {
      const select = `SELECT${columnText(columns.get(table))}`
      yield {
        about: `${table} for ${reader}`,
        sql: `GRANT ${select} ON ${quoteTable(parseTableName(table))} TO ${quoteName(reader)}`,
      }
    }
  }
  if (facts.get(heartbeat)?.readableBy.includes(role) === true) return
  const { schema } = parseTableName(heartbeat)
  yield {
    about: `schema ${schema} for ${role}`,
    sql: `GRANT USAGE ON SCHEMA ${quoteName(schema)} TO ${quoteName(role)}`,
  }
  yield {
    about: `heartbeat for ${role}`,
    sql: `GRANT SELECT, UPDATE ON ${quoteTable(parseTableName(heartbeat))} TO ${quoteName(role)}`,
  }
}

function rolesByOthers(login: string, roles: readonly PlannedStatement[]): string {
  const sql = roles.map((statement) => `${statement.sql};`).join(' ')
  return `${login} may not make roles: let an administrator run ${sql} and then set this up again, or leave them out with --no-roles`
}
