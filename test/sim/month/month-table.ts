import { setImmediate as turn } from 'node:timers/promises'
import { unobserved } from '../../../core/fact.ts'
import type { Clock, Logger } from '../../../core/ports.ts'
import { DEFAULT_CONTRACT } from '../../../schemas/contract.ts'
import { loadSnapshot } from '../../../writers/delta/load-snapshot.ts'
import { writeCommit } from '../../../writers/delta/log-entry.ts'
import { commitPath } from '../../../writers/delta/log-path.ts'
import type { TableLogPorts } from '../../../writers/table-log.ts'
import { TableWriter } from '../../../writers/table-writer.ts'
import { changeEvent, SHOP_ITEMS } from '../../support/change-event.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { countedRandom } from '../../support/test-ports.ts'
import { MonthStore } from './month-store.ts'

export const MONTH_TABLE = 'public/items'

const TOPIC = { topic: 'shop.public.items', partition: 0 }
const NEVER = new AbortController().signal

/** Changes of one commit; one of them is a delete and one an insert, so that the table keeps its size. */
const CHANGES = 4
const HOT_SHARE = 0.8
const HOT_KEYS = 0.1

class PlayClock implements Clock {
  now = Date.UTC(2026, 0, 1)

  nowMs(): number {
    return this.now
  }

  monotonicMs(): number {
    return this.now
  }

  /** Nobody waits for anything here but his turn. */
  async sleep(): Promise<void> {
    await turn()
  }
}

/** One busy table and the process that owns it, from commit to commit. */
export class MonthTable {
  readonly clock = new PlayClock()
  readonly store = new MonthStore(() => this.clock.now)
  readonly warnings: string[] = []
  /** What the source holds, by key. */
  readonly rows = new Map<number, string>()
  readonly #ids: number[] = []
  readonly #random = new SeededRandom(30)
  readonly #ports: TableLogPorts
  #writer!: TableWriter
  #nextId = 0
  #offset = 0

  constructor() {
    const logger: Logger = {
      debug() {},
      info() {},
      error: (_, message) => this.warnings.push(message),
      warn: (fields, message) => this.warnings.push(`${message} ${JSON.stringify(fields)}`),
    }
    const { store, clock } = this
    this.#ports = { store, clock, random: countedRandom(), logger, stepReached() {}, observe: unobserved }
  }

  /** As a process that starts does it; what was known of the table before is forgotten. */
  async open(): Promise<void> {
    this.#writer = await TableWriter.open(this.#ports, {
      pipeline: 'p',
      table: SHOP_ITEMS,
      contract: { ...DEFAULT_CONTRACT, name: 'public.items', changeFeed: 'full', replicaIdentity: 'full' },
      path: MONTH_TABLE,
      isOrdered: true,
    })
  }

  /** @param rows that the table holds from its first day to its last */
  async fill(rows: number): Promise<void> {
    for (let i = 0; i < rows; i++) this.#insert()
    await this.#flush()
  }

  /** ALTER TABLE SET TBLPROPERTIES, by somebody else. */
  async keep(hours: { readonly log: number; readonly files: number }): Promise<void> {
    const { version, metadata } = (await loadSnapshot(this.store, MONTH_TABLE))!
    const configuration = {
      ...metadata.configuration,
      'delta.logRetentionDuration': `interval ${hours.log} hours`,
      'delta.deletedFileRetentionDuration': `interval ${hours.files} hours`,
    }
    const entry = writeCommit([
      { kind: 'commitInfo', timestamp: this.clock.now, engineInfo: 'stranger', txnId: 'stranger' },
      { ...metadata, configuration },
    ])
    await this.store.putIfAbsent('log.put', commitPath(MONTH_TABLE, version + 1), entry)
  }

  /** What comes in within one step of the cadence, and then what the background does. */
  async step(cadenceMs: number): Promise<void> {
    this.clock.now += cadenceMs
    this.#delete()
    this.#insert()
    for (let i = 2; i < CHANGES; i++) this.#update()
    await this.#flush()
    await this.#writer.upkeepWhenDue()
    while ((await this.#writer.mergeWhenDue(NEVER)) !== null);
  }

  #flush(): Promise<unknown> {
    return this.#writer.flush([{ ...TOPIC, nextOffset: BigInt(this.#offset) }])
  }

  #insert(): void {
    const id = this.#nextId++
    this.#ids.push(id)
    this.#change(id, this.#newValue())
  }

  #update(): void {
    this.#change(this.#ids[this.#place()]!, this.#newValue())
  }

  #delete(): void {
    const place = this.#place()
    const id = this.#ids[place]!
    this.#ids[place] = this.#ids.at(-1)!
    this.#ids.pop()
    this.#change(id, null)
  }

  #change(id: number, v: string | null): void {
    const known = this.rows.get(id)
    if (v === null) this.rows.delete(id)
    else this.rows.set(id, v)
    const offset = this.#offset++
    const before = known === undefined ? null : { id: BigInt(id), v: known }
    const after = v === null ? null : { id: BigInt(id), v }
    this.#writer.add(changeEvent({ ...TOPIC, offset, position: 1000 + offset, before, after }))
  }

  /** Most changes hit a few keys. */
  #place(): number {
    const among = this.#random.chance(HOT_SHARE) ? HOT_KEYS : 1
    return this.#random.below(Math.ceil(this.#ids.length * among))
  }

  #newValue(): string {
    return `${this.#random.next()} ${this.#random.next()} ${this.#random.next()}`
  }
}
