import type { TableId } from '../schemas/change-event.ts'
import type { TableContract } from '../schemas/contract.ts'
import { AppendMode } from './append-mode.ts'
import { BagMode } from './bag-mode.ts'
import { assertWritable } from './delta/protocol.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { KeyHasher } from './locator/key-encoding.ts'
import { LocatedKeys, type LocatedKeysPorts } from './locator/located-keys.ts'
import type { InTurn } from './locator/locator-keeper.ts'
import { Pace } from './pace.ts'
import type { TableReader } from './table/table-reader.ts'
import type { TableLog } from './table-log.ts'
import type { TableMode } from './table-mode.ts'
import { stateOf, type TableState } from './table-state.ts'
import type { Turns } from './turns.ts'
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
  readonly #ports: LocatedKeysPorts
  readonly #path: string
  /** What the locator fits, or an older version; `null`: the table did not exist. */
  #located: TableSnapshot | null = null
  /** `null`: not read yet, or there is no table. */
  state: TableState | null = null
  /** `null`: not made yet. */
  mode: TableMode | null = null

  constructor(
    log: TableLog,
    reader: TableReader,
    table: TableId,
    contract: TableContract,
    ports: LocatedKeysPorts,
  ) {
    this.#log = log
    this.#reader = reader
    this.#table = table
    this.#contract = contract
    this.#ports = ports
    this.#path = log.tablePath
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
    const followed = this.state !== null && isSameKind(this.state, state) ? this.mode : null
    const known = followed === null ? null : this.#located
    const mode = followed ?? this.newMode(state)
    if (followed === null) this.mode?.release()
    this.state = null
    this.mode = null
    try {
      await mode.follow(known, snapshot, state.layout, this.#reader)
    } catch (error) {
      mode.release()
      throw error
    }
    this.state = state
    this.mode = mode
    this.#located = snapshot
  }

  /** The log may have moved on without us: the next flush takes everything over anew. */
  forget(): void {
    this.mode?.release()
    this.state = null
    this.mode = null
  }

  /** The locator has followed a commit of our own. */
  noteCommit(): void {
    this.#located = this.#log.snapshot
  }

  async keep(turns: Turns, signal: AbortSignal): Promise<void> {
    await this.mode?.keep(this.#between(turns), new Pace(this.#ports.clock, signal))
  }

  async save(turns: Turns, signal: AbortSignal): Promise<void> {
    await this.mode?.save(this.#between(turns), new Pace(this.#ports.clock, signal))
  }

  /** Whoever changes the locator has told which version it fits then. */
  #between(turns: Turns): InTurn {
    return (work) => turns.take(async () => work(this.#located))
  }

  newMode({ properties }: TableState): TableMode {
    if (properties.mode === 'append') return new AppendMode()
    if (properties.key === null) return new BagMode(new KeyHasher(this.#ports.random))
    const softDeletes = this.#contract.deletes === 'soft'
    return new UpsertMode({ key: properties.key, softDeletes }, new LocatedKeys(this.#ports, this.#path))
  }

  /** What is known of files that are not live is forgotten; the locator may need those that are remembered as removed. */
  forgetOldPaths(): void {
    const { files, tombstones } = this.#log.snapshot!
    const removed = new Set<string>()
    for (const { path } of tombstones.values()) removed.add(path)
    this.#reader.retain((path) => files.has(path))
    this.mode?.files.retain((path) => files.has(path) || removed.has(path))
  }
}

/** Whether a locator of the one is a locator of the other. */
function isSameKind(a: TableState, b: TableState): boolean {
  return (
    a.properties.mode === b.properties.mode && a.properties.key?.join('\n') === b.properties.key?.join('\n')
  )
}
