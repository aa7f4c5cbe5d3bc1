import type { Effect, Place, Row } from './history.ts'

interface Held {
  readonly row: Row
  /** `null`: from a snapshot or a stranger. */
  readonly place: Place | null
}

/** What a table must hold, told by effects alone: the oracle. Ten lines an effect, so that it can be believed. */
export class TableTruth {
  readonly #byKey = new Map<string, Held>()
  /** Of a table without a key, and of one that keeps every event: each row, as often as it is there. */
  #bag: Held[] = []
  #floor: Place | null = null

  copy(): TableTruth {
    const copy = new TableTruth()
    for (const [key, held] of this.#byKey) copy.#byKey.set(key, held)
    copy.#bag = [...this.#bag]
    copy.#floor = this.#floor
    return copy
  }

  apply(effect: Effect): void {
    switch (effect.kind) {
      case 'put': {
        if (this.#isBelowFloor(effect)) return
        const before = this.#byKey.get(effect.key)
        this.#byKey.set(effect.key, { row: effect.row, place: effect.place ?? before?.place ?? null })
        return
      }
      case 'remove':
        if (this.#floor === null || comparePlaces(effect.place, this.#floor) > 0)
          this.#byKey.delete(effect.key)
        return
      case 'truncate':
        this.#truncate(effect.place)
        return
      case 'exchange':
        if (this.#isBelowFloor(effect)) return
        if (effect.gone !== null) this.#takeOne(rowText(effect.gone))
        if (effect.come !== null) this.#bag.push({ row: effect.come, place: effect.place })
        return
      case 'entry':
        this.#bag.push({ row: { ...effect.row, _cdc_op: effect.op }, place: null })
        return
      default:
        effect satisfies never
    }
  }

  /** What a key holds. @returns `null`: nothing */
  rowOf(key: string): Row | null {
    return this.#byKey.get(key)?.row ?? null
  }

  /** A row as it was read of the source itself. */
  repair(key: string, row: Row | null): void {
    if (row === null) this.#byKey.delete(key)
    else this.#byKey.set(key, { row, place: this.#byKey.get(key)?.place ?? null })
  }

  /** A stranger's INSERT. */
  insert(row: Row): void {
    this.#bag.push({ row, place: null })
  }

  /** A stranger's DELETE. */
  delete(isGone: (row: Row) => boolean): void {
    for (const [key, { row }] of this.#byKey) if (isGone(row)) this.#byKey.delete(key)
    this.#bag = this.#bag.filter(({ row }) => !isGone(row))
  }

  /** Texts of all rows, sorted. */
  rows(): string[] {
    const texts = [...this.#byKey.values(), ...this.#bag].map(({ row }) => rowText(row))
    return texts.sort()
  }

  #isBelowFloor({ place, lsn }: { readonly place: Place | null; readonly lsn: number }): boolean {
    if (this.#floor === null) return false
    return place === null ? lsn < this.#floor[1] : comparePlaces(place, this.#floor) < 0
  }

  #truncate(place: Place): void {
    if (this.#floor !== null && comparePlaces(place, this.#floor) <= 0) return
    this.#floor = place
    const isOver = (held: Held) => held.place !== null && comparePlaces(held.place, place) > 0
    for (const [key, held] of this.#byKey) if (!isOver(held)) this.#byKey.delete(key)
    this.#bag = this.#bag.filter(isOver)
  }

  #takeOne(text: string): void {
    const at = this.#bag.findIndex(({ row }) => rowText(row) === text)
    if (at >= 0) this.#bag.splice(at, 1)
  }
}

export function comparePlaces(a: Place, b: Place): number {
  return a[0] !== b[0] ? a[0] - b[0] : a[1] - b[1]
}

/** Equal rows have equal texts, whatever form their cells have; null is as good as absent. */
export function rowText(row: Readonly<Record<string, unknown>>): string {
  const parts: string[] = []
  for (const name of Object.keys(row).sort()) {
    const cell = row[name]
    if (cell === null || cell === undefined) continue
    parts.push(`${name}=${typeof cell === 'string' ? shortened(cell) : String(cell)}`)
  }
  return parts.join(' ')
}

/** Of a filled-up text only the length is told. */
function shortened(text: string): string {
  const kept = text.replace(/\.{9,}$/, '')
  return kept === text ? JSON.stringify(text) : `${JSON.stringify(kept)}+${text.length - kept.length}`
}
