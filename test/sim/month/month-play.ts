import { loadLog, loadSnapshot } from '../../../writers/delta/load-snapshot.ts'
import type { TableSnapshot } from '../../../writers/delta/snapshot.ts'
import { numRecordsOf } from '../../../writers/delta/statistics.ts'
import { readLogSize } from '../../../writers/table/log-size.ts'
import { TableReader } from '../../../writers/table/table-reader.ts'
import { aboveCeilings, type DayFigures, grownSince, type Kept } from './ceilings.ts'
import { MONTH_TABLE, MonthTable } from './month-table.ts'

const DAY_MS = 86_400_000
/** The default on an object store (design §3.4). */
const CADENCE_MS = 10_000
const ROWS = 20_000
/** A prime: the figures are taken just before a checkpoint, just after it, and at all times between. */
const LOOK_EVERY = 331
const LARGE_BYTES = 1024 * 1024

interface KeptHours {
  readonly log: number
  readonly files: number
}

/** As tables of ours are made. */
const KEPT_HOURS: KeptHours = { log: 7 * 24, files: 24 }

export interface MonthOptions {
  readonly days: number
  /** Of the table, from its first day to its last. */
  readonly rows?: number
  /** Default: ten seconds. */
  readonly cadenceMs?: number
  /** What the table keeps of its log and of removed files, in hours; default: what tables of ours keep. */
  readonly keptHours?: KeptHours
  readonly onDay?: (figures: DayFigures) => void
}

export interface MonthResult {
  readonly days: readonly DayFigures[]
  /** What was above its ceiling or not as it should be; empty: all was well. */
  readonly failures: readonly string[]
}

/**
 * Plays the life of a busy table: a commit every ten seconds with merging, checkpoints, cleaning and expiry, a new
 * process every day, and nobody who looks after it.
 */
export async function playMonth(options: MonthOptions): Promise<MonthResult> {
  const play = new MonthPlay(options)
  return play.run()
}

type Peaks = { -readonly [K in keyof DayFigures]: DayFigures[K] }

class MonthPlay {
  readonly #options: MonthOptions
  readonly #table = new MonthTable()
  readonly #days: DayFigures[] = []
  readonly #failures: string[] = []
  readonly #cadenceMs: number
  readonly #kept: Kept
  #peaks!: Peaks
  #cpuAtMidnight = process.cpuUsage()
  #writtenAtMidnight = 0

  constructor(options: MonthOptions) {
    const { cadenceMs = CADENCE_MS, keptHours = KEPT_HOURS } = options
    const commitsADay = DAY_MS / cadenceMs
    const commitsIn = (hours: number) => (hours / 24) * commitsADay
    this.#options = options
    this.#cadenceMs = cadenceMs
    this.#kept = {
      commitsADay,
      logCommits: commitsIn(keptHours.log),
      fileCommits: commitsIn(keptHours.files),
    }
  }

  async run(): Promise<MonthResult> {
    const { days, keptHours, onDay } = this.#options
    await this.#table.open()
    await this.#table.fill(this.#options.rows ?? ROWS)
    if (keptHours !== undefined) await this.#table.keep(keptHours)
    for (let day = 1; day <= days; day++) {
      this.#peaks = newPeaks(day)
      await this.#openTable()
      for (let commit = 1; commit <= this.#kept.commitsADay; commit++) {
        await this.#table.step(this.#cadenceMs)
        if (commit % LOOK_EVERY === 0) await this.#look()
        if (this.#failures.length > 0) break
      }
      await this.#endDay()
      onDay?.(this.#days.at(-1)!)
      if (this.#failures.length > 0) break
    }
    const plateau = Math.ceil((this.#options.keptHours ?? KEPT_HOURS).log / 24) + 2
    return { days: this.#days, failures: [...this.#failures, ...grownSince(plateau, this.#days)] }
  }

  async #openTable(): Promise<void> {
    const began = process.cpuUsage()
    await this.#table.open()
    this.#peak('openMs', cpuMsSince(began))
  }

  async #look(): Promise<void> {
    const { store } = this.#table
    const began = process.cpuUsage()
    const { snapshot } = (await loadLog(store, MONTH_TABLE))!
    this.#peak('openMs', cpuMsSince(began))
    const files = filesOf(snapshot)
    this.#peak('liveFiles', snapshot.files.size)
    this.#peak('deletedShare', files.deletedShare)
    this.#peak('deletedShareLarge', files.deletedShareLarge)
    this.#peak('vectorBytes', files.vectorBytes)
    this.#peak('liveBytes', files.liveBytes)
    this.#peak('tombstones', snapshot.tombstones.size)
    this.#peak('openBytes', (await readLogSize(store, MONTH_TABLE)).logBytes)
    this.#peak('logBytes', store.logBytes)
    this.#peak('logObjects', store.logObjectCount)
    this.#peak('fileObjects', store.objectCount - store.logObjectCount - store.changeFileCount)
    this.#peak('changeFileObjects', store.changeFileCount)
    this.#peak('fileBytes', store.fileBytes)
    this.#peaks.version = snapshot.version
    if (files.liveRows !== this.#table.rows.size) {
      this.#failures.push(
        `version ${snapshot.version} has ${files.liveRows} rows, not ${this.#table.rows.size}`,
      )
    }
  }

  #peak(name: Exclude<keyof DayFigures, 'requests'>, value: number): void {
    this.#peaks[name] = Math.max(this.#peaks[name], value)
  }

  async #endDay(): Promise<void> {
    const { store, warnings } = this.#table
    await this.#look()
    await this.#compareRows()
    globalThis.gc?.()
    const { user, system } = process.cpuUsage(this.#cpuAtMidnight)
    const figures: DayFigures = {
      ...this.#peaks,
      heapMb: process.memoryUsage().heapUsed / 1e6,
      requests: store.takeCounts(),
      writtenBytes: store.writtenBytes - this.#writtenAtMidnight,
      cpuSeconds: (user + system) / 1e6,
    }
    this.#cpuAtMidnight = process.cpuUsage()
    this.#writtenAtMidnight = store.writtenBytes
    this.#days.push(figures)
    this.#failures.push(...aboveCeilings(figures, this.#kept), ...warnings)
  }

  /** Every row, as a reader sees it; it finds files that were deleted too early, too. */
  async #compareRows(): Promise<void> {
    const { store, rows } = this.#table
    const snapshot = (await loadSnapshot(store, MONTH_TABLE))!
    const reader = new TableReader(store, MONTH_TABLE)
    const idAt = snapshot.schema.fields.findIndex(({ name }) => name === 'id')
    const vAt = snapshot.schema.fields.findIndex(({ name }) => name === 'v')
    let same = 0
    for (const file of snapshot.files.values()) {
      for await (const { cells } of reader.liveRows(file, snapshot.schema)) {
        if (rows.get(Number(cells[idAt])) === cells[vAt]) same++
      }
    }
    if (same !== rows.size) {
      this.#failures.push(
        `version ${snapshot.version}: ${same} of ${rows.size} rows are as the source has them`,
      )
    }
  }
}

function newPeaks(day: number): Peaks {
  return {
    day,
    version: 0,
    liveFiles: 0,
    deletedShareLarge: 0,
    deletedShare: 0,
    tombstones: 0,
    vectorBytes: 0,
    liveBytes: 0,
    openBytes: 0,
    openMs: 0,
    logBytes: 0,
    logObjects: 0,
    fileObjects: 0,
    changeFileObjects: 0,
    fileBytes: 0,
    heapMb: 0,
    requests: { writes: 0, reads: 0, deletes: 0 },
    writtenBytes: 0,
    cpuSeconds: 0,
  }
}

function filesOf({ files }: TableSnapshot) {
  const sum = { rows: 0, deleted: 0, largeRows: 0, largeDeleted: 0, vectorBytes: 0, liveBytes: 0 }
  for (const { stats, size, deletionVector } of files.values()) {
    const rows = numRecordsOf(stats)!
    const deleted = deletionVector?.cardinality ?? 0
    sum.rows += rows
    sum.deleted += deleted
    sum.vectorBytes += deletionVector?.sizeInBytes ?? 0
    sum.liveBytes += size
    if (size < LARGE_BYTES) continue
    sum.largeRows += rows
    sum.largeDeleted += deleted
  }
  return {
    liveRows: sum.rows - sum.deleted,
    deletedShare: sum.deleted / sum.rows,
    deletedShareLarge: sum.largeRows === 0 ? 0 : sum.largeDeleted / sum.largeRows,
    vectorBytes: sum.vectorBytes,
    liveBytes: sum.liveBytes,
  }
}

function cpuMsSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1000
}
