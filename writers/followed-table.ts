import type { Random } from '../core/ports.ts'
import type { TableId } from '../schemas/change-event.ts'
import type { TableContract } from '../schemas/contract.ts'
import { AppendMode } from './append-mode.ts'
import { BagMode } from './bag-mode.ts'
import { assertWritable } from './delta/protocol.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { KeyHasher } from './locator/key-encoding.ts'
import type { TableReader } from './table/table-reader.ts'
import type { TableLog } from './table-log.ts'
import type { TableMode } from './table-mode.ts'
import { stateOf, type TableState } from './table-state.ts'
import { UpsertMode } from './upsert-mode.ts'

/**
 * The table at the version that its log stands at, with what a writer makes of that version: layout and properties, and
 * a locator of its rows. Made when the first events are flushed: a table that has no news costs the reading of its log.
 */
export class FollowedTable {
  readonly #log: TableLog
  readonly #reader: TableReader
  readonly #table: TableId
  readonly #contract: TableContract
  readonly #hasher: KeyHasher
  /** `null`: not read yet, or there is no table. */
  state: TableState | null = null
  /** `null`: not made yet. */
  mode: TableMode | null = null

  constructor(log: TableLog, reader: TableReader, table: TableId, contract: TableContract, random: Random) {
    this.#log = log
    this.#reader = reader
    this.#table = table
    this.#contract = contract
    this.#hasher = new KeyHasher(random)
  }

  /** `null`: there is no table yet. */
  get snapshot(): TableSnapshot | null {
    return this.#log.snapshot
  }

  /**
   * Takes over what a snapshot tells: layout, properties, and a locator made from its files. When that fails, nothing is
   * known of the table, and the next flush takes it over anew.
   *
   * @throws EngineError (stop-table) when it is no longer our table, or beyond us
   */
  async follow(snapshot: TableSnapshot): Promise<void> {
    const { protocol, metadata, schema } = snapshot
    assertWritable(protocol, metadata, schema, this.#contract.mode === 'append' ? 'append' : 'change')
    const state = stateOf(snapshot, this.#table, this.#contract)
    this.forget()
    const mode = this.newMode(state)
    await mode.rebuild(snapshot, state.layout, this.#reader)
    this.state = state
    this.mode = mode
  }

  /** The log may have moved on without us: the next flush takes everything over anew. */
  forget(): void {
    this.state = null
    this.mode = null
  }

  newMode({ properties }: TableState): TableMode {
    if (properties.mode === 'append') return new AppendMode()
    if (properties.key === null) return new BagMode(this.#hasher)
    const softDeletes = this.#contract.deletes === 'soft'
    return new UpsertMode({ key: properties.key, softDeletes }, this.#hasher)
  }

  /** What the locator knows of files that are neither live nor remembered as removed is forgotten. */
  forgetOldPaths(): void {
    const { files, tombstones } = this.#log.snapshot!
    const removed = new Set<string>()
    for (const { path } of tombstones.values()) removed.add(path)
    this.mode?.files.retain((path) => files.has(path) || removed.has(path))
  }
}
