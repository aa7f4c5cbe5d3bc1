import type { Column } from '../../schemas/change-event.ts'
import { type Cell, struct } from '../../schemas/delta-types.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { storedPosition } from '../system-cells.ts'
import type { TableLayout } from '../table/table-layout.ts'
import type { TableReader } from '../table/table-reader.ts'
import type { FileOrdinals } from './file-ordinals.ts'
import type { StoredKey } from './key-locator.ts'

/**
 * Reads the given columns and the position of every live row, file by file: what a locator is made anew from.
 *
 * @param columns source columns to read; the cells arrive in this order
 */
export async function rebuildLocator(
  snapshot: TableSnapshot,
  layout: TableLayout,
  reader: TableReader,
  files: FileOrdinals,
  columns: readonly Column[],
  take: (cells: readonly Cell[], stored: StoredKey) => void,
): Promise<void> {
  const position = layout.system.slice(0, 3)
  const schema = struct([...columns.map((column) => layout.fieldOf(column.name)!), ...position])
  for (const file of snapshot.files.values()) {
    const ordinal = files.ordinalOf(file.path)
    for await (const { row, cells } of reader.liveRows(file, schema)) {
      const [epoch, seq, lsn] = cells.slice(columns.length)
      take(cells.slice(0, columns.length), {
        place: { file: ordinal, row },
        position: storedPosition(epoch!, seq!, lsn!),
      })
    }
  }
}
