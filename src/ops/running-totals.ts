/** Turns totals that are told now and then into what has come since, for counters that can only be added to. */
export class RunningTotals {
  readonly #known = new Map<string, number>()

  /** @returns how much more it is than when it was last told; what became less counts as nothing */
  since(name: string, total: number): number {
    const before = this.#known.get(name) ?? 0
    this.#known.set(name, Math.max(before, total))
    return Math.max(total - before, 0)
  }
}
