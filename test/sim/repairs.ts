import { EngineError } from '../../core/errors.ts'
import type { Column, RowKey } from '../../schemas/change-event.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import { AskedOwner } from '../../src/cli/asked-owner.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import type { MomentRow } from '../../writers/moment-rows.ts'
import { rowShape } from '../../writers/table/table-layout.ts'
import { readSourceIdentity } from '../../writers/table-properties.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import type { LakeCheck } from './check-lake.ts'
import type { TableCheck } from './check-table.ts'
import type { Place, Row } from './history.ts'
import { dice, EPOCH_MS } from './sim-process.ts'
import { isKeyed, keyOf, keysOf, type SourceDatabase } from './source-database.ts'
import { pick } from './table-plan.ts'
import { rowText } from './table-truth.ts'
import type { World } from './world.ts'

/** How often a world has somebody who repairs. */
const SHARE = 0.3
const ANSWER_MS = 60_000
const POLL_MS = 200
/** An engine may be on its way up again. */
const AGAIN_MS = 5000

/** Rows of one moment of the source that a table was given. */
export interface GivenMoment {
  /** By the text of the key; `null`: the moment has no such row. */
  readonly rows: ReadonlyMap<string, Row | null>
  /** Whether the moment does not see what happened there. */
  isBefore(place: Place): boolean
}

/**
 * `dq run --repair` on a machine of its own, where all goes well: now and then it gives the owner of a table rows as the
 * source has them, of keys that differ and of keys that do not.
 */
export class Repairs {
  readonly #world: World
  readonly #source: SourceDatabase
  /** Its own dice: a world goes on as it would, but for what is asked of its engines. */
  readonly #random: SeededRandom
  readonly #check: LakeCheck
  readonly #tables: readonly TableCheck[]
  readonly #never = new AbortController()

  /** @returns `null`: nobody repairs in this world */
  static inWorldOf(seed: number, world: World, source: SourceDatabase, check: LakeCheck): Repairs | null {
    const random = new SeededRandom(seed ^ 0x4e9a14)
    return random.chance(SHARE) ? new Repairs(world, source, random, check) : null
  }

  private constructor(world: World, source: SourceDatabase, random: SeededRandom, check: LakeCheck) {
    this.#world = world
    this.#source = source
    this.#random = random
    this.#check = check
    this.#tables = check.tables.filter(({ plan }) => isKeyed(plan) && !plan.isIdle)
  }

  /** One table after the other, until all is well. */
  async keepOn(): Promise<void> {
    const { scheduler } = this.#world
    for (;;) {
      await scheduler.sleep(6000 * this.#random.next())
      if (this.#world.isCalm || this.#tables.length === 0) return
      await this.#repair(pick(this.#random, this.#tables), 0.6)
    }
  }

  /** Brings what is still different, when nothing happens any more: then nothing may be put off for ever. */
  async finish(): Promise<void> {
    for (const table of this.#tables) {
      while (!(await this.#repair(table, 1))) await this.#world.scheduler.sleep(AGAIN_MS)
    }
  }

  /** @param share of all keys there can be. @returns whether each of them is right now */
  async #repair(table: TableCheck, share: number): Promise<boolean> {
    const { lake, trace } = this.#world
    const { path, plan } = table
    const snapshot = await loadSnapshot(lake, path)
    // The source never had a row of it.
    if (snapshot === null) return true
    const source = readSourceIdentity(snapshot.metadata.configuration)!
    const owner = new AskedOwner(
      this.#ports(),
      { name: plan.name, source, pipeline: 'default' },
      this.#options(),
    )
    try {
      const watch = await owner.watch()
      const moment = this.#source.momentOf(plan)
      const all = new Map(moment.rows.map((row) => [rowText(keyOf(plan, row)), row]))
      const keys = keysOf(plan).filter(() => this.#random.chance(share))
      const given = keys.map((key) => [key, all.get(rowText(key)) ?? null] as const)
      await this.#untilHeld(table)
      table.given = {
        rows: new Map(given.map(([key, row]) => [rowText(key), row])),
        isBefore: ([seq]) => seq > moment.lsn,
      }
      const columns = await this.#columnsOf(path)
      const rows = given.map(([key, row]) => momentRow(columns, key, row))
      const report = await owner.give({ watch, snapshot: moment.snapshot, rows })
      trace.note('repair', `${plan.name} at ${moment.snapshot} ${JSON.stringify(report)}`)
      return report.deferred.length === 0
    } catch (error) {
      if (!(error instanceof EngineError) || error.remedy !== 'stop') throw error
      trace.note('repair', `${plan.name}: ${error.message}`)
      return false
    }
  }

  /** Until the table holds all that the source has told so far, or the mark has passed what says nothing of it. */
  async #untilHeld(table: TableCheck): Promise<void> {
    const ends = this.#world.ends()
    const isHeld = () =>
      table.holds(new Map([...ends].filter(([name, end]) => (this.#check.marks.get(name) ?? 0n) < end)))
    while (!isHeld()) await this.#world.scheduler.sleep(POLL_MS)
  }

  async #columnsOf(path: string): Promise<readonly Column[]> {
    const { schema } = (await loadSnapshot(this.#world.lake, path))!
    const columns = schema.fields.filter(({ name }) => !name.startsWith('_cdc_'))
    return columns.map((column) => ({ ...column, hasDefault: false }))
  }

  #options() {
    return { waitMs: ANSWER_MS, signal: this.#never.signal }
  }

  #ports() {
    const { scheduler, lake } = this.#world
    const clock = {
      nowMs: () => EPOCH_MS + Math.floor(scheduler.nowMs) + this.#world.clockJumpMs,
      monotonicMs: () => scheduler.nowMs,
      sleep: (ms: number) => scheduler.sleep(ms),
    }
    return { store: lake, clock, random: dice(this.#random) }
  }
}

function momentRow(columns: readonly Column[], key: Row, row: Row | null): MomentRow {
  const cell = ({ name, type }: Column, from: Row): Cell => {
    const value = from[name] ?? null
    return type === 'long' && value !== null ? BigInt(value) : value
  }
  const ofKey = columns.filter(({ name }) => name in key)
  const rowKey: RowKey = { columns: ofKey, values: ofKey.map((column) => cell(column, key)) }
  if (row === null) return { key: rowKey, image: null }
  return {
    key: rowKey,
    image: { shape: rowShape(columns), cells: columns.map((column) => cell(column, row)) },
  }
}
