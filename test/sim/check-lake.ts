import { TableCheck } from './check-table.ts'
import type { History, Letter } from './history.ts'
import { parseEntry } from './log-replay.ts'
import { expectSame, expectThat } from './sim-failure.ts'
import type { Landing, SimLake } from './sim-lake.ts'
import { StoredTable } from './stored-table.ts'
import type { Strangers } from './strangers.ts'
import type { TablePlan } from './table-plan.ts'

const MARK_PATH = '_alluvium/default'
const LETTERS_PATH = '_dlq'

/** Holds the whole lake against the truth, entry by entry, whoever wrote it. */
export class LakeCheck {
  readonly tables: readonly TableCheck[]
  readonly #lake: SimLake
  readonly #history: History
  readonly #letters: StoredTable
  readonly #marks = new Map<string, bigint>()
  commits = 0

  constructor(plans: readonly TablePlan[], lake: SimLake, history: History, strangers: Strangers) {
    this.#lake = lake
    this.#history = history
    this.#letters = new StoredTable(lake, LETTERS_PATH)
    this.tables = plans.map((plan) => new TableCheck(plan, pathOf(plan), lake, history, strangers))
  }

  /** Looks at all that has landed since the last time. */
  async follow(): Promise<void> {
    for (const landing of this.#lake.takeLandings()) {
      this.commits++
      await this.#followOne(landing)
    }
  }

  /** How far all tables have passed each partition, as the pipeline's own table says. */
  get marks(): ReadonlyMap<string, bigint> {
    return this.#marks
  }

  /** Nothing is left to do: every record up to these offsets has its effect, or its letter. */
  async expectDone(ends: ReadonlyMap<string, bigint>): Promise<void> {
    for (const table of this.tables) table.expectPassed(ends, 'at the end')
    await this.#expectLetters(ends, 'at the end')
  }

  async #followOne(landing: Landing): Promise<void> {
    const table = this.tables.find(({ path }) => path === landing.tablePath)
    if (table !== undefined) return table.follow(landing)
    const where = `${landing.tablePath} version ${landing.version} (${landing.by})`
    if (landing.tablePath === MARK_PATH) return this.#followMark(landing, where)
    expectThat(landing.tablePath === LETTERS_PATH, `nobody knows the table ${landing.tablePath}`)
    this.#letters.apply(parseEntry(landing.bytes), where)
  }

  async #followMark({ bytes }: Landing, where: string): Promise<void> {
    for (const [name, version] of parseEntry(bytes).txns) {
      const partition = /^alluvium\/default\/([^/]+\/\d+)$/.exec(name)?.[1]
      if (partition === undefined) continue
      const before = this.#marks.get(partition) ?? 0n
      expectThat(
        BigInt(version) >= before,
        `${where}: the mark of ${partition} falls from ${before} to ${version}`,
      )
      this.#marks.set(partition, BigInt(version))
    }
    for (const table of this.tables) table.expectPassed(this.#marks, where)
    await this.#expectLetters(this.#marks, where)
  }

  /** Each unreadable record is there once; those before these offsets are there by now. */
  async #expectLetters(upTo: ReadonlyMap<string, bigint>, where: string): Promise<void> {
    const stored = (await this.#letters.rows()).map(
      ({ cells }) => `${cells['topic']}/${cells['partition']}@${cells['offset']}`,
    )
    const due = this.#history.letters.filter(
      ({ topic, partition, offset }) => offset < (upTo.get(`${topic}/${partition}`) ?? 0n),
    )
    const known = new Set(this.#history.letters.map(textOf))
    expectThat(new Set(stored).size === stored.length, `${where}: a dead letter is there twice`)
    expectSame(
      `${where}: dead letters`,
      stored.filter((text) => !known.has(text)),
      [],
    )
    const lacking = due.map(textOf).filter((text) => !stored.includes(text))
    expectSame(`${where}: dead letters that are lacking`, lacking, [])
  }
}

function textOf({ topic, partition, offset }: Letter): string {
  return `${topic}/${partition}@${offset}`
}

export function pathOf({ name }: TablePlan): string {
  return name.replace('.', '/')
}
