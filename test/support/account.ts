import type { CanonicalRow } from './canonical-row.ts'
import type { SeededRandom } from './seeded-random.ts'

/** A row of the made-up source table `public.accounts`, which has one column of each kind that is easily got wrong. */
export interface Account {
  /** Beyond 2^53. */
  readonly id: bigint
  readonly owner: string
  /** Hundredths. */
  readonly balance: bigint
  readonly active: boolean
  readonly tier: number
  readonly note: string | null
  /** Days since 1970-01-01. */
  readonly openedOn: number
  /** Microseconds since 1970-01-01T00:00:00Z. */
  readonly updatedAt: number
}

/** Column → Postgres type: what a contract must say, because the topic carries no schemas. */
export const ACCOUNT_COLUMNS: Readonly<Record<string, string>> = {
  id: 'bigint',
  owner: 'text',
  balance: 'numeric(12,2)',
  active: 'boolean',
  tier: 'integer',
  note: 'text',
  opened_on: 'date',
  updated_at: 'timestamptz',
}

const NOTES = ['', 'null', 'line\nbreak', 'quoted "text" \\ slash', 'größer als 日本 😀', '0']

export function newAccount(id: bigint, updatedAt: number, random: SeededRandom): Account {
  return {
    id,
    owner: `owner ${random.below(10_000)}`,
    balance: BigInt(random.below(2_000_000_000)) - 1_000_000_000n,
    active: random.chance(0.8),
    tier: random.below(5) - 1,
    note: random.chance(0.5) ? null : NOTES[random.below(NOTES.length)]!,
    openedOn: random.below(30_000) - 5_000,
    updatedAt,
  }
}

export function changedAccount(account: Account, updatedAt: number, random: SeededRandom): Account {
  const fresh = newAccount(account.id, updatedAt, random)
  return random.chance(0.5)
    ? { ...account, balance: fresh.balance, updatedAt }
    : { ...fresh, owner: account.owner }
}

export function keyJson(id: bigint): string {
  return `{"id":${id}}`
}

/** As Debezium writes a row with all its defaults: decimals as base64, dates as days, instants as text. */
export function accountJson(account: Account): string {
  const { id, owner, balance, active, tier, note, openedOn, updatedAt } = account
  return (
    `{"id":${id},"owner":${JSON.stringify(owner)},"balance":"${decimalBase64(balance)}","active":${active},` +
    `"tier":${tier},"note":${JSON.stringify(note)},"opened_on":${openedOn},"updated_at":"${instant(updatedAt)}"}`
  )
}

/** `before` of a delete under `REPLICA IDENTITY DEFAULT`: the key, and fillers that mean nothing. */
export function keyOnlyJson(id: bigint): string {
  return `{"id":${id},"owner":"","balance":null,"active":null,"tier":null,"note":null,"opened_on":null,"updated_at":null}`
}

export function accountRow(account: Account): CanonicalRow {
  return {
    id: String(account.id),
    owner: account.owner,
    balance: hundredths(account.balance),
    active: account.active,
    tier: account.tier,
    note: account.note,
    opened_on: new Date(account.openedOn * 86_400_000).toISOString().slice(0, 10),
    updated_at: instant(account.updatedAt),
  }
}

/** Two's complement, big endian, as few bytes as will do. */
export function decimalBase64(unscaled: bigint): string {
  let bits = 8
  while (BigInt.asIntN(bits, unscaled) !== unscaled) bits += 8
  const hex = BigInt.asUintN(bits, unscaled)
    .toString(16)
    .padStart(bits / 4, '0')
  return Buffer.from(hex, 'hex').toString('base64')
}

function hundredths(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(3, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

function instant(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000)
  const fraction = String(micros - seconds * 1_000_000).padStart(6, '0')
  return new Date(seconds * 1_000).toISOString().replace('.000Z', `.${fraction}Z`)
}
