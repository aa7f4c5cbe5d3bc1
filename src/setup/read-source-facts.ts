import type { Clock, ReplicaIdentity, SourceDatabase, SourceRow } from '../../core/ports.ts'
import { readCdcReadiness } from '../postgres/cdc-readiness.ts'
import type {
  LoginFact,
  PublicationFact,
  RoleFact,
  ServerFact,
  SlotFact,
  SourceFacts,
  TableFact,
} from './source-facts.ts'

type Asked = Pick<SourceDatabase, 'query'>

/** What is asked about. */
export interface SourceQuestion {
  readonly publication: string
  /** Roles whose rights are of interest. */
  readonly roles: readonly string[]
}

/** How long the writing of the log is watched. */
const WATCH_MS = 1000

const LSN = 'CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END'

const SERVER = `
SELECT current_user AS login, current_database() AS database, r.rolsuper AS superuser, r.rolcreaterole AS creator,
       coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted,
       (SELECT json_agg(name ORDER BY name) FROM pg_settings WHERE pending_restart) AS pending,
       (SELECT count(*) FROM pg_stat_replication) AS senders,
       (SELECT wal_bytes / nullif(extract(epoch FROM clock_timestamp() - stats_reset), 0) FROM pg_stat_wal) AS usual_rate,
       pg_wal_lsn_diff(${LSN}, '0/0') AS position, extract(epoch FROM clock_timestamp()) * 1000 AS now
  FROM pg_roles r WHERE r.rolname = current_user`

const TABLES = `
SELECT n.nspname || '.' || c.relname AS name, c.relreplident AS identity, c.relkind = 'p' AS partitioned,
       NOT coalesce(i.indimmediate, true) AS deferrable,
       (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.place <= i.indnkeyatts) AS key,
       (SELECT json_agg(r.rolname) FROM pg_roles r WHERE r.rolname = ANY($1)
           AND (has_table_privilege(r.oid, c.oid, 'SELECT') OR has_any_column_privilege(r.oid, c.oid, 'SELECT'))) AS readable,
       (SELECT json_agg(r.rolname) FROM pg_roles r WHERE r.rolname = ANY($1)
           AND has_schema_privilege(r.oid, n.oid, 'USAGE')) AS open
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'`

const PUBLICATION = `
SELECT puballtables AS all, pubinsert AS insert, pubupdate AS update, pubdelete AS delete, pubtruncate AS truncate,
       pubviaroot AS via_root FROM pg_publication WHERE pubname = $1`

/** Those that it names, with their columns, and those that it holds by their schema, as leaves, or as all there are. */
const PUBLISHED = `
WITH named AS (
  SELECT n.nspname || '.' || c.relname AS name,
         (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
           WHERE a.attrelid = c.oid AND to_jsonb(pr) -> 'prattrs' @> to_jsonb(a.attnum)) AS columns
    FROM pg_publication p JOIN pg_publication_rel pr ON pr.prpubid = p.oid
    JOIN pg_class c ON c.oid = pr.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = $1)
SELECT name, columns FROM named
UNION ALL
SELECT schemaname || '.' || tablename, NULL FROM pg_publication_tables
 WHERE pubname = $1 AND schemaname || '.' || tablename NOT IN (SELECT name FROM named)`

/** Columns that came with later releases are looked up by name. */
const SLOTS = `
SELECT s.slot_name, s.plugin, s.database, s.active, s.wal_status, s.safe_wal_size,
       pg_wal_lsn_diff(${LSN}, s.restart_lsn) AS retained, st.spill_bytes,
       extract(epoch FROM (to_jsonb(s) ->> 'inactive_since')::timestamptz) * 1000 AS inactive_since
  FROM pg_replication_slots s LEFT JOIN pg_stat_replication_slots st USING (slot_name)
 WHERE s.slot_type = 'logical' ORDER BY s.slot_name`

const ROLES = 'SELECT rolname, rolcanlogin, rolreplication, rolsuper FROM pg_roles WHERE rolname = ANY($1)'

/** Asks a Postgres for all that plans and findings are made of; takes a moment, since its log is watched. */
export async function readSourceFacts(
  database: Asked,
  { publication, roles }: SourceQuestion,
  clock: Pick<Clock, 'sleep' | 'monotonicMs'>,
): Promise<SourceFacts> {
  const startMs = clock.monotonicMs()
  const [first] = await database.query('setup.server', SERVER)
  const facts = {
    readiness: await readCdcReadiness(database),
    tables: await readTables(database, roles),
    publication: await readPublication(database, publication),
    slots: (await database.query('setup.slots', SLOTS)).map(slotOf),
    roles: await readRoles(database, roles),
  }
  await clock.sleep(WATCH_MS)
  const [last] = await database.query('setup.server', SERVER)
  const written = Number(last!['position']) - Number(first!['position'])
  const rate = (written / (clock.monotonicMs() - startMs)) * 1000
  return { ...facts, login: loginOf(last!), server: serverOf(last!, rate) }
}

function loginOf(row: SourceRow): LoginFact {
  return {
    name: row['login']!,
    database: row['database']!,
    isSuperuser: isTrue(row['superuser']),
    mayCreateRoles: isTrue(row['superuser']) || isTrue(row['creator']),
    isEncrypted: isTrue(row['encrypted']),
  }
}

function serverOf(row: SourceRow, rate: number): ServerFact {
  return {
    pendingRestart: namesOf(row['pending']) ?? [],
    walSendersUsed: Number(row['senders']),
    walBytesPerSecond: Math.max(rate, Number(row['usual_rate'] ?? 0)),
    nowMs: Number(row['now']),
  }
}

const IDENTITIES: Readonly<Record<string, ReplicaIdentity>> = {
  d: 'default',
  f: 'full',
  i: 'index',
  n: 'nothing',
}

async function readTables(
  database: Asked,
  roles: readonly string[],
): Promise<ReadonlyMap<string, TableFact>> {
  const rows = await database.query('setup.tables', TABLES, [roles])
  return new Map(
    rows.map((row) => [
      row['name']!,
      {
        key: namesOf(row['key']),
        isKeyDeferrable: isTrue(row['deferrable']),
        replicaIdentity: IDENTITIES[row['identity']!]!,
        isPartitioned: isTrue(row['partitioned']),
        readableBy: namesOf(row['readable']) ?? [],
        schemaOpenTo: namesOf(row['open']) ?? [],
      },
    ]),
  )
}

async function readPublication(database: Asked, name: string): Promise<PublicationFact | null> {
  const [row] = await database.query('setup.publication', PUBLICATION, [name])
  if (row === undefined) return null
  const tables = await database.query('setup.published', PUBLISHED, [name])
  return {
    isForAllTables: isTrue(row['all']),
    tables: new Map(tables.map((table) => [table['name']!, namesOf(table['columns'])])),
    operations: ['insert', 'update', 'delete', 'truncate'].filter((operation) => isTrue(row[operation])),
    isViaRoot: isTrue(row['via_root']),
  }
}

function slotOf(row: SourceRow): SlotFact {
  return {
    name: row['slot_name']!,
    plugin: row['plugin'] ?? null,
    database: row['database'] ?? null,
    isActive: isTrue(row['active']),
    walStatus: row['wal_status'] ?? null,
    retainedBytes: numberOf(row['retained']),
    safeBytes: numberOf(row['safe_wal_size']),
    spilledBytes: numberOf(row['spill_bytes']),
    inactiveSinceMs: numberOf(row['inactive_since']),
  }
}

async function readRoles(database: Asked, roles: readonly string[]): Promise<ReadonlyMap<string, RoleFact>> {
  const rows = await database.query('setup.roles', ROLES, [roles])
  return new Map(
    rows.map((row) => [
      row['rolname']!,
      {
        mayLogIn: isTrue(row['rolcanlogin']),
        mayReplicate: isTrue(row['rolreplication']),
        isSuperuser: isTrue(row['rolsuper']),
      },
    ]),
  )
}

/** Bytes and milliseconds, of which a float holds enough. */
function numberOf(text: string | null | undefined): number | null {
  return text == null ? null : Number(text)
}

function namesOf(json: string | null | undefined): readonly string[] | null {
  return json == null ? null : (JSON.parse(json) as string[])
}

function isTrue(text: string | null | undefined): boolean {
  return text === 't' || text === 'true'
}
