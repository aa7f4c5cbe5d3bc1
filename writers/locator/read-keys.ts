import { type Cell, type DeltaType, type StructType, struct } from '../../schemas/delta-types.ts'
import type { RowSet } from '../delta/row-set.ts'
import type { StoredBatch } from '../parquet/read-parquet.ts'
import { ColumnWalk, type StoredColumn } from '../parquet/stored-column.ts'
import { storedPosition } from '../system-cells.ts'
import type { RowFile } from '../table/table-reader.ts'
import { ENTRY_WORDS, FILE, POSITION, partOf, ROW, setHash } from './entry.ts'
import { HASH_WORDS, type KeyHasher } from './key-encoding.ts'
import type { KeyLocator } from './key-locator.ts'
import type { KeySource } from './located-keys.ts'

/** Rows between two turns of others: some five milliseconds. */
const ROWS_AT_ONCE = 16_384

/** What the rows of one file are put into. */
interface Target {
  readonly types: readonly DeltaType[]
  readonly hasher: KeyHasher
  readonly locator: KeyLocator
  readonly file: number
}

/** Puts the live rows of a file into a locator. Yields between two blocks of rows, so that others get their turn. */
export async function* readKeys(
  file: RowFile,
  source: KeySource,
  hasher: KeyHasher,
  locator: KeyLocator,
): AsyncGenerator<void> {
  const { layout, reader, columns } = source
  const schema = struct([...columns.map(({ name }) => layout.fieldOf(name)!), ...layout.system.slice(0, 3)])
  const types = columns.map(({ type }) => type)
  const target = { types, hasher, locator, file: locator.files.ordinalOf(file.path) }
  const batches = await reader.storedBatches(file, schema)
  if (batches === null) return yield* readCells(file, source, schema, target)
  const deleted = await reader.deletedRows(file)
  for await (const batch of batches) {
    const rows = new StoredKeys(batch, deleted, target)
    while (rows.take(ROWS_AT_ONCE)) yield
  }
}

/** From the pages to the entries: no object, and no `bigint`, for a row whose key is an integer or a text. */
class StoredKeys {
  readonly #deleted: RowSet | null
  readonly #target: Target
  readonly #key: KeyWalk
  readonly #position: PositionWalk
  readonly #endRow: number
  #row: number

  constructor({ startRow, rowCount, columns }: StoredBatch, deleted: RowSet | null, target: Target) {
    const { types, locator } = target
    this.#deleted = deleted
    this.#target = target
    this.#key = walkKeys(columns, target)
    this.#position = new PositionWalk(columns.slice(types.length), locator)
    this.#row = startRow
    this.#endRow = startRow + rowCount
  }

  /** Piles up the next rows. @returns whether there were any */
  take(count: number): boolean {
    const { locator, file } = this.#target
    const [key, position, deleted] = [this.#key, this.#position, this.#deleted]
    const begin = this.#row
    this.#row = Math.min(begin + count, this.#endRow)
    const words = new Uint32Array(HASH_WORDS)
    const entry = new Uint32Array(ENTRY_WORDS)
    entry[FILE] = file
    for (let row = begin; row < this.#row; row++) {
      key.next()
      position.next()
      if (deleted?.has(row) === true) continue
      key.hash(words)
      setHash(entry, words, 0)
      entry[ROW] = row
      position.encode(entry)
      locator.pile.add(partOf(words, 0), entry)
    }
    return this.#row > begin
  }
}

/** Walks over the keys of rows. */
interface KeyWalk {
  next(): void
  /** The hash of the row's key. */
  hash(out: Uint32Array): void
}

function walkKeys(columns: readonly (StoredColumn | null)[], { types, hasher }: Target): KeyWalk {
  const [column] = columns
  if (types.length === 1 && isInteger(types[0]!) && column) return new IntegerWalk(types, column, hasher)
  return new ColumnsWalk(types, columns, hasher)
}

/** Of the commonest key: one integer. */
class IntegerWalk implements KeyWalk {
  readonly #types: readonly DeltaType[]
  readonly #walk: ColumnWalk
  readonly #hasher: KeyHasher

  constructor(types: readonly DeltaType[], column: StoredColumn, hasher: KeyHasher) {
    this.#types = types
    this.#walk = new ColumnWalk(column)
    this.#hasher = hasher
  }

  next(): void {
    this.#walk.next()
  }

  hash(out: Uint32Array): void {
    const { index, words, numbers } = this.#walk
    if (index >= 0 && words !== null) {
      this.#hasher.hashInt64(words[2 * index]!, words[2 * index + 1]!, out, 0)
    } else if (index >= 0 && numbers !== null) {
      this.#hasher.hashInt64(numbers[index]!, numbers[index]! >> 31, out, 0)
    } else {
      this.#hasher.hashKey(this.#types, [this.#walk.cell()], out, 0)
    }
  }
}

class ColumnsWalk implements KeyWalk {
  readonly #types: readonly DeltaType[]
  readonly #walks: readonly (ColumnWalk | null)[]
  readonly #hasher: KeyHasher

  constructor(types: readonly DeltaType[], columns: readonly (StoredColumn | null)[], hasher: KeyHasher) {
    this.#types = types
    this.#walks = types.map((_, i) => (columns[i] ? new ColumnWalk(columns[i]) : null))
    this.#hasher = hasher
  }

  next(): void {
    for (let i = 0; i < this.#walks.length; i++) this.#walks[i]?.next()
  }

  hash(out: Uint32Array): void {
    this.#hasher.begin()
    for (let i = 0; i < this.#walks.length; i++) this.#add(this.#types[i]!, this.#walks[i]!)
    this.#hasher.finish(out, 0)
  }

  #add(type: DeltaType, walk: ColumnWalk | null): void {
    const hasher = this.#hasher
    if (walk === null || walk.index < 0) hasher.addCell(type, null)
    else if (isInteger(type) && walk.words !== null)
      hasher.addInt64(walk.words[2 * walk.index]!, walk.words[2 * walk.index + 1]!)
    else if (isInteger(type) && walk.numbers !== null)
      hasher.addInt64(walk.numbers[walk.index]!, walk.numbers[walk.index]! >> 31)
    else if (type === 'string' && walk.texts !== null) hasher.addUtf8(walk.texts, walk.index)
    else hasher.addCell(type, walk.cell())
  }
}

function isInteger(type: DeltaType): boolean {
  return type === 'long' || type === 'integer' || type === 'short' || type === 'byte'
}

/** Walks over the positions of rows: `_cdc_epoch`, `_cdc_seq`, `_cdc_lsn`. */
class PositionWalk {
  readonly #epoch: ColumnWalk | null
  readonly #seq: ColumnWalk | null
  readonly #lsn: ColumnWalk | null
  readonly #positions: KeyLocator['positions']

  constructor(columns: readonly (StoredColumn | null)[], { positions }: KeyLocator) {
    const [epoch, seq, lsn] = columns.map((column) => (column === null ? null : new ColumnWalk(column)))
    this.#epoch = epoch!
    this.#seq = seq!
    this.#lsn = lsn!
    this.#positions = positions
  }

  next(): void {
    this.#epoch?.next()
    this.#seq?.next()
    this.#lsn?.next()
  }

  encode(entry: Uint32Array): void {
    const [epoch, seq, lsn] = [this.#epoch, this.#seq, this.#lsn]
    if (epoch === null || seq === null || lsn === null || epoch.index < 0 || seq.index < 0 || lsn.index < 0) {
      this.#positions.encode(null, entry, POSITION)
    } else if (epoch.numbers !== null && seq.words !== null && lsn.words !== null) {
      const [s, l] = [2 * seq.index, 2 * lsn.index]
      this.#positions.encodeWords(
        epoch.numbers[epoch.index]!,
        seq.words[s]!,
        seq.words[s + 1]!,
        lsn.words[l]!,
        lsn.words[l + 1]!,
        entry,
        POSITION,
      )
    } else {
      this.#positions.encode(storedPosition(epoch.cell(), seq.cell(), lsn.cell()), entry, POSITION)
    }
  }
}

/** Where key columns are partition columns: their values are told by the log. */
async function* readCells(
  file: RowFile,
  { reader, columns }: KeySource,
  schema: StructType,
  { types, hasher, locator, file: ordinal }: Target,
): AsyncGenerator<void> {
  const words = new Uint32Array(HASH_WORDS)
  const entry = new Uint32Array(ENTRY_WORDS)
  entry[FILE] = ordinal
  for await (const { startRow, rowCount, columns: cells, deleted } of reader.scan(file, schema)) {
    const [epoch, seq, lsn] = cells.slice(columns.length)
    for (let i = 0; i < rowCount; i++) {
      if (deleted?.has(startRow + i) === true) continue
      const key: Cell[] = columns.map((_, column) => cells[column]![i]!)
      hasher.hashKey(types, key, words, 0)
      setHash(entry, words, 0)
      entry[ROW] = startRow + i
      locator.positions.encode(storedPosition(epoch![i]!, seq![i]!, lsn![i]!), entry, POSITION)
      locator.pile.add(partOf(words, 0), entry)
    }
    yield
  }
}
