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
    takeStored(batch, deleted, target)
    yield
  }
}

/** From the pages to the entries: no object, and no `bigint`, for a row whose key is an integer or a text. */
function takeStored(
  { startRow, rowCount, columns }: StoredBatch,
  deleted: RowSet | null,
  target: Target,
): void {
  const { types, hasher, locator, file } = target
  const key = types.map((type, i) => keyPart(type, columns[i]!, hasher))
  const position = new PositionWalk(columns.slice(types.length), locator)
  const words = new Uint32Array(HASH_WORDS)
  const entry = new Uint32Array(ENTRY_WORDS)
  entry[FILE] = file
  for (let row = startRow; row < startRow + rowCount; row++) {
    hasher.begin()
    for (let i = 0; i < key.length; i++) key[i]!()
    position.next()
    if (deleted?.has(row) === true) continue
    hasher.finish(words, 0)
    setHash(entry, words, 0)
    entry[ROW] = row
    position.encode(entry)
    locator.pile.add(partOf(words, 0), entry)
  }
}

/** Goes to a key column's next row and adds its value to the key that is being hashed. */
function keyPart(type: DeltaType, column: StoredColumn | null, hasher: KeyHasher): () => void {
  if (column === null) return () => hasher.addCell(type, null)
  const walk = new ColumnWalk(column)
  const isInteger = type === 'long' || type === 'integer' || type === 'short' || type === 'byte'
  return () => {
    walk.next()
    const { index, texts, words, numbers } = walk
    if (index < 0) hasher.addCell(type, null)
    else if (isInteger && words !== null) hasher.addInt64(words[2 * index]!, words[2 * index + 1]!)
    else if (isInteger && numbers !== null) hasher.addInt64(numbers[index]!, numbers[index]! >> 31)
    else if (type === 'string' && texts !== null) hasher.addUtf8(texts, index)
    else hasher.addCell(type, walk.cell())
  }
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
