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
  /** When it was replayed, milliseconds; `null`: it was not. */
  readonly replayedMs: number | null
}

export interface DeadLetter extends LetterSummary {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[]
}

export interface LetterFilter {
  readonly table?: string
  readonly reason?: string
  readonly topic?: string
  readonly partition?: number
  /** First and last. */
  readonly offsets?: readonly [bigint, bigint]
  /** Also those that have been replayed. */
  readonly all?: boolean
}

export interface LetterList {
  /** The newest records first. */
  readonly letters: readonly LetterSummary[]
  /** Letters that the filter lets through, also those beyond the limit. */
  readonly count: number
}

const COORDINATES = ['topic', 'partition', 'offset', 'timestamp', 'table', 'reason', 'message']
const SUMMARY_COLUMNS = [...COORDINATES, 'replayed']
const LETTER_COLUMNS = [...COORDINATES, 'key', 'value', 'headers', 'replayed']

/** The newest dead letters of a lake, at most `limit`; their bytes are not read. */
export async function listDeadLetters(
  store: ObjectStore,
  filter: LetterFilter,
  limit: number,
): Promise<LetterList> {
  let letters: LetterSummary[] = []
  let count = 0
  const table = await DeltaTable.open(store, DEAD_LETTERS_PATH)
  for await (const cells of table?.rows({ columns: kept(table, SUMMARY_COLUMNS) }) ?? []) {
    const letter = summaryOf(cells)
    if (!isMeant(letter, filter)) continue
    count++
    letters.push(letter)
    if (letters.length >= 2 * limit) letters = newest(letters, limit)
  }
  return { letters: newest(letters, limit), count }
}

/** The first dead letters with their bytes, in the order of their partitions; at most `limit`. */
export async function readDeadLetters(
  store: ObjectStore,
  filter: LetterFilter,
  limit: number,
): Promise<DeadLetter[]> {
  let letters: DeadLetter[] = []
  const table = await DeltaTable.open(store, DEAD_LETTERS_PATH)
  for await (const cells of table?.rows({ columns: kept(table, LETTER_COLUMNS) }) ?? []) {
    const letter = letterOf(cells)
    if (isMeant(letter, filter)) letters.push(letter)
    if (letters.length >= 2 * limit) letters = letters.sort(inOrder).slice(0, limit)
  }
  return letters.sort(inOrder).slice(0, limit)
}

function isMeant(letter: LetterSummary, filter: LetterFilter): boolean {
  const { table, reason, topic, partition, offsets, all = false } = filter
  return (
    (all || letter.replayedMs === null) &&
    (table === undefined || letter.table === table) &&
    (reason === undefined || letter.reason === reason) &&
    (topic === undefined || letter.topic === topic) &&
    (partition === undefined || letter.partition === partition) &&
    (offsets === undefined || (letter.offset >= offsets[0] && letter.offset <= offsets[1]))
  )
}

/** Letters of a lake that no letter of which was ever replayed have no column for it. */
function kept(table: DeltaTable, names: readonly string[]): readonly string[] {
  return names.filter(
    (name) => name !== 'replayed' || table.schema.fields.some((field) => field.name === name),
  )
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
      const [found] = await reader.rows(file, table.select(kept(table, LETTER_COLUMNS)), [row])
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
  const isSamePartition = a.topic === b.topic && a.partition === b.partition
  return isSamePartition ? inOrder(b, a) : inOrder(a, b)
}

function inOrder(a: LetterSummary, b: LetterSummary): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  if (a.partition !== b.partition) return a.partition - b.partition
  return a.offset < b.offset ? -1 : 1
}

/** @param cells of `SUMMARY_COLUMNS` */
function summaryOf(cells: readonly Cell[]): LetterSummary {
  const [topic, partition, offset, timestamp, table, reason, message, replayed = null] = cells
  return {
    topic: topic as string,
    partition: partition as number,
    offset: offset as bigint,
    timestampMs: Number((timestamp as bigint) / 1000n),
    table: table as string | null,
    reason: reason as string,
    message: message as string,
    replayedMs: replayed === null ? null : Number((replayed as bigint) / 1000n),
  }
}

/** @param cells of `LETTER_COLUMNS` */
function letterOf(cells: readonly Cell[]): DeadLetter {
  const [key, value, headers, replayed = null] = cells.slice(COORDINATES.length)
  return {
    ...summaryOf([...cells.slice(0, COORDINATES.length), replayed]),
    key: key as Uint8Array | null,
    value: value as Uint8Array | null,
    headers: (headers ?? []) as unknown as DeadLetter['headers'],
  }
}
