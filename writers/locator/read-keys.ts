import { type Cell, struct } from '../../schemas/delta-types.ts'
import { storedPosition } from '../system-cells.ts'
import type { RowFile } from '../table/table-reader.ts'
import { HASH_WORDS, type KeyHasher } from './key-encoding.ts'
import type { KeyLocator } from './key-locator.ts'
import type { KeySource } from './located-keys.ts'

/** Puts the live rows of a file into a locator. Yields between two blocks of rows, so that others get their turn. */
export async function* readKeys(
  file: RowFile,
  { layout, reader, columns }: KeySource,
  hasher: KeyHasher,
  locator: KeyLocator,
): AsyncGenerator<void> {
  const schema = struct([...columns.map(({ name }) => layout.fieldOf(name)!), ...layout.system.slice(0, 3)])
  const types = columns.map(({ type }) => type)
  const ordinal = locator.files.ordinalOf(file.path)
  const words = new Uint32Array(HASH_WORDS)
  for await (const { startRow, rowCount, columns: cells, deleted } of reader.scan(file, schema)) {
    const [epoch, seq, lsn] = cells.slice(columns.length)
    for (let i = 0; i < rowCount; i++) {
      if (deleted?.has(startRow + i) === true) continue
      const key: Cell[] = columns.map((_, column) => cells[column]![i]!)
      hasher.hashKey(types, key, words, 0)
      const place = { file: ordinal, row: startRow + i }
      locator.put(words, 0, place, storedPosition(epoch![i]!, seq![i]!, lsn![i]!))
    }
    yield
  }
}
