const OTHER = '__other__'

/** Names that become labels: the first so many keep theirs, all that come later share one (reliability §5). */
export class BoundedNames {
  readonly #known = new Set<string>()
  readonly #max: number

  constructor(max = 1000) {
    this.#max = max
  }

  label(name: string): string {
    if (this.#known.has(name)) return name
    if (this.#known.size >= this.#max) return OTHER
    this.#known.add(name)
    return name
  }
}
