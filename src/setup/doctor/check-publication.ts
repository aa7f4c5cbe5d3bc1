import { parseTableName, quoteName, quoteTable } from '../../../schemas/postgres-name.ts'
import type { CaptureSettings } from '../../config/upstream.ts'
import { type IdentityFault, identityFault } from '../identity-fault.ts'
import type { SourceFacts, TableFact } from '../source-facts.ts'
import { type Found, findingsOf } from './finding.ts'

const { broken, risk } = findingsOf('publication')

/** What is asked of it: by the configuration, and by the tables of the pipeline. */
export interface Wanted {
  /** Tables to capture. */
  readonly captured: readonly string[]
  /** Tables that the pipeline names and does not skip. */
  readonly contracted: readonly string[]
}

/** Whether the publication sends what is wanted: the tables, all that happens to them, and what tells their rows apart. */
export function* checkPublication(
  { publication, tables }: SourceFacts,
  settings: CaptureSettings,
  { captured, contracted }: Wanted,
): Found {
  const name = quoteName(settings.publication)
  const missing = captured.filter((table) => !tables.has(table))
  for (const table of missing) {
    yield broken(
      'no-table',
      `there is no table ${table} in the database`,
      'correct the name in `postgres.tables`; names are as the database writes them, singular or plural, upper or lower case',
    )
  }
  const uncaptured = contracted.filter((table) => !captured.includes(table) && tables.has(table))
  for (const table of uncaptured) {
    yield broken(
      'not-captured',
      `the pipeline names ${table}, and it is not captured`,
      `add it to \`postgres.tables\`, then run \`alluvium setup postgres\` and \`alluvium connector register\``,
    )
  }
  if (publication === null) {
    const list = captured.map((table) => quoteTable(parseTableName(table))).join(', ')
    yield broken(
      'no-publication',
      `there is no publication ${settings.publication}`,
      `run \`alluvium setup postgres\`, or CREATE PUBLICATION ${name} FOR TABLE ${list};`,
    )
    return
  }
  for (const table of captured.filter((table) => tables.has(table) && !publication.tables.has(table))) {
    yield broken(
      'not-published',
      `${table} is not in the publication`,
      `run ALTER PUBLICATION ${name} ADD TABLE ${quoteTable(parseTableName(table))};`,
    )
  }
  const lacking = ['insert', 'update', 'delete', 'truncate'].filter(
    (each) => !publication.operations.includes(each),
  )
  if (lacking.length > 0) {
    yield broken(
      'operations',
      `the publication leaves out ${lacking.join(', ')}`,
      `run ALTER PUBLICATION ${name} SET (publish = 'insert, update, delete, truncate');`,
    )
  }
  if (!publication.isViaRoot && captured.some((table) => tables.get(table)?.isPartitioned === true)) {
    yield broken(
      'via-root',
      'partitioned tables are published by their leaves',
      `run ALTER PUBLICATION ${name} SET (publish_via_partition_root = true);`,
    )
  }
  if (!publication.isForAllTables && !publication.tables.has(settings.heartbeat)) {
    yield risk(
      'no-heartbeat',
      `the heartbeat ${settings.heartbeat} is not published: the slot of a quiet database in a busy server keeps the log of all`,
      'run `alluvium setup postgres`',
    )
  }
  if (publication.isForAllTables && settings.tables !== '*') {
    yield risk(
      'all-tables',
      'the publication holds all tables, and the configuration lists some',
      `run DROP PUBLICATION ${name}; then \`alluvium setup postgres\``,
    )
  }
  for (const table of captured) {
    const fact = tables.get(table)
    if (fact !== undefined) yield* identityFindings(table, fact, publication.tables.get(table) ?? null)
  }
}

const IDENTITY_PROBLEMS: Readonly<Record<IdentityFault, readonly [problem: string, identity: string]>> = {
  'identity-nothing': ['has REPLICA IDENTITY NOTHING', 'DEFAULT'],
  'no-key': ['has no primary key', 'FULL'],
  'deferrable-key': ['has a deferrable primary key, which identifies no row', 'FULL'],
}

/** What tells the rows of a table apart in the log. */
function* identityFindings(name: string, table: TableFact, columns: readonly string[] | null): Found {
  const alter = `ALTER TABLE ${quoteTable(parseTableName(name))} REPLICA IDENTITY`
  const fault = identityFault(table)
  if (fault !== null) {
    const [problem, identity] = IDENTITY_PROBLEMS[fault]
    yield broken(
      fault,
      `${name} ${problem}: its updates and deletes are refused`,
      `run ${alter} ${identity};`,
    )
  } else if (table.isKeyDeferrable && table.replicaIdentity !== 'full') {
    yield risk(
      'deferrable-key',
      `the primary key of ${name} is deferrable: rows that swap their keys cannot be told apart`,
      `run ${alter} FULL;`,
    )
  }
  const unlisted = columns === null ? [] : (table.key ?? []).filter((column) => !columns.includes(column))
  if (unlisted.length > 0) {
    yield broken(
      'key-not-published',
      `the column list of ${name} lacks ${unlisted.join(', ')} of its key`,
      'add them to `postgres.columns` and run `alluvium setup postgres`',
    )
  }
}
