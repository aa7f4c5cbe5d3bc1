import type { RunReport } from '../../src/pipeline/pipeline.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { LakeCheck, pathOf } from './check-lake.ts'
import { type Counts, Debezium } from './debezium.ts'
import { type Faults, NO_FAULTS } from './faults.ts'
import { History } from './history.ts'
import { drawMood, type Mood } from './mood.ts'
import { optionsOf } from './pipeline-options.ts'
import { Repairs } from './repairs.ts'
import { Scheduler } from './scheduler.ts'
import { SimBroker } from './sim-broker.ts'
import { expectSame, expectThat, SimFailure } from './sim-failure.ts'
import { SimLake } from './sim-lake.ts'
import { SimMachines } from './sim-machines.ts'
import { EPOCH_MS, SimProcess } from './sim-process.ts'
import { SourceDatabase } from './source-database.ts'
import { Strangers } from './strangers.ts'
import { drawTables, pick, type TablePlan } from './table-plan.ts'
import { rowText } from './table-truth.ts'
import { Trace } from './trace.ts'

/** Then all is well, and everything must have arrived by then. */
const QUIET_MS = 600_000
const SESSION_TIMEOUT_MS = 8000

export interface WorldOptions {
  readonly faults?: (random: SeededRandom) => Faults
  /** No killing, pausing, rebalancing, retention nor strangers. */
  readonly isPeaceful?: boolean
}

/** Source, broker, lake, engines and what goes wrong with them: all that one seed decides. */
export class World {
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly trace: Trace
  readonly lake = new SimLake()
  readonly machines: SimMachines
  /** Calls by site. */
  readonly sites = new Map<string, number>()
  /** Nothing goes wrong any more. */
  isCalm = false
  clockJumpMs = 0
  readonly #options: WorldOptions
  readonly mood: Mood
  readonly #tables: readonly TablePlan[]
  readonly #broker: SimBroker
  readonly #history = new History()
  readonly #debezium: Debezium
  readonly #source: SourceDatabase
  readonly #strangers: Strangers
  readonly #check: LakeCheck
  /** `null`: nobody repairs. */
  readonly #repairs: Repairs | null
  readonly #batch: { readonly rows: number; readonly bytes: number; readonly ageMs: number }
  #faults: Faults
  readonly #engines = new Set<SimProcess>()
  #lives = 0
  #isEnding = false
  #failure: unknown = null

  constructor(seed: number, options: WorldOptions = {}) {
    this.#options = options
    this.lake.nowMs = EPOCH_MS
    const random = new SeededRandom(seed)
    this.random = random
    this.machines = new SimMachines(this, seed)
    this.scheduler = new Scheduler(random)
    this.trace = new Trace(() => this.scheduler.nowMs)
    this.mood = drawMood(random, options.isPeaceful === true)
    this.#tables = drawTables(random, this.mood)
    this.#broker = new SimBroker(unitsOf(this.#tables), random, this.trace)
    for (const { topics, partitions } of this.#tables) {
      for (const topic of topics) this.#broker.addTopic(topic, partitions)
    }
    const tellsRuns = seed % 2 === 0
    this.#debezium = new Debezium(this.#broker, this.#history, random, this.trace, tellsRuns)
    this.#source = new SourceDatabase(this.#tables, this.#debezium, random, this.mood.garbage)
    this.#strangers = new Strangers(this.lake, random)
    this.#check = new LakeCheck(this.#tables, this.lake, this.#history, this.#strangers)
    this.#repairs = Repairs.inWorldOf(seed, this, this.#source, this.#check)
    this.#batch = {
      rows: 1 + random.below(30),
      bytes: 1 << 30,
      ageMs: this.mood.haste * (200 + random.below(3000)),
    }
    this.#faults = (options.faults ?? (() => NO_FAULTS))(random)
  }

  /** @throws SimFailure, or what the engine threw that it never may */
  async run(): Promise<void> {
    const { busyMs, engines } = this.mood
    this.trace.note('mood', JSON.stringify(this.mood))
    for (const plan of this.#tables) this.trace.note('plan', JSON.stringify(plan))
    this.#source.firstSnapshot()
    for (let i = 0; i < engines; i++) this.#startEngine()
    this.#keepBusy()
    if (!this.#options.isPeaceful) this.#makeTrouble()
    this.#repairs?.keepOn().catch((error: unknown) => this.#fail(error))
    await this.#pass(() => this.scheduler.nowMs >= busyMs, busyMs)
    this.#calmDown()
    const isDone = await this.#pass(() => this.#isCaughtUp(), busyMs + QUIET_MS)
    if (!isDone) throw new SimFailure(this.#laggards())
    await this.#finishRepairs()
    this.#isEnding = true
    for (const engine of this.#engines) engine.stop()
    const [last] = this.#engines
    const isOver = await this.#pass(() => this.#engines.size === 0, this.scheduler.nowMs + QUIET_MS)
    expectThat(isOver, 'an engine that is asked to stop does not')
    await this.#expectEnd()
    // Whoever read everything, and nothing twice, has counted every record as what it is.
    if (this.#lives === 1 && this.#broker.generation === 1) expectCounts(last!.report!, this.#debezium.counts)
  }

  get commits(): number {
    return this.#check.commits
  }

  drawFault(site: string): ReturnType<Faults['draw']> {
    this.sites.set(site, (this.sites.get(site) ?? 0) + 1)
    return this.isCalm ? null : this.#faults.draw(site)
  }

  /** Whoever supervises processes starts another one. */
  onEnd(engine: SimProcess): void {
    this.#engines.delete(engine)
    const { ending } = engine
    if (ending?.kind === 'failed') this.#failure ??= ending.error
    const graceMs = ending?.kind === 'killed' ? SESSION_TIMEOUT_MS : 0
    this.scheduler.in(graceMs, () => this.#broker.leave(engine.source))
    this.scheduler.in(5000 * this.random.next(), () => this.#startEngine())
  }

  /** Only who was fenced may stop a table here; it goes on by itself, since nobody but former owners can have fenced it. */
  onTableStopped(engine: SimProcess): void {
    const { table, code, message } = engine.stopped.at(-1)!
    if (code !== 'E_FENCED' || !this.#hasRival(engine, table, message))
      this.onMistake(`${engine.name} stopped ${table}: ${code} ${message}`)
    else this.scheduler.in(0, () => void this.#expectToGoOn(engine, table))
  }

  async #expectToGoOn(engine: SimProcess, table: string): Promise<void> {
    if (engine.isAlive && (await engine.stateOf(table)) === 'stopped')
      this.onMistake(`${engine.name} leaves ${table} standing, which only a former owner can have fenced`)
  }

  /** Whether another process made the commit that it names; of a move that it found in a snapshot it names none. */
  #hasRival(engine: SimProcess, table: string, message: string): boolean {
    const path = pathOf(this.#tables.find(({ name }) => name === table)!)
    const commit = /commit (\S+)\)/.exec(message)?.[1]
    return [...this.lake.authors].some(
      ([id, { tablePath, by }]) =>
        tablePath === path && by !== engine.name && (id === commit || commit === 'unnamed'),
    )
  }

  /** Something in an engine is not as it thought. */
  onMistake(what: string): void {
    this.#failure ??= new SimFailure(what)
  }

  #fail(error: unknown): void {
    this.#failure ??= error
  }

  #startEngine(): void {
    if (this.#isEnding) return
    const engine = new SimProcess(this, `engine${++this.#lives}`, this.#broker)
    this.#engines.add(engine)
    engine.start(optionsOf(this.#tables, this.#batch))
  }

  #keepBusy(): void {
    const next = () => {
      if (this.isCalm) return
      this.#source.step()
      this.scheduler.in(2400 * this.random.next() ** 2, next)
    }
    next()
  }

  #makeTrouble(): void {
    const trouble: (() => void)[] = []
    const { random } = this
    const engine = () => pick(random, [...this.#engines])
    const maybe = (what: () => void) => {
      if (random.chance(0.5)) trouble.push(what)
    }
    maybe(() => engine()?.kill())
    maybe(() => this.#pauseEngine(engine()))
    maybe(() => engine()?.stop())
    maybe(() => this.#broker.rebalance())
    maybe(() => this.#broker.trim())
    maybe(() => {
      this.clockJumpMs = random.below(7_200_000) - 3_600_000
    })
    // What the mark alone knows is in danger where members come back to what others have read meanwhile, and retention too.
    if (this.mood.hasIdleTable) {
      const trim = () => this.#broker.trim()
      trouble.push(
        trim,
        trim,
        trim,
        () => this.#broker.rebalance(),
        () => this.#pauseEngine(engine()),
      )
    }
    const strange = this.#tables.filter(({ strangers }) => strangers !== 'none')
    if (strange.length > 0) trouble.push(() => this.#letStrangerAct(pick(random, strange)))
    if (trouble.length === 0) return
    const next = () => {
      if (this.isCalm) return
      pick(random, trouble)()
      this.scheduler.in(8000 * random.next(), next)
    }
    this.scheduler.in(4000 * random.next(), next)
  }

  /** A process begins to store something. */
  onStaging(engine: SimProcess): void {
    if (!this.isCalm && this.random.chance(this.mood.sleepiness)) this.#pauseEngine(engine)
  }

  /** A commit of ours is on its way, and lands in a moment. */
  onCommitAsked(tablePath: string): void {
    if (this.isCalm || this.mood.strangersFirst === 0) return
    const table = this.#tables.find((plan) => plan.strangers !== 'none' && pathOf(plan) === tablePath)
    if (table === undefined || !this.random.chance(this.mood.strangersFirst)) return
    this.scheduler.in(0, () => this.#letStrangerAct(table))
  }

  #letStrangerAct(table: TablePlan): void {
    this.trace.note('stranger', table.name)
    this.#strangers.act(table, pathOf(table)).catch((error: unknown) => this.#fail(error))
  }

  #pauseEngine(engine: SimProcess | undefined): void {
    if (engine === undefined) return
    const forMs = 30_000 * this.random.next()
    engine.pause(forMs)
    if (forMs <= SESSION_TIMEOUT_MS) return
    this.scheduler.in(SESSION_TIMEOUT_MS, () => {
      if (engine.isAlive && engine.isPaused) this.#broker.leave(engine.source)
    })
  }

  #calmDown(): void {
    this.isCalm = true
    this.#faults = NO_FAULTS
    this.trace.note('world', 'all is well')
  }

  async #pass(isOver: () => boolean, limitMs: number): Promise<boolean> {
    const isEnough = () => this.#failure !== null || isOver()
    const isDone = await this.scheduler.runUntil(isEnough, limitMs, () => {
      this.lake.nowMs = EPOCH_MS + this.scheduler.nowMs
      return this.#check.follow()
    })
    if (this.#failure !== null) throw this.#failure
    return isDone
  }

  /** Offsets after the last records. */
  ends(): Map<string, bigint> {
    return new Map([...this.#broker.partitions].map(([name, { endOffset }]) => [name, endOffset]))
  }

  /** Then each table is the source's, whatever strangers did to it. */
  async #finishRepairs(): Promise<void> {
    if (this.#repairs === null) return
    let isOver = false
    this.#repairs.finish().then(
      () => {
        isOver = true
      },
      (error: unknown) => this.#fail(error),
    )
    const isDone = await this.#pass(() => isOver, this.scheduler.nowMs + QUIET_MS)
    expectThat(isDone, 'nothing happens, and rows of the source are put off all the same')
  }

  #isCaughtUp(): boolean {
    for (const [name, end] of this.ends()) if ((this.#check.marks.get(name) ?? 0n) < end) return false
    return true
  }

  #laggards(): string {
    const behind = [...this.ends()].filter(([name, end]) => (this.#check.marks.get(name) ?? 0n) < end)
    const texts = behind.map(
      ([name, end]) => `${name} at ${this.#check.marks.get(name) ?? 'nothing'} of ${end}`,
    )
    return `all was well for ${QUIET_MS} ms, and there is still lag: ${texts.join(', ')}`
  }

  async #expectEnd(): Promise<void> {
    await this.#check.expectDone(this.ends())
    for (const { plan, rows } of this.#source.tables) {
      if (plan.kind === 'append') continue
      if (plan.strangers === 'change rows' && (this.#repairs === null || plan.kind === 'bag')) continue
      const { truth } = this.#check.tables.find((table) => table.plan === plan)!
      const isOurs = (row: string) => !/\bid=\d{7}\b/.test(row)
      expectSame(`${plan.name} at the end and its source`, truth.filter(isOurs), rows.map(rowText))
    }
  }
}

function expectCounts({ records, tally }: RunReport, told: Counts): void {
  const { tombstones, control, deadLetters } = tally
  const text = (counts: Counts) => [JSON.stringify(counts)]
  expectSame('what was counted', text({ records, tombstones, control, deadLetters }), text(told))
}

/** Topics that feed one table go together, and with them all tables that these feed. */
function unitsOf(tables: readonly TablePlan[]): string[][] {
  const units: string[][] = []
  for (const { topics } of tables) {
    const joined = units.filter((unit) => unit.some((topic) => topics.includes(topic)))
    for (const unit of joined) units.splice(units.indexOf(unit), 1)
    units.push([...new Set([...joined.flat(), ...topics])])
  }
  return units
}
