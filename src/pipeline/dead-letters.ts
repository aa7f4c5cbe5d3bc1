import { EngineError } from '../../core/errors.ts'
import type { PartitionPosition, RawRecord } from '../../core/ports.ts'
import type { ChangeEvent, Column, TableId, Undecodable } from '../../schemas/change-event.ts'
import { tableName } from '../../schemas/change-event.ts'
import { DEFAULT_CONTRACT } from '../../schemas/contract.ts'
import { arrayOf, type Cell, type DeltaType, field, struct } from '../../schemas/delta-types.ts'
import { rowShape } from '../../writers/table/table-layout.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import type { BatchBounds } from '../config/config.ts'

/** Where dead letters lie in a lake. */
export const DEAD_LETTERS_PATH = '_dlq'

const TABLE: TableId = { sourceName: 'alluvium', database: '', schema: '', table: DEAD_LETTERS_PATH }

const COLUMNS: readonly Column[] = Object.entries({
  topic: 'string',
  partition: 'integer',
  offset: 'long',
  timestamp: 'timestamp',
  table: 'string',
  reason: 'string',
  message: 'string',
  key: 'binary',
  value: 'binary',
  headers: arrayOf(struct([field('name', 'string'), field('value', 'binary')])),
} satisfies Record<string, DeltaType>).map(([name, type]) => ({ name, type, hasDefault: false }))

const SHAPE = rowShape(COLUMNS)
const KEY = COLUMNS.slice(0, 3)

/**
 * Records that could not be read as what they should be, as an ordinary table keyed by topic, partition and offset
 * (design §3.7): a record that is set aside twice is there once.
 */
export class DeadLetters {
  readonly #writer: TableWriter
  readonly #reasons = new Map<string, number>()

  private constructor(writer: TableWriter) {
    this.#writer = writer
  }

  static async open(ports: TableLogPorts, pipeline: string): Promise<DeadLetters> {
    const contract = { ...DEFAULT_CONTRACT, name: DEAD_LETTERS_PATH, changeFeed: 'rows' as const }
    const options = { pipeline, table: TABLE, contract, path: DEAD_LETTERS_PATH, isOrdered: false }
    return new DeadLetters(await TableWriter.open(ports, options))
  }

  /** Letters by reason, of this run. */
  get reasons(): ReadonlyMap<string, number> {
    return this.#reasons
  }

  /** Whether they fill a batch, or have waited as long as one may. */
  isDue({ rows, bytes, ageMs }: BatchBounds): boolean {
    const { buffered } = this.#writer
    if (buffered.count === 0) return false
    return buffered.count >= rows || buffered.sizeBytes >= bytes || buffered.ageMs >= ageMs
  }

  add(record: RawRecord, letter: Undecodable): void {
    this.#reasons.set(letter.reason, (this.#reasons.get(letter.reason) ?? 0) + 1)
    this.#writer.add(toEvent(record, letter))
  }

  /**
   * Must come before the commit of any table that has passed these records: a letter is never lost.
   *
   * @throws EngineError that stops the process: no table may go on without its letters
   */
  async flush(): Promise<void> {
    if (this.#writer.buffered.count === 0) return
    const noPositions: readonly PartitionPosition[] = []
    try {
      await this.#writer.flush(noPositions)
    } catch (error) {
      if (!(error instanceof EngineError) || error.remedy !== 'stop-table') throw error
      throw new EngineError(error.code, 'stop', `dead letters cannot be kept: ${error.message}`, {}, error)
    }
  }
}

function toEvent(record: RawRecord, letter: Undecodable): ChangeEvent {
  const headers: Cell = record.headers.map(([name, value]) => [name, value])
  const cells: readonly Cell[] = [
    record.topic,
    record.partition,
    record.offset,
    BigInt(record.timestampMs) * 1000n,
    letter.table === null ? null : tableName(letter.table),
    letter.reason,
    letter.message,
    record.key,
    record.value,
    headers,
  ]
  return {
    kind: 'change',
    op: 'c',
    table: TABLE,
    key: { columns: KEY, values: cells.slice(0, KEY.length) },
    before: null,
    after: { shape: SHAPE, cells },
    position: { epoch: 0, seq: record.offset, lsn: record.offset },
    lsn: null,
    txId: null,
    sourceTimeUs: null,
    newKey: null,
    oldKey: null,
    at: letter.at,
    sizeBytes: (record.key?.length ?? 0) + (record.value?.length ?? 0),
  }
}
