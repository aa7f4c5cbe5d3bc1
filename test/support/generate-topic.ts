import {
  type Account,
  accountJson,
  accountRow,
  changedAccount,
  keyJson,
  keyOnlyJson,
  newAccount,
} from './account.ts'
import type { CanonicalRow } from './canonical-row.ts'
import { RecordedTopicWriter, type RecordToWrite } from './recorded-topic-writer.ts'
import { SeededRandom } from './seeded-random.ts'

export interface TopicPlan {
  readonly seed: number
  /** At least so many; the last transaction is written whole. */
  readonly records: number
  readonly partitions: number
  readonly replicaIdentity: 'default' | 'full'
  /** How often Kafka Connect dies and sends its last records once more. */
  readonly resends: number
}

export interface GeneratedTopic {
  readonly records: number
  /** What the source holds in the end, in no order: the rows a reader must find, with the positions of their last events. */
  readonly rows: readonly CanonicalRow[]
}

/** `schema.table` of the one table there is. */
export const GENERATED_TABLE = 'public.accounts'

/**
 * Writes a topic as Debezium would for a keyed table under load, and remembers what the table holds in the end: a
 * snapshot, then transactions of inserts, updates, deletes, key changes and keys that come back. Transactions overlap,
 * so a bare LSN goes back between them while the pair (sequence, LSN) never does.
 *
 * The same plan gives the same bytes.
 */
export function generateTopic(directory: string, plan: TopicPlan): GeneratedTopic {
  const writer = new RecordedTopicWriter(directory, `shop.${GENERATED_TABLE}`)
  const source = new GeneratedSource(plan, writer)
  source.snapshot(Math.ceil(plan.records / 20))
  for (let sent = 0; writer.records < plan.records; ) {
    source.transaction()
    const due = Math.floor((writer.records * (plan.resends + 1)) / plan.records)
    if (due > sent && due <= plan.resends) {
      sent = due
      source.resend()
    }
  }
  writer.close()
  return { records: writer.records, rows: source.rows() }
}

/** Where a transaction stands in the history of the source. */
interface Transaction {
  readonly id: number
  /** LSN up to which transactions before this one are through; `null` in the first one after the snapshot. */
  readonly sequence: number | null
  readonly committedAt: number
  lsn: number
}

interface StoredAccount {
  readonly account: Account
  /** `null`: read by the snapshot and not changed since. */
  readonly position: { readonly sequence: number; readonly lsn: number } | null
}

const FIRST_ID = 9_007_199_254_740_993n
const FIRST_LSN = 32_097_480
const FIRST_MICROS = 1_795_249_774_180_146
const RESEND_RECORDS = 400
const HEADERS: readonly (readonly [string, string])[] = [
  ['__debezium.context.connectorLogicalName', 'shop'],
  ['__debezium.context.taskId', '0'],
  ['__debezium.context.connectorName', 'postgresql'],
]

class GeneratedSource {
  readonly #plan: TopicPlan
  readonly #writer: RecordedTopicWriter
  readonly #random: SeededRandom
  readonly #stored = new Map<bigint, StoredAccount>()
  /** Keys of `#stored`, in an order that makes picking one cheap. */
  readonly #ids: bigint[] = []
  readonly #deletedIds: bigint[] = []
  #nextId = FIRST_ID
  #nextTransaction = 789
  #lastStart: number | null = null
  #lastSequence = 0
  #lastCommit = FIRST_LSN
  #micros = FIRST_MICROS
  #recent: RecordToWrite[] = []

  constructor(plan: TopicPlan, writer: RecordedTopicWriter) {
    this.#plan = plan
    this.#writer = writer
    this.#random = new SeededRandom(plan.seed)
  }

  rows(): CanonicalRow[] {
    return [...this.#stored.values()].map(({ account, position }) => ({
      ...accountRow(account),
      _cdc_seq: position === null ? null : String(position.sequence),
      _cdc_lsn: position === null ? null : String(position.lsn),
    }))
  }

  snapshot(rowCount: number): void {
    const transaction = {
      id: this.#nextTransaction++,
      sequence: null,
      committedAt: this.#micros,
      lsn: FIRST_LSN,
    }
    for (let i = 0; i < rowCount; i++) {
      const account = newAccount(this.#nextId++, this.#micros, this.#random)
      this.#store(account, null)
      this.#emitChange('r', account.id, null, accountJson(account), transaction, [])
    }
    this.#recent = []
  }

  transaction(): void {
    const transaction = this.#begin()
    const events = 1 + this.#random.below(this.#random.chance(0.1) ? 40 : 4)
    for (let i = 0; i < events; i++) {
      transaction.lsn += 8 * (1 + this.#random.below(40))
      this.#event(transaction)
    }
    this.#lastCommit = Math.max(transaction.lsn, this.#lastSequence, this.#lastCommit) + 48
  }

  /** The last records once more, byte for byte, at new offsets. */
  resend(): void {
    for (const record of this.#recent.slice(-RESEND_RECORDS)) {
      this.#writer.append({ ...record, timestampMs: Math.floor(this.#micros / 1_000) })
    }
  }

  #begin(): Transaction {
    this.#micros += 50 + this.#random.below(20_000)
    // Now and then one that began before the last one committed, and so has lower LSNs than its last events.
    const overlaps = this.#lastStart !== null && this.#random.chance(0.2)
    const start = overlaps ? this.#lastStart! + 4 : this.#lastCommit + 56
    const sequence = this.#lastStart === null ? null : Math.max(start, this.#lastCommit)
    this.#lastStart = start
    this.#lastSequence = sequence ?? 0
    return { id: this.#nextTransaction++, sequence, committedAt: this.#micros, lsn: start }
  }

  #event(transaction: Transaction): void {
    const dice = this.#random.next()
    if (this.#ids.length === 0 || dice < 0.4) this.#insert(transaction)
    else if (dice < 0.78) this.#update(transaction)
    else if (dice < 0.95) this.#delete(transaction)
    else this.#changeKey(transaction)
  }

  #insert(transaction: Transaction): void {
    const account = newAccount(this.#unusedId(), this.#micros, this.#random)
    this.#store(account, transaction)
    this.#emitChange('c', account.id, null, accountJson(account), transaction, [])
  }

  #update(transaction: Transaction): void {
    const { account } = this.#stored.get(this.#ids[this.#somePlace()]!)!
    const changed = changedAccount(account, this.#micros, this.#random)
    const before = this.#plan.replicaIdentity === 'full' ? accountJson(account) : null
    this.#store(changed, transaction)
    this.#emitChange('u', account.id, before, accountJson(changed), transaction, [])
  }

  #delete(transaction: Transaction): void {
    this.#remove(this.#somePlace(), transaction, [])
  }

  /** The old key goes, with its tombstone, and the new one comes: one place in the history for both. */
  #changeKey(transaction: Transaction): void {
    const place = this.#somePlace()
    const oldId = this.#ids[place]!
    const newId = this.#unusedId()
    const { account } = this.#stored.get(oldId)!
    this.#remove(place, transaction, [['__debezium.newkey', keyJson(newId)]])
    const moved = { ...account, id: newId }
    this.#store(moved, transaction)
    this.#emitChange('c', newId, null, accountJson(moved), transaction, [
      ['__debezium.oldkey', keyJson(oldId)],
    ])
  }

  #remove(place: number, transaction: Transaction, headers: RecordToWrite['headers']): void {
    const id = this.#ids[place]!
    const { account } = this.#stored.get(id)!
    this.#forget(place)
    const before = this.#plan.replicaIdentity === 'full' ? accountJson(account) : keyOnlyJson(id)
    this.#emitChange('d', id, before, null, transaction, headers)
    this.#emit(id, null, headers)
  }

  #store(account: Account, transaction: Transaction | null): void {
    if (!this.#stored.has(account.id)) this.#ids.push(account.id)
    const position =
      transaction === null
        ? null
        : { sequence: transaction.sequence ?? transaction.lsn, lsn: transaction.lsn }
    this.#stored.set(account.id, { account, position })
  }

  #forget(place: number): void {
    const id = this.#ids[place]!
    this.#stored.delete(id)
    this.#deletedIds.push(id)
    const last = this.#ids.pop()!
    if (last !== id) this.#ids[place] = last
  }

  /** A place in `#ids`; often of a key written lately: hot keys change many times in one batch. */
  #somePlace(): number {
    const among = this.#random.chance(0.4) ? Math.min(this.#ids.length, 50) : this.#ids.length
    return this.#ids.length - 1 - this.#random.below(among)
  }

  /** Mostly a new key, at times one that was deleted before. */
  #unusedId(): bigint {
    if (this.#deletedIds.length === 0 || !this.#random.chance(0.1)) return this.#nextId++
    const [id] = this.#deletedIds.splice(this.#random.below(this.#deletedIds.length), 1)
    return id!
  }

  #emitChange(
    op: string,
    id: bigint,
    before: string | null,
    after: string | null,
    transaction: Transaction,
    headers: RecordToWrite['headers'],
  ): void {
    this.#micros += 1 + this.#random.below(40)
    const value =
      `{"before":${before},"after":${after},"source":${sourceJson(op, transaction)},"transaction":null,` +
      `"op":"${op}",${timesJson(this.#micros + 300_000)}}`
    this.#emit(id, value, headers)
  }

  #emit(id: bigint, value: string | null, headers: RecordToWrite['headers']): void {
    const record = {
      partition: Number(id % BigInt(this.#plan.partitions)),
      timestampMs: Math.floor(this.#micros / 1_000) + 310,
      key: keyJson(id),
      value,
      headers: [...headers, ...HEADERS],
    }
    this.#writer.append(record)
    this.#recent.push(record)
    if (this.#recent.length > 2 * RESEND_RECORDS) this.#recent = this.#recent.slice(-RESEND_RECORDS)
  }
}

function sourceJson(op: string, { id, sequence, committedAt, lsn }: Transaction): string {
  const last = sequence === null ? 'null' : `\\"${sequence}\\"`
  return (
    `{"version":"3.7.0.Final","connector":"postgresql","name":"shop","snapshot":"${op === 'r'}","db":"shop",` +
    `"sequence":"[${last},\\"${lsn}\\"]","schema":"public","table":"accounts","txId":${id},"lsn":${lsn},` +
    `"xmin":null,"origin":null,"origin_lsn":null,${timesJson(committedAt)}}`
  )
}

function timesJson(micros: number): string {
  return `"ts_ms":${Math.floor(micros / 1_000)},"ts_us":${micros},"ts_ns":${micros}000`
}
