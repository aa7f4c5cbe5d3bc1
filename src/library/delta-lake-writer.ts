import { assert } from '../../core/assert.ts'
import { EngineError } from '../../core/errors.ts'
import type { Logger, PartitionPosition } from '../../core/ports.ts'
import { type ChangeEvent, type TableId, tableName } from '../../schemas/change-event.ts'
import { DEFAULT_CONTRACT, type TableContract } from '../../schemas/contract.ts'
import { partitionName } from '../../writers/partition-name.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { addCounts, type RowCounts } from '../../writers/table-mode.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import { addTally, emptyTally, type Tally } from '../../writers/tally.ts'
import { Turns } from '../../writers/turns.ts'
import type { StoreSettings } from '../config/config.ts'
import { parseLake } from '../config/default-config.ts'
import { openWritingPorts } from '../engine.ts'
import { upkeepFailed } from '../pipeline/upkeep-failed.ts'
import { SILENT } from './silent.ts'

export interface DeltaLakeWriterOptions {
  /** Where the table lies: `./delta-lake/customers`, `s3://bucket/delta/customers`. Made with its first rows. */
  readonly tablePath: string
  /** Key, mode, partitions, change feed (on unless it says `off`), readers: what is not said has its default. */
  readonly contract?: Partial<Omit<TableContract, 'name'>>
  readonly store?: Partial<StoreSettings>
  /** Part of the names by which the table's log knows how far it was written: one writer at a time has a name. */
  readonly writerName?: string
  readonly logger?: Logger
}

/** What became of some events. */
export interface WriteResult {
  /** Of the table, after them; `null`: there is no table yet. */
  readonly version: number | null
  readonly rows: RowCounts
  /** Each event counted once. */
  readonly tally: Tally
}

/**
 * Writes the changes of one table to where a program wants them, exactly once: events that are given again, by this
 * process or the next one, are known by topic, partition and offset. Each call is one commit (a TRUNCATE is one more),
 * so many events a call are much cheaper than one. The result does not depend on how events are cut into calls.
 *
 * ```ts
 * const writer = await DeltaLakeWriter.open({ tablePath: './delta-lake/customers', contract: { key: ['id'] } })
 * await writer.writeBatch(changes)
 * await writer.close()
 * ```
 */
export class DeltaLakeWriter {
  readonly #ports: TableLogPorts
  readonly #options: DeltaLakeWriterOptions
  readonly #turns = new Turns()
  readonly #ended = new AbortController()
  #writer: TableWriter | null = null

  private constructor(ports: TableLogPorts, options: DeltaLakeWriterOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** @throws EngineError `E_LAKE` (usage), `E_STORE_UNFIT` where safe commits cannot be made */
  static async open(options: DeltaLakeWriterOptions): Promise<DeltaLakeWriter> {
    const { store, logger = SILENT } = options
    const { folder } = splitPath(options.tablePath)
    const config = { lake: parseLake(folder), store: { pathStyle: false, ...store } }
    return new DeltaLakeWriter(await openWritingPorts(config, logger), options)
  }

  write(event: ChangeEvent): Promise<WriteResult> {
    return this.writeBatch([event])
  }

  /**
   * @param events of one table, in order inside each partition
   * @throws EngineError; the events may then be given again
   */
  writeBatch(events: readonly ChangeEvent[]): Promise<WriteResult> {
    return this.#turns.take(() => this.#write(events))
  }

  /** Waits for what was given. */
  async close(): Promise<void> {
    this.#ended.abort()
    await this.#turns.take(async () => {})
  }

  async #write(events: readonly ChangeEvent[]): Promise<WriteResult> {
    assert(!this.#ended.signal.aborted, 'a writer that was closed is given nothing more')
    const tally = emptyTally()
    const rows = { inserted: 0, updated: 0, deleted: 0 }
    let next = new Map<string, PartitionPosition>()
    const flush = async (writer: TableWriter): Promise<void> => {
      const { counts, tally: judged } = await writer.flush([...next.values()])
      next = new Map()
      addTally(tally, judged)
      addCounts(rows, counts)
    }
    for (const event of events) {
      const writer = await this.#writerOf(event.table)
      const { topic, partition, offset } = event.at
      if (writer.hasPassed(event.at)) {
        tally.duplicates++
        continue
      }
      if (writer.mustFlushBefore(event)) await flush(writer)
      writer.add(event)
      next.set(partitionName(topic, partition), { topic, partition, nextOffset: offset + 1n })
    }
    if (this.#writer !== null) {
      await flush(this.#writer)
      await this.#keepInShape(this.#writer)
    }
    return { version: this.#writer?.version ?? null, rows, tally }
  }

  /** Checkpoints and merges, when they are due; one that fails harms nothing and is tried again after the next batch. */
  async #keepInShape(writer: TableWriter): Promise<void> {
    try {
      await writer.upkeepWhenDue()
      await writer.mergeWhenDue(this.#ended.signal)
    } catch (error) {
      upkeepFailed(this.#ports.logger, writer.options.contract.name, error)
    }
  }

  async #writerOf(table: TableId): Promise<TableWriter> {
    const { tablePath, contract, writerName = 'library' } = this.#options
    const name = tableName(table)
    const known = this.#writer
    if (known !== null) {
      if (tableName(known.options.table) === name) return known
      throw new EngineError(
        'E_TABLE_IDENTITY',
        'stop-table',
        `${tablePath} is written as the copy of ${known.options.contract.name}: give the changes of ${name} to a writer of their own`,
      )
    }
    this.#writer = await TableWriter.open(this.#ports, {
      table,
      path: splitPath(tablePath).name,
      pipeline: writerName,
      contract: { ...DEFAULT_CONTRACT, ...contract, name },
      isOrdered: true,
    })
    return this.#writer
  }
}

/** The folder that a table lies in, and its name there. */
function splitPath(tablePath: string): { readonly folder: string; readonly name: string } {
  const path = tablePath.replace(/\/+$/, '')
  const slash = path.lastIndexOf('/')
  return slash < 0
    ? { folder: path === '' ? '' : '.', name: path }
    : { folder: path.slice(0, slash) || '/', name: path.slice(slash + 1) }
}
