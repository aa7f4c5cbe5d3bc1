import type { Clock } from '../core/ports.ts'
import type { ChangeEvent, RowImage, RowKey } from '../schemas/change-event.ts'
import { type Cell, UNAVAILABLE } from '../schemas/delta-types.ts'

/** Postgres stores no value out of line in a row with less variable-length data than this (`toast_tuple_target`). */
const TOAST_BYTES_MIN = 128

/** The events of one table that are not durable yet, in order of arrival. */
export class BatchBuffer {
  readonly #clock: Clock
  #events: ChangeEvent[] = []
  #sizeBytes = 0
  #oldestAtMs = 0
  /** Key text → the newest row of the key; made when the first moved key asks. */
  #images: Map<string, RowImage> | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get count(): number {
    return this.#events.length
  }

  /** Bytes of the raw records. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Milliseconds (monotonic clock) since the oldest event came in; 0 when there is none. */
  get ageMs(): number {
    return this.#events.length === 0 ? 0 : this.#clock.monotonicMs() - this.#oldestAtMs
  }

  get oldest(): ChangeEvent | null {
    return this.#events[0] ?? null
  }

  get holdsTruncate(): boolean {
    return this.#events[0]?.op === 't'
  }

  add(event: ChangeEvent): void {
    if (this.#events.length === 0) this.#oldestAtMs = this.#clock.monotonicMs()
    this.#events.push(event)
    this.#sizeBytes += event.sizeBytes
    if (this.#images !== null) noteImage(this.#images, event)
  }

  /** All events; the buffer is empty after it. */
  take(): readonly ChangeEvent[] {
    const events = this.#events
    this.#events = []
    this.#sizeBytes = 0
    this.#images = null
    return events
  }

  /**
   * Whether the row that a moved key leaves behind is in this buffer only, and may hold values that the create under
   * the new key does not repeat (unchanged TOAST). It must be stored before it is deleted: should the create come in a
   * later batch, perhaps after a crash, those values are found in the deleted row and nowhere else.
   */
  holdsUnsentValuesOf(event: ChangeEvent): boolean {
    if (event.newKey === null || event.key === null || this.#events.length === 0) return false
    if (this.#images === null) {
      this.#images = new Map()
      for (const buffered of this.#events) noteImage(this.#images, buffered)
    }
    const image = this.#images.get(keyText(event.key))
    return image !== undefined && mayBeOutOfLine(image)
  }
}

function noteImage(images: Map<string, RowImage>, event: ChangeEvent): void {
  if (event.key === null) return
  if (event.after === null) images.delete(keyText(event.key))
  else images.set(keyText(event.key), event.after)
}

function keyText(key: RowKey): string {
  return key.values
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)))
    .join('\u0000')
}

function mayBeOutOfLine(image: RowImage): boolean {
  let bytes = 0
  for (const cell of image.cells) {
    if (cell === UNAVAILABLE) return true
    bytes += variableBytes(cell)
  }
  return bytes >= TOAST_BYTES_MIN
}

function variableBytes(cell: Cell): number {
  if (typeof cell === 'string') return cell.length
  if (cell instanceof Uint8Array) return cell.length
  if (typeof cell === 'bigint')
    return cell > 0xffff_ffff_ffff_ffffn || -cell > 0xffff_ffff_ffff_ffffn ? 16 : 0
  if (!Array.isArray(cell)) return 0
  let bytes = 8 * cell.length
  for (const element of cell as readonly Cell[]) bytes += variableBytes(element)
  return bytes
}
