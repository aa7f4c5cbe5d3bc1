import type { ObjectStore } from '../../core/ports.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { TableReader } from '../../writers/table/table-reader.ts'
import { DEAD_LETTERS_PATH } from './dead-letters.ts'

/** What a dead letter is, without its bytes. */
export interface LetterSummary {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Of the record, milliseconds. */
  readonly timestampMs: number
  /** `schema.table`; `null` when the record did not get far enough to tell. */
  readonly table: string | null
  /** Stable code, e.g. `BAD_JSON`. */
  readonly reason: string
  readonly message: string
}

export interface DeadLetter extends LetterSummary {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[]
}

export interface LetterFilter {
  readonly table?: string
  readonly reason?: string
}

export interface LetterList {
  /** The newest records first. */
  readonly letters: readonly LetterSummary[]
  /** Letters that the filter lets through, also those beyond the limit. */
  readonly count: number
}

const SUMMARY_COLUMNS = ['topic', 'partition', 'offset', 'timestamp', 'table', 'reason', 'message']
const LETTER_COLUMNS = [...SUMMARY_COLUMNS, 'key', 'value', 'headers']

/** The newest dead letters of a lake, at most `limit`; their bytes are not read. */
export async function listDeadLetters(
  store: ObjectStore,
  filter: LetterFilter,
  limit: number,
): Promise<LetterList> {
  let letters: LetterSummary[] = []
  let count = 0
  const table = await DeltaTable.open(store, DEAD_LETTERS_PATH)
  for await (const cells of table?.rows({ columns: SUMMARY_COLUMNS }) ?? []) {
    const letter = summaryOf(cells)
    if (filter.table !== undefined && letter.table !== filter.table) continue
    if (filter.reason !== undefined && letter.reason !== filter.reason) continue
    count++
    letters.push(letter)
    if (letters.length >= 2 * limit) letters = newest(letters, limit)
  }
  return { letters: newest(letters, limit), count }
}

/** One dead letter with its bytes. @returns `null` when there is none of these coordinates */
export async function findDeadLetter(
  store: ObjectStore,
  topic: string,
  partition: number,
  offset: bigint,
): Promise<DeadLetter | null> {
  const table = await DeltaTable.open(store, DEAD_LETTERS_PATH)
  if (table === null) return null
  const reader = new TableReader(store, DEAD_LETTERS_PATH)
  const coordinates = table.select(['topic', 'partition', 'offset'])
  for (const file of table.snapshot.files.values()) {
    for await (const { row, cells } of reader.liveRows(file, coordinates)) {
      if (cells[0] !== topic || cells[1] !== partition || cells[2] !== offset) continue
      const [found] = await reader.rows(file, table.select(LETTER_COLUMNS), [row])
      return letterOf(found!)
    }
  }
  return null
}

function newest(letters: readonly LetterSummary[], limit: number): LetterSummary[] {
  return letters.toSorted(newestFirst).slice(0, limit)
}

function newestFirst(a: LetterSummary, b: LetterSummary): number {
  if (a.timestampMs !== b.timestampMs) return b.timestampMs - a.timestampMs
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  if (a.partition !== b.partition) return a.partition - b.partition
  return a.offset > b.offset ? -1 : 1
}

function summaryOf(cells: readonly Cell[]): LetterSummary {
  const [topic, partition, offset, timestamp, table, reason, message] = cells
  return {
    topic: topic as string,
    partition: partition as number,
    offset: offset as bigint,
    timestampMs: Number((timestamp as bigint) / 1000n),
    table: table as string | null,
    reason: reason as string,
    message: message as string,
  }
}

function letterOf(cells: readonly Cell[]): DeadLetter {
  const [key, value, headers] = cells.slice(SUMMARY_COLUMNS.length)
  return {
    ...summaryOf(cells),
    key: key as Uint8Array | null,
    value: value as Uint8Array | null,
    headers: (headers ?? []) as unknown as DeadLetter['headers'],
  }
}
