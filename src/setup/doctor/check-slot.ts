import { quoteText } from '../../../schemas/postgres-name.ts'
import type { CaptureSettings } from '../../config/upstream.ts'
import type { SlotFact, SourceFacts } from '../source-facts.ts'
import { type Found, findingsOf } from './finding.ts'

const { broken, risk } = findingsOf('slot')

const GB = 1024 ** 3
/** A disk that is full within a day is full before anybody looks. */
const HOURS_MIN = 24
/** Without a limit to hold it against, so much log asks for a look. */
const RETAINED_BYTES_MAX = 10 * GB
/** A slot that has been left for so long is one that was forgotten. */
const FORGOTTEN_MS = 24 * 3_600_000

/**
 * Whether the slot is there, is read, and how long the log that it keeps can go on growing.
 *
 * @param connectorRuns Connect says so
 */
export function* checkSlot(
  { slots, login, readiness, server, publication }: SourceFacts,
  { slot, walDisk }: CaptureSettings,
  connectorRuns: boolean,
): Found {
  yield* othersThatRest(slots, slot, server.nowMs)
  const own = slots.find(({ name }) => name === slot)
  const name = quoteText(slot)
  if (own === undefined) {
    yield broken(
      'no-slot',
      `there is no replication slot ${slot}`,
      `run \`alluvium setup postgres\`, or SELECT pg_create_logical_replication_slot(${name}, 'pgoutput'); what was changed meanwhile comes with a new snapshot only`,
    )
    return
  }
  if (own.plugin !== 'pgoutput') {
    yield broken(
      'slot-plugin',
      `the slot ${slot} decodes with ${own.plugin}`,
      `name another one in \`postgres.slot\`, or run SELECT pg_drop_replication_slot(${name}); and \`alluvium setup postgres\``,
    )
  }
  if (own.database !== login.database) {
    yield broken(
      'slot-database',
      `the slot ${slot} belongs to the database ${own.database}`,
      'name another one in `postgres.slot`',
    )
  }
  if (own.walStatus === 'lost') {
    yield broken(
      'slot-lost',
      `the log that the slot ${slot} needs is gone`,
      `run SELECT pg_drop_replication_slot(${name}); and \`alluvium setup postgres\`, let the connector take a new snapshot, and raise max_slot_wal_keep_size`,
    )
    return
  }
  if (own.walStatus === 'unreserved') {
    yield broken(
      'slot-unreserved',
      `the log that the slot ${slot} needs goes with the next checkpoint`,
      'start the connector now, and raise max_slot_wal_keep_size',
    )
  }
  if (!own.isActive && connectorRuns && publication !== null) {
    yield broken(
      'slot-stuck',
      `the connector runs, and cannot read the slot ${slot}${sinceText(own, server.nowMs)}`,
      'look at the log of Connect. If it says that the publication does not exist: there was none where the slot stands, and Postgres decodes by what was there then. ' +
        `Run \`alluvium connector delete\`, SELECT pg_drop_replication_slot(${name}); \`alluvium setup postgres\` and \`alluvium connector register\`: a new snapshot is taken`,
    )
  } else if (!own.isActive) {
    yield broken(
      'slot-inactive',
      `nobody reads the slot ${slot}${sinceText(own, server.nowMs)}`,
      'start the connector (`alluvium connector status`, then `restart` or `resume`)',
    )
  }
  yield* spaceFindings(own, readiness.slotKeepMegabytes, server.walBytesPerSecond, walDisk)
  if ((own.spilledBytes ?? 0) > 10 * GB) {
    yield risk(
      'slot-spills',
      `transactions of ${gigabytes(own.spilledBytes!)} did not fit in memory when they were decoded`,
      "raise logical_decoding_work_mem: run ALTER SYSTEM SET logical_decoding_work_mem = '256MB'; SELECT pg_reload_conf();",
    )
  }
}

/** How long the disk, or the limit, lasts. */
function* spaceFindings(
  slot: SlotFact,
  keepMegabytes: number,
  rate: number | null,
  walDisk: number | null,
): Found {
  const retained = slot.retainedBytes ?? 0
  const left = slot.safeBytes ?? (walDisk === null ? null : walDisk - retained)
  const hours = left === null || rate === null || rate <= 0 ? null : left / rate / 3600
  const end = slot.safeBytes === null ? 'the disk of the log is full' : 'the log that the slot needs is lost'
  if (hours !== null && hours < HOURS_MIN && !slot.isActive) {
    yield broken(
      'slot-space',
      `${end} in ${hoursText(hours)}: it keeps ${gigabytes(retained)}, and ${gigabytes(rate! * 3600)} are written an hour`,
      'start the connector, or give the log more room (max_slot_wal_keep_size, a larger disk)',
    )
  } else if (retained > RETAINED_BYTES_MAX || (left !== null && retained > left)) {
    const until = hours === null ? '' : `; ${end} in ${hoursText(hours)} at this pace`
    yield risk(
      'slot-retained',
      `the slot keeps ${gigabytes(retained)} of log${until}`,
      'look why the connector is behind: `alluvium connector status`, a long transaction, a heartbeat that does not beat',
    )
  }
  if (keepMegabytes < 0) {
    yield risk(
      'slot-unbounded',
      'max_slot_wal_keep_size is -1: a connector that stays away lets the log fill the disk, and the database stops',
      "run ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf(); with what the disk can spare",
    )
  }
}

/** Slots that nobody reads keep the log too. They are named and never dropped by us. */
function* othersThatRest(slots: readonly SlotFact[], own: string, nowMs: number): Found {
  for (const slot of slots) {
    if (slot.name === own || slot.isActive) continue
    const isForgotten =
      slot.inactiveSinceMs === null
        ? (slot.retainedBytes ?? 0) > GB
        : nowMs - slot.inactiveSinceMs > FORGOTTEN_MS
    if (!isForgotten) continue
    yield risk(
      'unused-slot',
      `nobody reads the slot ${slot.name}${sinceText(slot, nowMs)}, which keeps ${gigabytes(slot.retainedBytes ?? 0)} of log`,
      `if nobody needs it any more: SELECT pg_drop_replication_slot(${quoteText(slot.name)});`,
    )
  }
}

function sinceText({ inactiveSinceMs }: SlotFact, nowMs: number): string {
  return inactiveSinceMs === null ? '' : ` since ${hoursText((nowMs - inactiveSinceMs) / 3_600_000)}`
}

function hoursText(hours: number): string {
  return hours < 2
    ? `${Math.max(Math.round(hours * 60), 1)} minutes`
    : hours < 48
      ? `${Math.round(hours)} hours`
      : `${Math.round(hours / 24)} days`
}

function gigabytes(bytes: number): string {
  return `${(bytes / GB).toFixed(1)} GB`
}
