import { checkFeed } from './check-feed.ts'
import type { History } from './history.ts'
import { type LogEntry, parseEntry } from './log-replay.ts'
import type { GivenMoment } from './repairs.ts'
import { expectSame, expectThat, SimFailure } from './sim-failure.ts'
import { type Landing, type SimLake, STRANGER } from './sim-lake.ts'
import { isKeyed, keyOf } from './source-database.ts'
import { type StoredRow, StoredTable } from './stored-table.ts'
import type { Strangers } from './strangers.ts'
import type { TablePlan } from './table-plan.ts'
import { rowText, TableTruth } from './table-truth.ts'

const PIPELINE = 'default'
const MOMENT = `alluvium/${PIPELINE}/moment`

/** Follows the log of one table and holds every version against the truth. */
export class TableCheck {
  readonly plan: TablePlan
  readonly path: string
  readonly #stored: StoredTable
  readonly #history: History
  readonly #strangers: Strangers
  #truth = new TableTruth()
  #rows: readonly StoredRow[] = []
  /** Rows that the newest version was told of by a snapshot. */
  #reread: ReadonlySet<string> = new Set()
  #version = -1
  /** Rows of the source itself that it was given last. */
  given: GivenMoment | null = null

  constructor(plan: TablePlan, path: string, lake: SimLake, history: History, strangers: Strangers) {
    this.plan = plan
    this.path = path
    this.#stored = new StoredTable(lake, path)
    this.#history = history
    this.#strangers = strangers
  }

  /** Next offset of a partition, as the newest version tells it. */
  nextOffset(partition: string): bigint {
    return BigInt(this.#stored.txns.get(appId(partition)) ?? 0)
  }

  async follow({ version, bytes, by }: Landing): Promise<void> {
    const where = `${this.plan.name} version ${version} (${by})`
    expectThat(version === this.#version + 1, `${where}: follows ${this.#version}`)
    const entry = parseEntry(bytes)
    const before = new Map(this.#stored.txns)
    this.#stored.apply(entry, where)
    this.#version = version
    if (by === STRANGER) this.#strangers.effects.get(this.path)!.shift()!(this.#truth)
    else this.#advanceTruth(before, entry, where)
    const rows = await this.#stored.rows()
    if (entry.txns.has(MOMENT)) this.#takeGiven(rows, where)
    this.#expectRows(rows, where)
    if (by !== STRANGER) await this.#checkFeed(entry, rows, where)
    this.#rows = rows
  }

  /**
   * What the source has told beyond the newest version, up to these offsets, would change nothing; neither would its
   * first part, which is what a former owner may commit late. A TRUNCATE among it holds for what still comes by other
   * partitions: from now on the mark knows of it, if the table does not.
   */
  expectPassed(upTo: ReadonlyMap<string, bigint>, where: string): void {
    const truth = this.#truth.copy()
    for (const [partition, offset] of upTo) {
      const effects = this.#history.between(this.plan.name, partition, this.nextOffset(partition), offset)
      for (const effect of effects) {
        truth.apply(effect)
        expectSame(`${where}: ${this.plan.name} lacks what was passed`, this.#truth.rows(), truth.rows())
        if (effect.kind === 'truncate') this.#truth.apply(effect)
      }
    }
  }

  /** Whether what the source has told up to these offsets is in it. */
  holds(upTo: ReadonlyMap<string, bigint>): boolean {
    return [...upTo].every(
      ([partition, offset]) =>
        this.#history.between(this.plan.name, partition, this.nextOffset(partition), offset).length === 0,
    )
  }

  /** Texts of the rows that there must be. */
  get truth(): readonly string[] {
    return this.#truth.rows()
  }

  /** The records between the offsets of the last version and those of this one, each once. */
  #advanceTruth(before: ReadonlyMap<string, number>, entry: LogEntry, where: string): void {
    const reread = new Set<string>()
    for (const partition of this.#history.partitions) {
      const name = appId(partition)
      const to = entry.txns.get(name)
      if (to === undefined) continue
      const from = before.get(name) ?? 0
      expectThat(to >= from, `${where}: the offset of ${partition} falls from ${from} to ${to}`)
      const effects = this.#history.between(this.plan.name, partition, BigInt(from), BigInt(to))
      for (const effect of effects) this.#truth.apply(effect)
      for (const effect of effects)
        if (effect.kind === 'put' && effect.place === null) reread.add(rowText(effect.row))
    }
    this.#reread = reread
  }

  /**
   * Rows of a moment bring back what strangers took away. Where nobody changes rows the table has them, or has newer ones;
   * and what the stream has touched since the moment they leave alone.
   */
  #takeGiven(rows: readonly StoredRow[], where: string): void {
    const { plan, given } = this
    expectThat(plan.strangers === 'change rows', `${where}: rows of a moment change what is right`)
    if (given === null) throw new SimFailure(`${where}: nobody gave rows`)
    const stored = new Map(rows.map((row) => [this.#keyOf(row), row.data]))
    for (const [key, row] of given.rows) {
      const before = this.#truth.rowOf(key)
      const text = row === null ? undefined : rowText(row)
      if (stored.get(key) !== text || (before === null ? undefined : rowText(before)) === text) continue
      expectThat(!this.#isTouchedSince(given, key), `${where}: ${key} is older than what the stream has told`)
      this.#truth.repair(key, row)
    }
  }

  #isTouchedSince({ isBefore }: GivenMoment, key: string): boolean {
    return [...this.#history.partitions].some((partition) =>
      this.#history
        .between(this.plan.name, partition, 0n, this.nextOffset(partition))
        .some(
          (effect) =>
            'key' in effect && effect.key === key && effect.place !== null && isBefore(effect.place),
        ),
    )
  }

  #expectRows(rows: readonly StoredRow[], where: string): void {
    const live = rows.filter(({ isMarkedDeleted }) => !isMarkedDeleted)
    expectSame(
      `${where}: rows`,
      live.map(({ data }) => data),
      this.#truth.rows(),
    )
  }

  #keyOf(row: StoredRow): string {
    return rowText(keyOf(this.plan, row.cells as never))
  }

  async #checkFeed(entry: LogEntry, after: readonly StoredRow[], where: string): Promise<void> {
    const { contract } = this.plan
    const rewrites = contract.merge === 'at-once' && contract.changeFeed === 'off'
    await checkFeed({
      where,
      table: this.#stored,
      entry,
      before: this.#rows,
      after,
      keyOf: isKeyed(this.plan) ? (row) => this.#keyOf(row) : null,
      // Whole files are written anew, and nobody asked for a feed; or a snapshot says again what the table holds.
      mayRepeat: ({ data }) => rewrites || this.#reread.has(data),
    })
  }
}

export function appId(partition: string): string {
  return `alluvium/${PIPELINE}/${partition}`
}
