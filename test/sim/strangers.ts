import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import { ForeignWriter } from '../support/foreign-writer.ts'
import type { SeededRandom } from '../support/seeded-random.ts'
import type { Row } from './history.ts'
import type { SimLake } from './sim-lake.ts'
import type { TablePlan } from './table-plan.ts'
import type { TableTruth } from './table-truth.ts'

/** Rows of strangers have ids that the source never has. */
const FIRST_ID = 1_000_000

/** What a stranger's commit means for the truth of its table. */
export type StrangerEffect = (truth: TableTruth) => void

/** Other programs that write our tables, by the rules. */
export class Strangers {
  /** Of commits that the checker has not seen yet, by path of the table, in order. */
  readonly effects = new Map<string, StrangerEffect[]>()
  readonly #lake: SimLake
  readonly #random: SeededRandom
  readonly #writers = new Map<string, ForeignWriter>()
  #nextId = FIRST_ID

  constructor(lake: SimLake, random: SeededRandom) {
    this.#lake = lake
    this.#random = random
  }

  /** One commit on a table. Nothing, when there is no table yet. */
  async act(table: TablePlan, path: string): Promise<void> {
    if (table.strangers === 'none' || !this.#lake.has(`${path}/_delta_log/${'0'.repeat(20)}.json`)) return
    const writer = this.#writerOf(path)
    // Without a key, a delete whose row is not there waits for a row that comes late: a stranger must not take it away.
    const deletes = table.kind === 'bag' ? 0 : 1
    const dice = this.#random.below(table.strangers === 'rearrange' ? 2 : 3 + deletes)
    if (dice === 0)
      await this.#note(
        path,
        () => {},
        () => writer.optimize(),
      )
    else if (dice === 1) {
      const set = () => writer.setProperty('stranger.note', String(this.#random.below(100)))
      await this.#note(path, () => {}, set)
    } else if (dice === 2) await this.#insert(table, path, writer)
    else await this.#delete(path, writer)
  }

  async #insert({ kind }: TablePlan, path: string, writer: ForeignWriter): Promise<void> {
    const id = this.#nextId++
    const known = new Set((await loadSnapshot(this.#lake, path))!.schema.fields.map(({ name }) => name))
    // The source may have begun to fill a column that the table does not have yet.
    const txt = known.has('txt') ? { txt: 'from a stranger' } : {}
    const rest = { ...txt, ...(kind === 'composite' ? { sub: 'a' } : {}) }
    const row: Row = { id, ...rest }
    const stored = { id: BigInt(id), ...rest }
    await this.#note(
      path,
      (truth) => truth.insert(row),
      () => writer.insert(stored),
    )
  }

  async #delete(path: string, writer: ForeignWriter): Promise<void> {
    const rest = this.#random.below(3)
    // As in SQL: an entry without an id (a TRUNCATE) is never meant.
    const isGone = ({ id }: { readonly id?: unknown }) => id != null && Number(id) % 3 === rest
    const gone = (row: Readonly<Record<string, unknown>>) => isGone(row as { readonly id?: unknown })
    await this.#note(
      path,
      (truth) => truth.delete(gone),
      () => writer.deleteWhere(gone),
    )
  }

  async #note(path: string, effect: StrangerEffect, commit: () => Promise<void>): Promise<void> {
    const effects = this.effects.get(path) ?? []
    this.effects.set(path, effects)
    effects.push(effect)
    await commit()
  }

  #writerOf(path: string): ForeignWriter {
    const writer = this.#writers.get(path) ?? new ForeignWriter(this.#lake, path)
    this.#writers.set(path, writer)
    return writer
  }
}
