import type { TableSnapshot } from '../delta/snapshot.ts'
import type { Pace } from '../pace.ts'
import { DELETED, ENTRY_WORDS, ROW } from './entry.ts'
import { type EntryCursor, mergeEntries, TableCursor } from './entry-cursor.ts'
import { EntryPile, PileCursor } from './entry-pile.ts'
import { isSettlingDue } from './file-ordinals.ts'
import { type KeyLocator, type LocatorDisk, settleEntry } from './key-locator.ts'
import { Run, torn } from './run.ts'
import type { RunShelf } from './run-shelf.ts'
import { describeLocator, type SavedLocator, writeSaved } from './saved-locator.ts'
import { indexPath, RunWriter } from './write-run.ts'

/** Moved rows are written into entries also when redirects take so much of the memory. */
const REDIRECTED_MEMORY = 1 / 8
/** The rest of the memory is for entries that are to come. */
const HELD_SHARE = 3 / 4

/**
 * Runs between two batches.
 *
 * @param work told the snapshot that the locator is right for; `null`: for none yet
 */
export type InTurn = <T>(work: (snapshot: TableSnapshot | null) => T) => Promise<T>

/** Does beside the batches what they shall not wait for: entries go to disk, runs are merged, moved rows are written down. */
export class LocatorKeeper {
  readonly #locator: KeyLocator
  readonly #key: readonly string[]
  readonly #hashKey: string
  /** What the runs on disk are bound to; `null`: nothing is there that could be told of. */
  #saved: Omit<SavedLocator, 'runs'> | null
  #isBusy = false

  /**
   * @param key stored names of the key columns, in key order
   * @param hashKey of the keyed hash, hexadecimal
   * @param saved what the locator was loaded from
   */
  constructor(
    locator: KeyLocator,
    key: readonly string[],
    hashKey: string,
    saved: Omit<SavedLocator, 'runs'> | null = null,
  ) {
    this.#locator = locator
    this.#key = key
    this.#hashKey = hashKey
    this.#saved = saved
  }

  /** Does what is due. @throws EngineError when the disk fails; the locator is as right as before */
  keep(inTurn: InTurn, pace: Pace): Promise<void> {
    return this.#alone(() => this.#keep(inTurn, pace))
  }

  async #keep(inTurn: InTurn, pace: Pace): Promise<void> {
    const { disk } = this.#locator
    if (disk !== null) {
      if (disk.memory.isTight(this.#locator)) await this.#spill(disk, inTurn, pace)
      const due = disk.shelf.due()
      if (due.length > 1) await this.#mergeRuns(disk, due, pace)
    }
    if (this.#isSettlingDue()) await this.#settle(pace)
    if (disk === null) return
    await disk.shelf.sweep()
    await holdRuns(this.#locator, disk, pace)
  }

  /** While a locator is filled: puts what is piled up on disk when memory is tight. @throws EngineError as `keep` */
  async spillWhenTight(pace: Pace): Promise<void> {
    const { disk, pile } = this.#locator
    if (disk?.memory.isTight(this.#locator) !== true) return
    await this.#alone(() => this.#spill(disk, async (work) => work(null), pace, pile))
  }

  /** Two at a time would freeze the same table. What is not done now is due still; nobody waits, least of all in a turn. */
  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      await work()
    } finally {
      this.#isBusy = false
    }
  }

  /** Puts everything on disk, so that the next process can begin with it. */
  async save(inTurn: InTurn, pace: Pace): Promise<void> {
    const { disk } = this.#locator
    if (disk === null) return
    await this.#alone(async () => {
      await this.#spill(disk, inTurn, pace)
      await disk.shelf.sweep()
      await deleteStrayRuns(disk.shelf)
    })
  }

  /** @param pile goes to disk too; it must not grow meanwhile */
  async #spill(disk: LocatorDisk, inTurn: InTurn, pace: Pace, pile = new EntryPile()): Promise<void> {
    const locator = this.#locator
    const { shelf } = disk
    const { frozen, saved } = await inTurn((snapshot) => ({
      frozen: locator.freeze(),
      saved: snapshot === null ? null : describeLocator(locator, snapshot, this.#key, this.#hashKey),
    }))
    const cursors = [new PileCursor(pile), new TableCursor(frozen)]
    const count = pile.size + frozen.size
    const run = await this.#writeRun(shelf, cursors, count, true, pace).catch((error: unknown) => {
      if (locator.isFrozen(frozen)) locator.thaw()
      throw error
    })
    if (shelf.isClosed || !locator.isFrozen(frozen)) return shelf.discard(run)
    const runs = [run, ...shelf.runs]
    shelf.replace(runs)
    locator.unfreeze()
    pile.clearAll()
    this.#saved = saved
    await this.#save(shelf, runs)
  }

  /** Makes one run of neighbours. What stood elsewhere when its entries were written is told by the run itself. */
  async #mergeRuns(disk: LocatorDisk, merged: readonly Run[], pace: Pace): Promise<void> {
    const { shelf } = disk
    const count = merged.reduce((sum, { entryCount }) => sum + entryCount, 0)
    const hidesOlder = merged.at(-1) !== shelf.runs.at(-1)
    const run = await shelf.reading(() => {
      const cursors = merged.map((each) => each.cursor())
      return this.#writeRun(shelf, cursors, count, hidesOlder, pace)
    })
    if (shelf.isClosed || !merged.every((each) => shelf.runs.includes(each))) return shelf.discard(run)
    const runs = shelf.runs.flatMap((each) =>
      each === merged[0] ? [run] : merged.includes(each) ? [] : [each],
    )
    await this.#save(shelf, runs)
    shelf.replace(runs)
  }

  /** @param hidesOlder there are older entries, which a deleted key has to hide */
  async #writeRun(
    shelf: RunShelf,
    cursors: readonly EntryCursor[],
    countMax: number,
    hidesOlder: boolean,
    pace: Pace,
  ): Promise<Run> {
    const path = shelf.newPath()
    const writer = await RunWriter.create(shelf.files, path, countMax)
    const entry = new Uint32Array(ENTRY_WORDS)
    const flush = async (): Promise<void> => {
      await writer.flush()
      await pace.step()
    }
    try {
      await mergeEntries(cursors, (part, words, at) => {
        for (let i = 0; i < ENTRY_WORDS; i++) entry[i] = words[at + i]!
        settleEntry(entry, 0, this.#locator.files)
        if (entry[ROW] === DELETED && !hidesOlder) return undefined
        return writer.add(part, entry, 0) ? flush() : undefined
      })
    } catch (error) {
      await writer.abandon()
      throw error
    }
    const index = await writer.finish()
    const run = await Run.open(shelf.files, path, index)
    if (run === null) throw torn(path)
    return run
  }

  #isSettlingDue(): boolean {
    const { files, entryCount, disk } = this.#locator
    const bytesMax = (disk?.memory.bytesMax ?? Number.POSITIVE_INFINITY) * REDIRECTED_MEMORY
    return isSettlingDue(files.redirectedRows, entryCount) || 4 * files.redirectedRows >= bytesMax
  }

  async #settle(pace: Pace): Promise<void> {
    const { files, disk } = this.#locator
    const { redirected } = files
    await this.#locator.settle(pace)
    if (disk !== null && disk.shelf.runs.length > 0) await this.#mergeRuns(disk, disk.shelf.runs, pace)
    files.endRedirects(redirected)
  }

  async #save(shelf: RunShelf, runs: readonly Run[]): Promise<void> {
    if (this.#saved === null) return
    const { next: nextOrdinal } = this.#locator.files
    const { anchors } = this.#locator.positions
    const paths = runs.map(({ path }) => path)
    await writeSaved(shelf.files, shelf.folder, { ...this.#saved, nextOrdinal, anchors, runs: paths })
  }
}

/** The oldest runs are the largest, and most keys are in them. */
async function holdRuns(locator: KeyLocator, { shelf, memory }: LocatorDisk, pace: Pace): Promise<void> {
  const indexes = shelf.runs.reduce((sum, { indexBytes }) => sum + indexBytes, 0)
  let room = memory.roomFor(locator) * HELD_SHARE - indexes
  for (const run of [...shelf.runs].reverse()) {
    if (run.heldBytes === 0 && room > 0) await run.hold(room, pace)
    room -= run.heldBytes
  }
}

/** What crashed processes left, and runs whose entries were taken into memory. */
async function deleteStrayRuns({ files, folder, runs }: RunShelf): Promise<void> {
  const known = new Set(runs.flatMap(({ path }) => [path, indexPath(path)]))
  for (const name of await files.list(folder)) {
    const path = `${folder}/${name}`
    if (/\.run(\.index)?$/.test(name) && !known.has(path)) await files.delete(path)
  }
}
