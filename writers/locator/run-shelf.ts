import type { LocalFiles, Random } from '../../core/ports.ts'
import type { Run } from './run.ts'
import { indexPath } from './write-run.ts'

/** A new run is merged with older ones until each is twice as large as all that are newer: few runs, each entry rarely copied. */
const SHARE_MIN = 2

/** The runs of one table, the newest first. A run that is put away is deleted by a sweep, when nobody reads it any more. */
export class RunShelf {
  readonly files: LocalFiles
  readonly folder: string
  readonly #random: Random
  #runs: readonly Run[] = []
  #readers = 0
  #away: Run[] = []
  #isClosed = false

  constructor(files: LocalFiles, folder: string, random: Random) {
    this.files = files
    this.folder = folder
    this.#random = random
  }

  get runs(): readonly Run[] {
    return this.#runs
  }

  newPath(): string {
    return `${this.folder}/${this.#random.uuid()}.run`
  }

  /** The runs, which stay readable until `work` has ended. */
  async reading<T>(work: (runs: readonly Run[]) => Promise<T>): Promise<T> {
    this.#readers++
    try {
      return await work(this.#runs)
    } finally {
      this.#readers--
      if (this.#isClosed) this.close()
    }
  }

  /** Those that are left out are put away. */
  replace(runs: readonly Run[]): void {
    this.#away.push(...this.#runs.filter((run) => !runs.includes(run)))
    this.#runs = runs
  }

  /** Deletes what was put away, if nobody reads. */
  async sweep(): Promise<void> {
    if (this.#readers > 0) return
    for (const run of this.#away.splice(0)) await this.discard(run)
  }

  /** Deletes a run that nobody reads. */
  async discard(run: Run): Promise<void> {
    run.close()
    await this.files.delete(indexPath(run.path))
    await this.files.delete(run.path)
  }

  /** The newest runs that are due to become one; none, when fewer than two. */
  due(): readonly Run[] {
    let newer = 0
    let count = 0
    this.#runs.forEach(({ entryCount }, i) => {
      if (entryCount < newer * SHARE_MIN) count = i + 1
      newer += entryCount
    })
    return this.#runs.slice(0, count)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Lets go of all of them, as soon as nobody reads; what is on disk stays. */
  close(): void {
    this.#isClosed = true
    if (this.#readers > 0) return
    for (const run of [...this.#runs, ...this.#away]) run.close()
    this.#runs = []
    this.#away = []
  }
}
