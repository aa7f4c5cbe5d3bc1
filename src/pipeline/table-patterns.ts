/**
 * Which tables a pipeline takes. Public format, the property `alluvium.tables` of the passed mark: a JSON list of names
 * `schema.table`, or `*` for all tables and `!schema.table` for those that are left out of them.
 */
export class TablePatterns {
  readonly #takesAll: boolean
  /** The tables that are taken, or, of all tables, those that are not. */
  readonly #names: ReadonlySet<string>

  constructor(takesAll: boolean, names: Iterable<string>) {
    this.#takesAll = takesAll
    this.#names = new Set(names)
  }

  static readonly ALL = new TablePatterns(true, [])

  static of(patterns: readonly string[]): TablePatterns {
    const takesAll = patterns.includes('*')
    const names = patterns.filter((pattern) => pattern !== '*' && pattern.startsWith('!') === takesAll)
    return new TablePatterns(
      takesAll,
      names.map((name) => name.replace(/^!/, '')),
    )
  }

  /** In one order, so that equal ones look equal. */
  list(): readonly string[] {
    const names = [...this.#names].sort()
    return this.#takesAll ? ['*', ...names.map((name) => `!${name}`)] : names
  }

  covers(table: string): boolean {
    return this.#names.has(table) !== this.#takesAll
  }

  /** The tables that both cover. */
  and(other: TablePatterns): TablePatterns {
    if (this.#takesAll && other.#takesAll) {
      return new TablePatterns(true, [...this.#names, ...other.#names])
    }
    const named = this.#takesAll ? other.#names : this.#names
    return new TablePatterns(
      false,
      [...named].filter((table) => this.covers(table) && other.covers(table)),
    )
  }

  without(table: string): TablePatterns {
    if (!this.covers(table)) return this
    const names = [...this.#names]
    return this.#takesAll
      ? new TablePatterns(true, [...names, table])
      : new TablePatterns(
          false,
          names.filter((name) => name !== table),
        )
  }

  with(table: string): TablePatterns {
    if (this.covers(table)) return this
    const names = [...this.#names]
    return this.#takesAll
      ? new TablePatterns(
          true,
          names.filter((name) => name !== table),
        )
      : new TablePatterns(false, [...names, table])
  }
}
