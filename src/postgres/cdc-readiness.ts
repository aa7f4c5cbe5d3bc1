import type { SourceDatabase } from '../../core/ports.ts'

/** A logical replication slot of the database. */
export interface ReplicationSlot {
  readonly name: string
  readonly plugin: string
  /** Somebody reads it now. */
  readonly isActive: boolean
  /** `reserved` and `extended` are well; `unreserved` and `lost` are not. */
  readonly walStatus: string | null
  /** Everything before it has been taken over by the reader: `16/B374D848`. */
  readonly confirmedLsn: string | null
  /** Log kept for it, bytes. */
  readonly retainedBytes: bigint | null
}

/** Whether a Debezium connector can read this database. */
export interface CdcReadiness {
  readonly isReady: boolean
  /** `logical` is what is needed. */
  readonly walLevel: string
  /** `server_version_num`: 150004 is 15.4. */
  readonly serverVersion: number
  readonly serverEncoding: string
  readonly slotsUsed: number
  readonly slotsMax: number
  readonly walSendersMax: number
  /** The login may stream changes. */
  readonly mayReplicate: boolean
  /** -1: a reader that stays away lets the log grow until the disk is full. Megabytes. */
  readonly slotKeepMegabytes: number
  readonly isStandby: boolean
  readonly slots: readonly ReplicationSlot[]
  readonly publications: readonly string[]
  /** What stands in the way, each with its cure; empty when it is ready. */
  readonly problems: readonly string[]
}

const SERVER = `
SELECT current_setting('wal_level') AS wal_level, current_setting('server_version_num') AS version,
       current_setting('server_encoding') AS encoding, current_setting('max_replication_slots') AS slots_max,
       current_setting('max_wal_senders') AS senders_max,
       (SELECT count(*) FROM pg_replication_slots) AS slots_used,
       (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_replicate,
       (SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS keep,
       pg_is_in_recovery() AS standby,
       (SELECT json_agg(pubname ORDER BY pubname) FROM pg_publication) AS publications`

const SLOTS = `
SELECT slot_name, plugin, active, wal_status, confirmed_flush_lsn,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                       restart_lsn)::bigint AS retained
  FROM pg_replication_slots WHERE slot_type = 'logical' AND database = current_database() ORDER BY slot_name`

/** Asks the server for all that logical decoding needs. */
export async function readCdcReadiness(database: Pick<SourceDatabase, 'query'>): Promise<CdcReadiness> {
  const [server] = await database.query('catalog.readiness', SERVER)
  const found = {
    walLevel: server!['wal_level']!,
    serverVersion: Number(server!['version']),
    serverEncoding: server!['encoding']!,
    slotsUsed: Number(server!['slots_used']),
    slotsMax: Number(server!['slots_max']),
    walSendersMax: Number(server!['senders_max']),
    mayReplicate: server!['may_replicate'] === 't',
    slotKeepMegabytes: Number(server!['keep']),
    isStandby: server!['standby'] === 't',
    slots: await readReplicationSlots(database),
    publications: JSON.parse(server!['publications'] ?? '[]') as string[],
  }
  const problems = problemsOf(found)
  return { isReady: problems.length === 0, ...found, problems }
}

/** Logical slots of this database, by name. */
export async function readReplicationSlots(
  database: Pick<SourceDatabase, 'query'>,
): Promise<readonly ReplicationSlot[]> {
  const rows = await database.query('catalog.slots', SLOTS)
  return rows.map((row) => ({
    name: row['slot_name']!,
    plugin: row['plugin']!,
    isActive: row['active'] === 't',
    walStatus: row['wal_status'] ?? null,
    confirmedLsn: row['confirmed_flush_lsn'] ?? null,
    retainedBytes: row['retained'] == null ? null : BigInt(row['retained']),
  }))
}

function problemsOf(found: Omit<CdcReadiness, 'isReady' | 'problems'>): string[] {
  const problems: string[] = []
  if (found.walLevel !== 'logical') {
    problems.push(`wal_level is ${found.walLevel}: set it to logical and restart the server`)
  }
  if (found.slots.length === 0 && found.slotsUsed >= found.slotsMax) {
    problems.push(`all ${found.slotsMax} replication slots are in use: raise max_replication_slots`)
  }
  if (found.walSendersMax === 0) problems.push('max_wal_senders is 0: raise it')
  if (!found.mayReplicate) {
    problems.push('the login may not replicate: ALTER ROLE … REPLICATION, for the login of the connector')
  }
  if (found.isStandby && found.serverVersion < 160_000) {
    problems.push('this is a standby, and only those of Postgres 16 and later can be read: name the primary')
  }
  for (const { name, walStatus } of found.slots) {
    if (walStatus === 'lost' || walStatus === 'unreserved') {
      problems.push(
        `the log that slot ${name} needs is ${walStatus === 'lost' ? 'gone' : 'about to go'}: the connector needs a new ` +
          'slot and a new snapshot; raise max_slot_wal_keep_size',
      )
    }
  }
  return problems
}
