import type { ChangeEvent, RowImage } from '../schemas/change-event.ts'
import { cellOf } from '../schemas/packed-rows.ts'

/**
 * Events as a table partitioned by these columns can hold them: the text of a partition value does not tell an empty
 * string from null, nor -0 from 0. Done before anything else, so that an image and the row it is about are the same,
 * whether that row stands in the batch or was read back.
 *
 * @param columns source names; none: the events themselves
 * @see PROTOCOL.md "Partition Value Serialization"
 */
export function asPartitioned(
  events: readonly ChangeEvent[],
  columns: readonly string[],
): readonly ChangeEvent[] {
  if (columns.length === 0) return events
  return events.map((event) => {
    const before = partitionedImage(event.before, columns)
    const after = partitionedImage(event.after, columns)
    return before === event.before && after === event.after ? event : { ...event, before, after }
  })
}

/** As `asPartitioned`, of one image. */
export function partitionedImage(image: RowImage | null, columns: readonly string[]): RowImage | null {
  let cells: RowImage['cells'][number][] | null = null
  for (const name of image === null ? [] : columns) {
    const at = image!.shape.indexOf.get(name)
    const cell = at === undefined ? null : cellOf(image!, at)
    if (cell !== '' && !Object.is(cell, -0)) continue
    cells ??= [...image!.cells]
    cells[at!] = cell === '' ? null : 0
  }
  return cells === null ? image : { shape: image!.shape, cells }
}
