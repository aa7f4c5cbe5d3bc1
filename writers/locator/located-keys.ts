import { assert } from '../../core/assert.ts'
import { EngineError, messageOf } from '../../core/errors.ts'
import type { Clock, LocalFiles, Logger, ObjectStore, Random } from '../../core/ports.ts'
import type { Column } from '../../schemas/change-event.ts'
import type { Position } from '../../schemas/position.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { Pace } from '../pace.ts'
import type { TableLayout } from '../table/table-layout.ts'
import type { TableReader } from '../table/table-reader.ts'
import { filesToRead } from './files-to-read.ts'
import type { Place } from './hash-table.ts'
import { KeyHasher, textDigest } from './key-encoding.ts'
import { KeyLocator, type StoredKey } from './key-locator.ts'
import { type LocatorFolder, loadLocator } from './load-locator.ts'
import { type InTurn, LocatorKeeper } from './locator-keeper.ts'
import type { LocatorMemory } from './locator-memory.ts'
import { readKeys } from './read-keys.ts'
import { RunShelf } from './run-shelf.ts'
import { deleteSaved, type KnownFile } from './saved-locator.ts'

/** Where locators may put what they know, on this machine. */
export interface LocatorPorts {
  readonly files: LocalFiles
  readonly memory: LocatorMemory
}

export interface LocatedKeysPorts {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Not given: everything is held in memory, and made anew at each start. */
  readonly locators?: LocatorPorts
}

/** What the keys of a table are read from. */
export interface KeySource {
  readonly layout: TableLayout
  readonly reader: TableReader
  /** Of the key, in key order. */
  readonly columns: readonly Column[]
}

/** The keys of one table: how they are hashed, where their rows are, and what of that this machine remembers. */
export class LocatedKeys {
  readonly #ports: LocatedKeysPorts
  readonly #tablePath: string
  readonly #folder: LocatorFolder | null
  #hasher: KeyHasher
  #locator: KeyLocator
  #keeper: LocatorKeeper | null = null
  /** False from when it is begun to be made anew until that has been done: half of a locator knows no half of the rows. */
  #isWhole = true
  #isReleased = false

  constructor(ports: LocatedKeysPorts, tablePath: string) {
    this.#ports = ports
    this.#tablePath = tablePath
    this.#hasher = new KeyHasher(ports.random)
    const path = `locator/${textDigest(`${ports.store.location}\n${tablePath}`)}`
    this.#folder = ports.locators === undefined ? null : { ...ports.locators, path, random: ports.random }
    this.#locator = this.#newLocator()
  }

  get hasher(): KeyHasher {
    return this.#hasher
  }

  get locator(): KeyLocator {
    return this.#locator
  }

  /** Makes the locator right for a snapshot: from what this machine remembers and what came since, or from all files. */
  async open(snapshot: TableSnapshot, source: KeySource): Promise<void> {
    const loaded = await this.#load(snapshot, source)
    if (!loaded) return this.#rebuild(snapshot, source)
    await this.follow(loaded, snapshot, source)
  }

  /** Makes a locator that is right for some files right for a snapshot. */
  async follow(known: Iterable<KnownFile>, snapshot: TableSnapshot, source: KeySource): Promise<void> {
    const added = await filesToRead(known, snapshot, source.reader, this.#locator.files)
    await this.#read(added, source)
  }

  /** As `KeyLocator.findAll`. @param snapshot that the locator is right for; `null`: the table is not there yet */
  findAll(
    words: Uint32Array,
    count: number,
    snapshot: TableSnapshot | null,
    source: KeySource,
  ): Promise<readonly (StoredKey | null)[]> {
    // Of a table that is new nothing was read: its keeper begins with its first batch.
    this.#keeper ??= this.#newKeeper(source)
    return this.#orAnew(() => this.#locator.findAll(words, count), snapshot, source)
  }

  /** The places that a TRUNCATE at `floor` empties, and what makes the locator forget them. */
  below(
    floor: Position,
    snapshot: TableSnapshot | null,
    source: KeySource,
  ): Promise<{ readonly places: readonly Place[]; readonly forget: () => void }> {
    const sorted = async () => {
      const places: Place[] = []
      return { places, forget: await this.#locator.below(floor, (place) => places.push(place)) }
    }
    return this.#orAnew(sorted, snapshot, source)
  }

  /** A locator that lost what it had on disk is made anew, and asked again. */
  async #orAnew<T>(ask: () => Promise<T>, snapshot: TableSnapshot | null, source: KeySource): Promise<T> {
    try {
      if (this.#isWhole) return await ask()
    } catch (error) {
      if (snapshot === null || this.#folder === null || !(error instanceof EngineError)) throw error
      this.#warn(error, 'the locator lost what it kept on disk, and is made anew')
    }
    assert(snapshot !== null, 'a locator is made anew of a table that is not there')
    await this.#rebuild(snapshot, source)
    return await ask()
  }

  /** Does what is due beside the batches. */
  async keep(inTurn: InTurn, pace: Pace): Promise<void> {
    if (!this.#isReleased && this.#isWhole) await this.#keeper?.keep(inTurn, pace)
  }

  /** Puts all on disk: the next process begins with it. What fails costs that process time. */
  async save(inTurn: InTurn, pace: Pace): Promise<void> {
    if (this.#isReleased || !this.#isWhole || this.#keeper === null) return
    await this.#keeper.save(inTurn, pace).catch((error: unknown) => {
      this.#warn(error, 'the locator could not be kept for the next start')
    })
  }

  /** Lets go of memory and files. */
  release(): void {
    this.#isReleased = true
    this.#drop()
  }

  #drop(): void {
    this.#locator.disk?.shelf.close()
    this.#locator.disk?.memory.remove(this.#locator)
  }

  #newKeeper({ layout, columns }: KeySource): LocatorKeeper {
    const hashKey = Buffer.from(this.#hasher.secret).toString('hex')
    return new LocatorKeeper(this.#locator, storedNames(layout, columns), hashKey)
  }

  #newLocator(): KeyLocator {
    if (this.#folder === null) return new KeyLocator()
    const { files, path, memory, random } = this.#folder
    return new KeyLocator({ disk: { shelf: new RunShelf(files, path, random), memory } })
  }

  /** @returns the files that the loaded locator is right for; `null`: there is none for this table */
  async #load(snapshot: TableSnapshot, { layout, columns }: KeySource): Promise<KnownFile[] | null> {
    const key = storedNames(layout, columns)
    const table = { store: this.#ports.store, path: this.#tablePath, snapshot, key }
    if (this.#folder === null) return null
    try {
      const loaded = await loadLocator(this.#folder, table, this.#pace())
      if (loaded === null) return null
      this.#drop()
      const { locator, saved } = loaded
      this.#hasher = KeyHasher.withSecret(Buffer.from(saved.hashKey, 'hex'))
      this.#locator = locator
      this.#keeper = new LocatorKeeper(locator, key, saved.hashKey, saved)
      this.#isWhole = true
      return saved.files.map(([, file]) => file)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      this.#warn(error, 'what this machine remembers of the table is left aside')
      return null
    }
  }

  /** From all live files. The hashes stay as they are: a batch may have been hashed already. */
  async #rebuild(snapshot: TableSnapshot, source: KeySource): Promise<void> {
    this.#drop()
    this.#isWhole = false
    this.#locator = this.#newLocator()
    this.#keeper = this.#newKeeper(source)
    if (this.#folder !== null) await deleteSaved(this.#folder.files, this.#folder.path).catch(() => {})
    await this.#read(snapshot.files.values(), source)
    this.#isWhole = true
    const shelf = this.#locator.disk?.shelf
    if (shelf !== undefined && shelf.runs.length > 0) {
      await this.save(async (work) => work(snapshot), this.#pace())
    }
  }

  async #read(files: Iterable<Parameters<typeof readKeys>[0]>, source: KeySource): Promise<void> {
    const pace = this.#pace()
    const locator = this.#locator
    let isDiskFailing = false
    for (const file of files) {
      for await (const _block of readKeys(file, source, this.#hasher, locator)) {
        await pace.step()
        if (isDiskFailing || this.#isReleased) continue
        try {
          await this.#keeper?.spillWhenTight(pace)
        } catch (error) {
          if (!(error instanceof EngineError)) throw error
          isDiskFailing = true
          this.#warn(error, 'the locator cannot be put on disk, and stays in memory')
        }
      }
    }
    await locator.takeIn(pace)
  }

  #pace(): Pace {
    return new Pace(this.#ports.clock, new AbortController().signal)
  }

  #warn(error: unknown, message: string): void {
    this.#ports.logger.warn({ table: this.#tablePath, error: messageOf(error) }, message)
  }
}

function storedNames(layout: TableLayout, columns: readonly Column[]): string[] {
  return columns.map(({ name }) => layout.fieldOf(name)!.name)
}
