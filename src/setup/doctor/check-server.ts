import type { SourceFacts } from '../source-facts.ts'
import { type Found, findingsOf } from './finding.ts'

const { broken, risk } = findingsOf('server')

/** The oldest release that connectors of today read, and that has what we ask. */
const OLDEST = 140_000

/** Whether the server logs so that changes can be read, and has room for one who reads. */
export function* checkServer({ readiness, server, slots }: SourceFacts, slot: string): Found {
  const { walLevel, serverVersion, slotsUsed, slotsMax, walSendersMax, isStandby } = readiness
  if (walLevel !== 'logical') {
    yield server.pendingRestart.includes('wal_level')
      ? broken('wal-level', `wal_level is ${walLevel} until the server is restarted`, 'restart the server')
      : broken(
          'wal-level',
          `wal_level is ${walLevel}`,
          'run ALTER SYSTEM SET wal_level = logical; and restart the server',
        )
  }
  const pending = server.pendingRestart.filter((name) => name !== 'wal_level')
  if (pending.length > 0) {
    yield risk(
      'pending-restart',
      `${pending.join(', ')} were changed and wait for a restart`,
      'restart the server when that suits',
    )
  }
  const isThere = slots.some(({ name }) => name === slot)
  if (!isThere && slotsUsed >= slotsMax) {
    yield broken(
      'slots-taken',
      `all ${slotsMax} replication slots are taken, and ${slot} is not among them`,
      `drop one that nobody needs, or run ALTER SYSTEM SET max_replication_slots = ${slotsMax + 5}; and restart the server`,
    )
  }
  if (
    walSendersMax === 0 ||
    (server.walSendersUsed >= walSendersMax && !slots.some(({ name, isActive }) => name === slot && isActive))
  ) {
    yield broken(
      'wal-senders',
      `${server.walSendersUsed} of ${walSendersMax} WAL senders are in use`,
      `run ALTER SYSTEM SET max_wal_senders = ${walSendersMax + 5}; and restart the server`,
    )
  }
  if (isStandby && serverVersion < 160_000) {
    yield broken(
      'standby',
      'this is a standby, and only those of Postgres 16 and later can be read',
      'name the primary in `postgres.connection`',
    )
  }
  if (serverVersion < OLDEST) {
    yield risk(
      'old-server',
      `Postgres ${Math.floor(serverVersion / 10_000)} is older than what is tested`,
      'upgrade to 14 or newer',
    )
  }
}
