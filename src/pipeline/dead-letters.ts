import { EngineError, messageOf } from '../../core/errors.ts'
import type { Logger, PartitionPosition } from '../../core/ports.ts'
import type { ChangeEvent, Column, TableId } from '../../schemas/change-event.ts'
import { tableName } from '../../schemas/change-event.ts'
import { DEFAULT_CONTRACT } from '../../schemas/contract.ts'
import { arrayOf, type Cell, type DeltaType, field, struct } from '../../schemas/delta-types.ts'
import { rowShape } from '../../writers/table/table-layout.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import type { Letter } from './letter-box.ts'
import type { DeadLetter } from './read-dead-letters.ts'

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
  replayed: 'timestamp',
} satisfies Record<string, DeltaType>).map(([name, type]) => ({ name, type, hasDefault: false }))

const SHAPE = rowShape(COLUMNS)
const KEY = COLUMNS.slice(0, 3)

/**
 * Records that could not be read as what they should be, as an ordinary table keyed by topic, partition and offset
 * (design §3.7): a record that is set aside twice is there once.
 */
export class DeadLetters {
  readonly #writer: TableWriter
  readonly #logger: Logger
  readonly #ending = new AbortController()
  #writing: Promise<void> = Promise.resolve()
  #keeping: Promise<void> | null = null

  private constructor(writer: TableWriter, logger: Logger) {
    this.#writer = writer
    this.#logger = logger
  }

  static async open(ports: TableLogPorts, pipeline: string): Promise<DeadLetters> {
    const contract = { ...DEFAULT_CONTRACT, name: DEAD_LETTERS_PATH, changeFeed: 'rows' as const }
    const options = { pipeline, table: TABLE, contract, path: DEAD_LETTERS_PATH, isOrdered: false }
    return new DeadLetters(await TableWriter.open(ports, options), ports.logger)
  }

  /**
   * Resolves when the letters are durable, in one commit.
   *
   * @throws EngineError that stops the process: no table may go on without its letters
   */
  write(letters: readonly Letter[]): Promise<void> {
    this.#writing = this.#writing.then(() => this.#commit(letters.map(toEvent)))
    return this.#writing
  }

  /** Gives up what is done beside the writing. @returns when nothing of it is under way any more */
  async settle(): Promise<void> {
    this.#ending.abort()
    await this.#keeping
  }

  /** Notes that letters have been replayed: they stay, and no later copy of them takes the note away. */
  async markReplayed(letters: readonly DeadLetter[], atMs: number): Promise<void> {
    if (letters.length > 0) await this.#commit(letters.map((letter) => toReplayed(letter, atMs)))
  }

  async #commit(events: readonly ChangeEvent[]): Promise<void> {
    for (const event of events) this.#writer.add(event)
    const noPositions: readonly PartitionPosition[] = []
    try {
      await this.#writer.flush(noPositions)
      this.#keeping ??= this.#keep()
    } catch (error) {
      if (!(error instanceof EngineError) || error.remedy !== 'stop-table') throw error
      throw new EngineError(error.code, 'stop', `dead letters cannot be kept: ${error.message}`, {}, error)
    }
  }

  /** As of any table, beside its commits; that it fails harms nothing. */
  async #keep(): Promise<void> {
    try {
      await this.#writer.upkeepWhenDue()
      await this.#writer.mergeWhenDue(this.#ending.signal)
    } catch (error) {
      const code = error instanceof EngineError ? error.code : 'E_BUG'
      const fields = { event: 'table.upkeep-failed', table: DEAD_LETTERS_PATH, code, error: messageOf(error) }
      this.#logger.warn(fields, 'the upkeep of a table failed')
    }
    this.#keeping = null
  }
}

function toEvent({ record, why }: Letter): ChangeEvent {
  const table = why.table === null ? null : tableName(why.table)
  const { reason, message } = why
  return eventOf({ ...record, table, reason, message, replayedMs: null }, 'c')
}

function toReplayed(letter: DeadLetter, atMs: number): ChangeEvent {
  return eventOf({ ...letter, replayedMs: atMs }, 'u')
}

function eventOf(letter: DeadLetter, op: 'c' | 'u'): ChangeEvent {
  const { topic, partition, offset, timestampMs, replayedMs } = letter
  const headers: Cell = letter.headers.map(([name, value]) => [name, value])
  const cells: readonly Cell[] = [
    ...[topic, partition, offset, BigInt(timestampMs) * 1000n],
    ...[letter.table, letter.reason, letter.message],
    ...[letter.key, letter.value, headers],
    replayedMs === null ? null : BigInt(replayedMs) * 1000n,
  ]
  return {
    kind: 'change',
    op,
    table: TABLE,
    key: { columns: KEY, values: cells.slice(0, KEY.length) },
    before: null,
    after: { shape: SHAPE, cells },
    position: { epoch: 0, seq: offset, lsn: op === 'c' ? offset : offset + 1n },
    lsn: null,
    txId: null,
    sourceTimeUs: null,
    newKey: null,
    oldKey: null,
    at: { topic, partition, offset, timestampMs },
    sizeBytes: (letter.key?.length ?? 0) + (letter.value?.length ?? 0),
  }
}
