import { assert } from '../../core/assert.ts'
import type { TableId } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import type { Position } from '../../schemas/position.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import { liveRowCount } from '../../writers/table/row-count.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { readProgress } from '../../writers/table-progress.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import type { PartitionProgress } from './partition-progress.ts'
import { refuseOtherSource } from './refusals.ts'
import { TableOwner, type TableStanding } from './table-owner.ts'
import { TablePatterns } from './table-patterns.ts'
import { beginSkipped } from './table-start.ts'
import type { MarkKnowledge, PipelineOptions } from './topic-work.ts'

/** The tables that records have named, or that topics can feed. */
export class TableOwners implements Iterable<TableOwner> {
  readonly #ports: TableLogPorts
  readonly #options: PipelineOptions
  readonly #owners = new Map<string, TableOwner>()
  #held: ReadonlySet<string> = new Set()
  /** The tables that the passed mark holds for. */
  #covered = TablePatterns.ALL
  #floors: ReadonlyMap<string, Position> = new Map()

  constructor(ports: TableLogPorts, options: PipelineOptions) {
    this.#ports = ports
    this.#options = options
  }

  [Symbol.iterator](): Iterator<TableOwner> {
    return this.#owners.values()
  }

  /** Tables that there are, or that stopped before they came to be. */
  existing(): TableOwner[] {
    return [...this.#owners.values()].filter(
      ({ writer, standing, stopped }) => writer !== null || standing !== null || stopped !== null,
    )
  }

  named(name: string): TableOwner | null {
    return this.#owners.get(name) ?? null
  }

  /** Names all tables that are held, also such as come later. */
  hold(names: readonly string[]): void {
    this.#held = new Set(names)
    for (const owner of this) owner.isHeld = this.#held.has(owner.contract.name)
  }

  of(contract: TableContract): TableOwner {
    const known = this.#owners.get(contract.name)
    if (known !== undefined) return known
    const owner = new TableOwner(contract)
    owner.isHeld = this.#held.has(contract.name)
    this.#owners.set(contract.name, owner)
    return owner
  }

  /** What the log of a table tells before any record has named it; `null`: there is no table. */
  async standing(table: TableId): Promise<TableStanding | null> {
    const { name: pipeline, pathOf } = this.#options
    const path = pathOf(table)
    const snapshot = await loadSnapshot(this.#ports.store, path)
    if (snapshot === null) return null
    const { version, txns } = snapshot
    return { path, version, rows: liveRowCount(snapshot), progress: readProgress(txns, pipeline) }
  }

  /**
   * Records of a partition, which may be another source's or have a gap, are about to be given to a table's writer.
   *
   * @throws EngineError (stop-table) when the table is another's, or missed records
   */
  admit(owner: TableOwner, table: TableId, progress: PartitionProgress): TableWriter {
    const { writer } = owner
    assert(writer !== null, 'a table is opened before it is given anything')
    refuseOtherSource(writer.options.table, table, owner.contract.name)
    if (owner.partitions.has(progress)) return writer
    const own = writer.nextOffset(progress.topic, progress.partition)
    if (!this.#wasSeen(owner, progress)) progress.refuseShorter(own)
    progress.refuseGap(own, owner)
    this.begin(owner, progress, own)
    owner.partitions.add(progress)
    return writer
  }

  /**
   * Whether the table was looked at when the partition came. Another process may have moved it on since, beyond what was
   * the end of the topic then.
   */
  #wasSeen({ contract: { name } }: TableOwner, { topic }: PartitionProgress): boolean {
    return this.#options.tablesOf(topic).some((known) => known.name === name && known.table !== null)
  }

  knowMark({ tables, floors }: MarkKnowledge): void {
    this.#covered = TablePatterns.of(tables)
    this.#floors = new Map(floors.map(({ table, position }) => [table, position]))
  }

  /** @throws EngineError (stop-table), see `beginSkipped` */
  begin(owner: TableOwner, progress: PartitionProgress, own: bigint | null): void {
    const { name } = owner.contract
    if (!this.#covered.covers(name)) beginSkipped(progress, owner, own, this.#options.startOf(name))
  }

  /** @throws EngineError (stop-table) when the table cannot be opened */
  async open(owner: TableOwner, table: TableId): Promise<void> {
    const { name: pipeline, pathOf } = this.#options
    const { contract, acceptsRestore } = owner
    const floor = this.#floors.get(contract.name) ?? null
    const path = pathOf(table)
    const options = { pipeline, table, contract, path, isOrdered: true, floor, acceptsRestore }
    owner.writer = await TableWriter.open(this.#ports, options)
    owner.table = table
  }
}
