import type { SeededRandom } from '../support/seeded-random.ts'
import { type Debezium, UNAVAILABLE } from './debezium.ts'
import type { Effect, Place, Row } from './history.ts'
import { pick, type TablePlan } from './table-plan.ts'
import { rowText } from './table-truth.ts'

/** Room in the log for one transaction. */
const TX_BYTES = 1000
const IDS = 14
const SUBS = ['a', 'b']

/** A change before its transaction commits. */
interface Draft {
  readonly table: SourceTable
  readonly op: 'c' | 'u' | 'd' | 't'
  readonly before: Row | null
  readonly after: Row | null
  /** Changes of one log record (a COPY, both halves of a key change) share its LSN. */
  readonly recordNumber: number
  /** The row under its other key. */
  readonly partner?: Row
  /** It meets a key that has a new owner in the same transaction: the row that still had to leave. */
  readonly leavesLate?: boolean
}

interface SourceTable {
  readonly plan: TablePlan
  rows: Row[]
  hasExtra: boolean
  wasTruncated: boolean
}

/** A made-up Postgres: what people do to it, one transaction after the other, and what its connector makes of it. */
export class SourceDatabase {
  readonly tables: readonly SourceTable[]
  readonly #busy: readonly SourceTable[]
  readonly #debezium: Debezium
  readonly #random: SeededRandom
  readonly #garbage: number
  #open: Draft[] = []
  #records = 0
  #transactions = 0
  #lastTouched = new Set<string>()
  #lastTruncated = false
  #nextBagId = 0

  /** @param garbage share of steps */
  constructor(plans: readonly TablePlan[], debezium: Debezium, random: SeededRandom, garbage: number) {
    this.tables = plans.map((plan) => ({ plan, rows: [], hasExtra: false, wasTruncated: false }))
    this.#busy = this.tables.filter(({ plan }) => !plan.isIdle)
    this.#debezium = debezium
    this.#random = random
    this.#garbage = garbage
  }

  /** The rows that the connector finds when it starts. */
  firstSnapshot(): void {
    for (const table of this.#busy) {
      for (let i = this.#random.below(8); i > 0; i--) {
        const row = this.#newRow(table)
        if (row === null) continue
        table.rows.push(row)
        this.#read(table, row)
      }
    }
  }

  /** What a reader sees who comes now: all that is told so far, and nothing that comes. */
  momentOf(plan: TablePlan): {
    readonly snapshot: string
    readonly lsn: number
    readonly rows: readonly Row[]
  } {
    const next = this.#transactions + 1
    const { rows } = this.tables.find((table) => table.plan === plan)!
    return { snapshot: `${next}:${next}:`, lsn: this.#lsnNow(), rows }
  }

  /** Above all that is told so far, and below all that comes. */
  #lsnNow(): number {
    return TX_BYTES * (this.#transactions + 1) + TX_BYTES - 2
  }

  /** One transaction, or what happens between two. */
  step(): void {
    const table = pick(this.#random, this.tables)
    if (table.plan.isIdle) {
      this.#debezium.heartbeat(table.plan)
      return
    }
    if (this.#random.chance(this.#garbage)) {
      this.#debezium.garbage(table.plan)
      return
    }
    const dice = this.#random.next()
    if (dice < 0.06) this.#resend()
    else if (dice < 0.14) this.#debezium.heartbeat(table.plan)
    else if (dice < 0.17) this.#readAgain(table)
    else if (dice < 0.19) table.hasExtra = true
    else if (dice < 0.22 && table.plan.truncates) this.#truncate(table)
    else this.#transaction()
  }

  /**
   * Not where strangers delete rows: an event at the very end of what was applied whose key is absent is a new one by
   * design §3.1, so one that is sent again would bring back what a stranger deleted.
   */
  #resend(): void {
    if (this.tables.some(({ plan }) => plan.strangers === 'change rows')) return
    this.#debezium.resend(1 + this.#random.below(25))
  }

  #transaction(): void {
    const size = this.#random.chance(0.08) ? 10 + this.#random.below(30) : 1 + this.#random.below(5)
    let table = pick(this.#random, this.#busy)
    for (let i = 0; i < size; i++) {
      if (this.#random.chance(0.2)) table = pick(this.#random, this.#busy)
      this.#change(table)
    }
    this.#commit()
  }

  #change(table: SourceTable): void {
    const dice = this.#random.next()
    const row = table.rows[this.#random.below(Math.max(1, table.rows.length))]
    const moves = isKeyed(table.plan) && canTellMoves(table.plan)
    if (row === undefined || dice < 0.35) this.#insert(table)
    else if (dice < 0.42) this.#copyIn(table)
    else if (dice < 0.72) this.#update(table, row)
    else if (dice < 0.88) this.#log({ table, op: 'd', before: row, after: null })
    else if (dice < 0.95 && moves) this.#move(table, row)
    else if (moves) this.#swap(table, row)
  }

  #insert(table: SourceTable): void {
    const row = this.#newRow(table)
    if (row !== null) this.#log({ table, op: 'c', before: null, after: row })
  }

  #copyIn(table: SourceTable): void {
    const record = this.#records
    for (let i = 0; i < 2 + this.#random.below(4); i++) {
      this.#records = record
      this.#insert(table)
    }
    this.#records = record + 1
  }

  #update(table: SourceTable, row: Row): void {
    const after = this.#changed(table, row)
    if (!table.plan.touches && rowText(after) === rowText(row)) return
    this.#log({ table, op: 'u', before: row, after })
  }

  #move(table: SourceTable, row: Row): void {
    const key = this.#unusedKey(table)
    if (key !== null) this.#moveTo(table, row, { ...row, ...key })
  }

  /** `update … set id = a + b - id where id in (a, b)`, keys checked at commit. */
  #swap(table: SourceTable, left: Row): void {
    const right = pick(this.#random, table.rows)
    // Only whole rows tell which of the two leaves; and the copy must know that they are whole.
    if (table.plan.contract.replicaIdentity !== 'full' || left === right) return
    const withoutKey = (row: Row) => rowText({ ...row, ...keyOf(table.plan, left) })
    if (withoutKey(left) === withoutKey(right)) return
    this.#moveTo(table, left, { ...left, ...keyOf(table.plan, right) })
    this.#moveTo(table, right, { ...right, ...keyOf(table.plan, left) }, true)
  }

  #moveTo(table: SourceTable, row: Row, moved: Row, leavesLate = false): void {
    const record = this.#records
    this.#log({ table, op: 'd', before: row, after: null, partner: moved, leavesLate })
    this.#records = record
    this.#log({ table, op: 'c', before: null, after: moved, partner: row })
  }

  #log(draft: Omit<Draft, 'recordNumber'>): void {
    const { table, before, after } = draft
    this.#open.push({ ...draft, recordNumber: this.#records++ })
    if (before !== null) table.rows = table.rows.filter((row) => row !== before)
    if (after !== null) table.rows = [...table.rows, after]
  }

  #truncate(table: SourceTable): void {
    this.#log({ table, op: 't', before: null, after: null })
    table.rows = []
    table.wasTruncated = true
    this.#commit()
  }

  /** Changes are told when their transaction commits, each after the commit before; it may have begun before that. */
  #commit(): void {
    const drafts = this.#open
    this.#open = []
    this.#records = 0
    if (drafts.length === 0) return
    const touched = new Set(drafts.flatMap(touchedBy))
    const overlaps = [...touched].some((each) => this.#lastTouched.has(each))
    const truncates = drafts.some(({ op }) => op === 't')
    // A TRUNCATE locks the whole table; a commit waits for nobody else.
    const mayOverlap = this.#transactions > 1 && !overlaps && !truncates && !this.#lastTruncated
    const isEarly = mayOverlap && this.#random.chance(0.3)
    const tx = ++this.#transactions
    const base = TX_BYTES * (tx + 1)
    const firstLsn = isEarly ? base - TX_BYTES + 1 : base + TX_BYTES / 2
    for (const draft of drafts) {
      const lsn = firstLsn + draft.recordNumber
      this.#tell(draft, [tx === 1 ? lsn : base - 1, lsn], tx)
      // Connect is killed in the middle of it: the tail comes again, then the rest.
      if (this.#random.chance(0.01)) this.#resend()
    }
    this.#lastTouched = touched
    this.#lastTruncated = truncates
  }

  #tell(draft: Draft, place: Place, tx: number): void {
    const { table, op, before, after, partner } = draft
    const { plan } = table
    const key = op === 't' || !isKeyed(plan) ? null : keyOf(plan, after ?? before!)
    const other = partner === undefined ? undefined : keyOf(plan, partner)
    const whole = (row: Row): Row => (table.hasExtra ? { extra: null, ...row } : row)
    this.#debezium.tell({
      table: plan,
      op,
      shard: this.#shardOf(after ?? before),
      key,
      before:
        before === null ? null : plan.full ? whole(before) : op === 'd' ? fillers(plan, whole(before)) : null,
      after: after === null ? null : whole(this.#sentOf(draft, after)),
      place,
      isFirst: tx === 1,
      tx,
      effect: effectOf(draft, place),
      ...(other === undefined ? {} : op === 'd' ? { newKey: other } : { oldKey: other }),
    })
  }

  /** What is stored out of line and did not change need not be sent, where the copy can know it. */
  #sentOf({ table, op, before, partner }: Draft, after: Row): Row {
    const old = op === 'u' ? before : (partner ?? null)
    const canLeaveOut =
      table.plan.toast &&
      old !== null &&
      old['big'] !== null &&
      old['big'] === after['big'] &&
      this.#isSamePlace(table.plan, old, after)
    return canLeaveOut ? { ...after, big: UNAVAILABLE } : after
  }

  /** Between partitions there is no order: the row under the old key may not have been read yet. */
  #isSamePlace(plan: TablePlan, a: Row, b: Row): boolean {
    const [left, right] = [a, b].map((row) => this.#debezium.targetOf(plan, this.#shardOf(row)))
    return left!.topic === right!.topic && left!.partition === right!.partition
  }

  #shardOf(row: Row | null): number {
    return Number(row?.['id'] ?? 0)
  }

  /** Rows are read once more, as they are now, in the middle of the stream. */
  #readAgain(table: SourceTable): void {
    if (!table.plan.reads || table.wasTruncated) return
    for (const row of table.rows) if (this.#random.chance(0.6)) this.#read(table, row)
  }

  #read(table: SourceTable, row: Row): void {
    const { plan } = table
    const lsn = this.#lsnNow()
    this.#debezium.tell({
      table: plan,
      op: 'r',
      shard: this.#shardOf(row),
      key: isKeyed(plan) ? keyOf(plan, row) : null,
      before: null,
      after: table.hasExtra ? { extra: null, ...row } : row,
      place: [0, lsn],
      isFirst: false,
      tx: this.#transactions,
      effect: readEffect(plan, row, lsn),
    })
  }

  #newRow(table: SourceTable): Row | null {
    const key = isKeyed(table.plan) ? this.#unusedKey(table) : { id: this.#bagId() }
    if (key === null) return null
    return this.#changed(table, { ...key, n: 0, txt: 'new', big: bigText('first') })
  }

  /** Few ids, so that equal rows are many. */
  #bagId(): number {
    return this.#random.chance(0.4) ? this.#nextBagId++ : this.#random.below(4)
  }

  #unusedKey({ plan, rows }: SourceTable): Row | null {
    const id = this.#random.below(IDS)
    const key: Row = plan.kind === 'composite' ? { id, sub: pick(this.#random, SUBS) } : { id }
    const text = rowText(key)
    return rows.some((row) => rowText(keyOf(plan, row)) === text) ? null : key
  }

  #changed({ hasExtra }: SourceTable, row: Row): Row {
    const below = (n: number) => this.#random.below(n)
    const chance = (probability: number) => this.#random.chance(probability)
    const changed: Record<string, number | string | null> = { ...row }
    if (chance(0.7)) changed['n'] = below(5)
    if (chance(0.3)) changed['txt'] = ['x', '', null, 'größer'][below(4)]!
    if (chance(0.2)) changed['big'] = chance(0.2) ? null : bigText(`text ${below(4)}`)
    if (hasExtra && chance(0.5)) changed['extra'] = below(100)
    return changed
  }
}

export function isKeyed({ kind }: TablePlan): boolean {
  return kind === 'keyed' || kind === 'composite'
}

export function keyOf({ kind }: TablePlan, row: Row): Row {
  return kind === 'composite' ? { id: row['id']!, sub: row['sub']! } : { id: row['id']! }
}

/** All keys that rows of a table can ever have. */
export function keysOf({ kind }: TablePlan): Row[] {
  const ids = Array.from({ length: IDS }, (_, id) => id)
  return kind === 'composite'
    ? ids.flatMap((id) => SUBS.map((sub) => ({ id, sub })))
    : ids.map((id) => ({ id }))
}

/**
 * Between partitions there is no order: a row can move in over one that a TRUNCATE has yet to take, and if that one is
 * equal to it in every column, what leaves the key next can be either.
 */
function canTellMoves({ truncates, topics, partitions }: TablePlan): boolean {
  return !truncates || topics.length * partitions === 1
}

/** Long enough to be stored out of line. */
function bigText(text: string): string {
  return text.padEnd(300, '.')
}

/** Under `REPLICA IDENTITY DEFAULT`: the key, and what means nothing. */
function fillers(plan: TablePlan, row: Row): Row {
  return { ...Object.fromEntries(Object.keys(row).map((name) => [name, null])), ...keyOf(plan, row) }
}

function effectOf({ table: { plan }, op, before, after, leavesLate }: Draft, place: Place): Effect | null {
  const [, lsn] = place
  if (plan.kind === 'append') return { kind: 'entry', op, row: after ?? toldBefore(plan, before) ?? {} }
  if (op === 't') return { kind: 'truncate', place }
  if (plan.kind === 'bag') return { kind: 'exchange', gone: before, come: after, place, lsn }
  if (leavesLate) return null
  const key = rowText(keyOf(plan, after ?? before!))
  return after === null ? { kind: 'remove', key, place } : { kind: 'put', key, row: after, place, lsn }
}

function readEffect(plan: TablePlan, row: Row, lsn: number): Effect {
  if (plan.kind === 'append') return { kind: 'entry', op: 'r', row }
  if (plan.kind === 'bag') return { kind: 'exchange', gone: null, come: row, place: null, lsn }
  return { kind: 'put', key: rowText(keyOf(plan, row)), row, place: null, lsn }
}

function toldBefore(plan: TablePlan, before: Row | null): Row | null {
  return before === null || plan.full ? before : fillers(plan, before)
}

function touchedBy({ table: { plan }, before, after }: Draft): string[] {
  const nameOf = (row: Row | null) => (row === null ? [] : [`${plan.name} ${String(row['id'])}`])
  return [...nameOf(before), ...nameOf(after)]
}
