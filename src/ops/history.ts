/** So often a point is taken, and so many are kept: ten minutes. */
export const POINT_EVERY_MS = 5000
export const POINTS_MAX = 120

/** The last values of something, oldest first. */
export class History {
  readonly #values: number[] = []

  add(value: number): void {
    this.#values.push(value)
    if (this.#values.length > POINTS_MAX) this.#values.shift()
  }

  get values(): readonly number[] {
    return this.#values
  }
}
