import type { ChangeEvent, Operation } from '../../schemas/change-event.ts'
import { UNAVAILABLE } from '../../schemas/delta-types.ts'
import { type ColumnTypes, changeEvent, type Values } from './change-event.ts'
import { SeededRandom } from './seeded-random.ts'

/** One row of the made-up table; `big` is the column that a source may leave out when it did not change. */
export type SourceRow = Readonly<Record<'id' | 'n', number>> & {
  readonly grp: string | null
  readonly big: string | null
}

export const SOURCE_COLUMNS: ColumnTypes = { id: 'integer', grp: 'string', n: 'integer', big: 'string' }

/** What somebody does to the source. A step that cannot be done (no such row) does nothing. */
export interface Step {
  readonly act:
    | 'insert'
    | 'update'
    | 'touch'
    | 'delete'
    | 'move'
    | 'swap'
    | 'copy'
    | 'truncate'
    | 'read'
    | 'resend'
  /** Chooses a row, a key, a count. */
  readonly a: number
  readonly b: number
  /** In the transaction of the step before. */
  readonly joins: boolean
  /** Its transaction began before the one before it, and commits after it. */
  readonly early: boolean
  /** Values that did not change are left out where the source may. */
  readonly toast: boolean
}

export interface SourceOptions {
  readonly partitions: number
  readonly keyed: boolean
  /** `REPLICA IDENTITY FULL`. */
  readonly full: boolean
  /** Chooses how the partitions are read side by side. */
  readonly seed: number
}

export interface Recording {
  /** In the order in which the topic's partitions were read. */
  readonly events: readonly ChangeEvent[]
  /** What the source holds at the end. */
  readonly rows: readonly SourceRow[]
  /** Changes that were sent, each once, in the order of their commits. */
  readonly changes: readonly Sent[]
}

/** An event before it has an offset. */
export interface Sent {
  readonly op: Operation
  readonly partition: number
  readonly before: Values | null
  readonly after: Values | null
  readonly position: readonly [seq: number, lsn: number] | null
  readonly lsn: number | null
  readonly tx: number | null
  /** Source time, microseconds. */
  readonly time: number
  readonly newKey: Values | null
  readonly oldKey: Values | null
}

/** Characters of a text that is stored out of line. */
const LONG = 300

export function longText(text: string): string {
  return text.padEnd(LONG, '.')
}

const SLOT_LSN = 1000
/** Room in the log for one transaction. */
const TX_BYTES = 1000

/** Plays the steps against a made-up Postgres and records what Debezium would send. */
export function record(
  initial: readonly SourceRow[],
  steps: readonly Step[],
  options: SourceOptions,
): Recording {
  const source = new MadeUpSource(initial, options)
  for (const step of steps) source.play(step)
  source.commit()
  return {
    events: readSideBySide(source.topic, options),
    rows: source.rows,
    changes: source.topic.slice(0, initial.length).concat(source.history),
  }
}

interface Draft {
  readonly op: Operation
  readonly before: SourceRow | null
  readonly after: SourceRow | null
  readonly moves: boolean
  readonly toast: boolean
  /** Events of one log record (a COPY, both halves of a key change) share its LSN. */
  readonly recordNumber: number
}

class MadeUpSource {
  readonly topic: Sent[] = []
  /** Streamed events as they were sent first. */
  readonly history: Sent[] = []
  readonly #options: SourceOptions
  #rows: SourceRow[]
  #open: Draft[] = []
  #openIsEarly = false
  #records = 0
  #lastTouched = new Set<number>()
  #transactions = 0
  #tail = 0
  #restartAfter = -1

  constructor(initial: readonly SourceRow[], options: SourceOptions) {
    this.#options = options
    this.#rows = [...initial]
    for (const row of initial) this.#sendSnapshotRow(row, SLOT_LSN)
  }

  get rows(): readonly SourceRow[] {
    return this.#rows
  }

  play(step: Step): void {
    if (!step.joins || ALONE.has(step.act)) this.commit()
    if (this.#open.length === 0) this.#openIsEarly = step.early
    const row = this.#rows[step.a % Math.max(1, this.#rows.length)]
    if (step.act === 'insert') this.#insert(step.a, step.b)
    else if (step.act === 'copy') this.#copy(step)
    else if (step.act === 'truncate') this.#truncate()
    else if (step.act === 'swap') this.#swap(step)
    else if (step.act === 'resend') this.#resend(step)
    else if (row !== undefined) this.#playOn(row, step)
  }

  #playOn(row: SourceRow, step: Step): void {
    if (step.act === 'update') this.#replace(row, changed(row, step.b), step)
    else if (step.act === 'touch') this.#replace(row, { ...row }, step)
    else if (step.act === 'delete') this.#log('d', row, null)
    else if (step.act === 'move') this.#move(row, step)
    else if (step.act === 'read') this.#sendSnapshotRow(row, null)
  }

  /** Events of a transaction are sent when it commits, each after the commit of the transaction before. */
  commit(): void {
    const drafts = this.#open
    if (drafts.length === 0) return
    this.#open = []
    const touched = new Set(drafts.flatMap(({ before, after }) => [before?.id ?? -1, after?.id ?? -1]))
    const isEarly =
      this.#openIsEarly && this.#transactions > 1 && canOverlap(drafts, touched, this.#lastTouched)
    const transaction = ++this.#transactions
    const base = SLOT_LSN + TX_BYTES * transaction
    const firstLsn = isEarly ? base - TX_BYTES + 1 : base + TX_BYTES / 2
    const previousCommit = transaction === 1 ? null : base - 1
    for (const [i, draft] of drafts.entries()) {
      const lsn = firstLsn + draft.recordNumber
      this.#send(draft, [previousCommit ?? lsn, lsn], transaction)
      if (i === this.#restartAfter) this.#sendTailAgain()
    }
    this.#restartAfter = -1
    this.#records = 0
    this.#lastTouched = drafts.some(({ op }) => op === 't') ? EVERYTHING : touched
  }

  #truncate(): void {
    this.#log('t', null, null)
    this.#rows = []
    this.commit()
  }

  #insert(a: number, b: number): void {
    const id = a % 12
    if (this.#options.keyed && this.#rows.some((row) => row.id === id)) return
    this.#log('c', null, changed({ id, grp: 'a', n: 0, big: longText('first') }, b))
  }

  #copy({ a, b }: Step): void {
    const record = this.#records
    for (let i = 0; i < 2 + (b % 3); i++) {
      this.#records = record
      this.#insert(a + i, b)
    }
    this.#records = record + 1
  }

  #replace(row: SourceRow, next: SourceRow, { toast }: Step): void {
    this.#log('u', row, next, { toast })
  }

  #move(row: SourceRow, { b, toast }: Step): void {
    if (!this.#options.keyed) return
    const id = b % 12
    if (this.#rows.some((other) => other.id === id)) return
    this.#moveTo(row, { ...row, id }, toast)
  }

  /** `update set id = a + b - id where id in (a, b)`, keys checked at commit. */
  #swap({ a, b }: Step): void {
    if (!this.#options.full || !this.#options.keyed) return
    const [left, right] = [this.#rows[a % this.#rows.length], this.#rows[b % this.#rows.length]]
    if (!left || !right || left === right) return
    this.#moveTo(left, { ...left, id: right.id }, false)
    this.#moveTo(right, { ...right, id: left.id }, false)
  }

  #moveTo(row: SourceRow, moved: SourceRow, toast: boolean): void {
    const record = this.#records
    this.#log('d', row, null, { moves: true }, moved)
    this.#records = record
    this.#log('c', null, moved, { moves: true, toast }, row)
  }

  readonly #partnerOf = new Map<Draft, SourceRow>()

  #log(
    op: Operation,
    before: SourceRow | null,
    after: SourceRow | null,
    more: { readonly moves?: boolean; readonly toast?: boolean } = {},
    partner?: SourceRow,
  ): void {
    const draft: Draft = {
      op,
      before,
      after,
      moves: more.moves ?? false,
      toast: more.toast ?? false,
      recordNumber: this.#records++,
    }
    if (partner) this.#partnerOf.set(draft, partner)
    this.#open.push(draft)
    if (before !== null) this.#rows = this.#rows.filter((row) => row !== before)
    if (after !== null) this.#rows = [...this.#rows, after]
  }

  #send(draft: Draft, position: readonly [number, number], tx: number): void {
    const { op, before, after } = draft
    const { full, keyed } = this.#options
    const partner = this.#partnerOf.get(draft) ?? null
    const told = full || !keyed ? before : op === 'd' ? keyOnly(before!) : null
    const old = op === 'u' ? before : op === 'c' && draft.moves ? partner : null
    const leavesOut =
      draft.toast &&
      !full &&
      keyed &&
      isOutOfLine(after) &&
      old?.big === after?.big &&
      this.#canLeaveOut(old, after)
    const sent: Sent = {
      op,
      partition: op === 't' ? 0 : this.#partitionOf((after ?? before)!.id),
      before: told as Values | null,
      after: (after === null
        ? null
        : { ...after, ...(leavesOut ? { big: UNAVAILABLE } : {}) }) as Values | null,
      position,
      lsn: position[1],
      tx,
      time: tx * TX_BYTES,
      newKey: op === 'd' && partner !== null ? { id: partner.id } : null,
      oldKey: op === 'c' && partner !== null ? { id: partner.id } : null,
    }
    this.topic.push(sent)
    this.history.push(sent)
  }

  /** Between partitions there is no order: the row under the old key may not have been read yet. */
  #canLeaveOut(old: SourceRow | null, after: SourceRow | null): boolean {
    return old !== null && after !== null && this.#partitionOf(old.id) === this.#partitionOf(after.id)
  }

  #sendSnapshotRow(row: SourceRow, lsn: number | null): void {
    this.topic.push({
      op: 'r',
      partition: this.#partitionOf(row.id),
      before: null,
      after: row as unknown as Values,
      position: null,
      lsn,
      tx: null,
      time: this.#transactions * TX_BYTES,
      newKey: null,
      oldKey: null,
    })
  }

  /** Connect restarts, now or in the middle of the next transaction. */
  #resend({ a, b, joins }: Step): void {
    this.#tail = 1 + (a % 8)
    if (joins) this.#restartAfter = b % 3
    else this.#sendTailAgain()
  }

  /** Connect's offsets were behind: the tail comes again, byte for byte. */
  #sendTailAgain(): void {
    for (let from = Math.max(0, this.history.length - this.#tail); from >= 0; from--) {
      const tail = this.history.slice(from)
      if (this.#options.keyed || showsThatItIsOld(tail)) {
        this.topic.push(...tail)
        return
      }
    }
  }

  #partitionOf(id: number): number {
    return id % this.#options.partitions
  }
}

/** Of rows without a key, an insert that comes again at once cannot be told from one more of the same COPY. */
function showsThatItIsOld(tail: readonly Sent[]): boolean {
  const lsns = new Map<number, Set<number>>()
  const begins = new Map<number, Operation>()
  for (const { partition, position, op } of tail) {
    const seen = lsns.get(partition) ?? new Set()
    lsns.set(partition, seen.add(position![1]))
    if (!begins.has(partition)) begins.set(partition, op)
  }
  return [...lsns].every(([partition, seen]) => seen.size > 1 || begins.get(partition) !== 'c')
}

const ALONE: ReadonlySet<Step['act']> = new Set(['truncate', 'read', 'resend'])

const EVERYTHING = new Set(Array.from({ length: 12 }, (_, id) => id))

/** Row locks, and the lock of a TRUNCATE, keep transactions that touch the same rows apart. */
function canOverlap(drafts: readonly Draft[], touched: Set<number>, other: Set<number>): boolean {
  return !drafts.some(({ op }) => op === 't') && ![...touched].some((id) => other.has(id))
}

function changed(row: SourceRow, b: number): SourceRow {
  return {
    ...row,
    n: b % 2 === 0 ? row.n + 1 : row.n,
    grp: b % 3 === 0 ? ['a', 'b', null][(b % 7) % 3]! : row.grp,
    big: b % 5 === 0 ? [longText(`text ${b % 4}`), null, ''][b % 3]! : row.big,
  }
}

function isOutOfLine(row: SourceRow | null): boolean {
  return (row?.big?.length ?? 0) > LONG / 2
}

/** Under `REPLICA IDENTITY DEFAULT` the columns that are not the key hold null, or a filler where they are `not null`. */
function keyOnly(row: SourceRow): Values {
  return { id: row.id, grp: null, n: 0, big: '' }
}

/** Each partition in its own order, the partitions in any. */
function readSideBySide(topic: readonly Sent[], { partitions, keyed, seed }: SourceOptions): ChangeEvent[] {
  const random = new SeededRandom(seed)
  const queues = Array.from({ length: partitions }, (_, p) => topic.filter((sent) => sent.partition === p))
  const next = queues.map(() => 0)
  const offset = queues.map(() => 0)
  const events: ChangeEvent[] = []
  for (;;) {
    const ready = queues.flatMap((queue, p) => (next[p]! < queue.length ? [p] : []))
    if (ready.length === 0) return events
    const p = ready[random.below(ready.length)]!
    for (let burst = 1 + random.below(6); burst > 0 && next[p]! < queues[p]!.length; burst--) {
      const sent = queues[p]![next[p]!++]!
      offset[p]! += 1 + random.below(2)
      events.push(
        changeEvent({
          ...sent,
          columns: SOURCE_COLUMNS,
          key: keyed ? ['id'] : null,
          partition: p,
          offset: offset[p]!,
        }),
      )
    }
  }
}
