import { parseLengthPrefixed } from './canonical/length-prefix.ts'
import type { ComparedTable } from './compared-table.ts'
import type { Look } from './look.ts'
import type { Mismatch, MismatchKind } from './verdict.ts'

/** How often a row must have been seen to differ while it stood still. */
const LOOKS_TO_CONFIRM = 2

/** Hashes of the rows of one key, on each side. */
interface BothSides {
  readonly source: readonly string[]
  readonly lake: readonly string[]
}

/**
 * Keys of which it is not known yet whether they differ: they did at one look, or moved while it was taken. Each look at
 * another moment settles some of them.
 */
export class Suspects {
  /** Key → looks at which it stood still and differed. */
  readonly #differed = new Map<string, number>()
  readonly #confirmed = new Map<string, BothSides>()

  get size(): number {
    return this.#differed.size
  }

  get confirmedCount(): number {
    return this.#confirmed.size
  }

  /** Keys of rows that differ. */
  get confirmed(): ReadonlySet<string> {
    return new Set(this.#confirmed.keys())
  }

  /** It changed while it was looked at, and was nothing that the change explains. */
  addMoved(keyText: string): void {
    this.#differed.set(keyText, 0)
  }

  addDifferent(keyText: string): void {
    this.#differed.set(keyText, 1)
  }

  /** Looks at all of them again. */
  async settle({ source, lake, digests, touched, moment }: Look): Promise<void> {
    const keys = new Set(this.#differed.keys())
    const found = new Map<string, { source: string[]; lake: string[] }>()
    for (const key of keys) found.set(key, { source: [], lake: [] })
    for await (const { keyText, rowHash } of source.rowsOf(keys)) found.get(keyText)!.source.push(rowHash)
    await lake.scan((cells) => {
      const keyText = digests.keyText(cells)
      found.get(keyText)?.lake.push(digests.rowHash(cells))
    })
    for (const [key, sides] of found) {
      if (touched.has(key)) {
        if (touched.agrees(key, sides.source, sides.lake.length, moment.visibility))
          this.#differed.delete(key)
      } else if (isSame(sides)) this.#differed.delete(key)
      else this.#differ(key, sides)
    }
  }

  #differ(key: string, sides: BothSides): void {
    const looks = this.#differed.get(key)! + 1
    this.#differed.set(key, looks)
    if (looks < LOOKS_TO_CONFIRM) return
    this.#differed.delete(key)
    this.#confirmed.set(key, sides)
  }

  /** The first of the confirmed ones with their keys and columns, in the order of their keys' texts. */
  async describe(look: Look, limit: number): Promise<readonly Mismatch[]> {
    const keys = new Set([...this.#confirmed.keys()].sort().slice(0, limit))
    const source = new Map<string, readonly (string | null)[]>()
    const lake = new Map<string, readonly (string | null)[]>()
    const isAmong = (key: string) => keys.has(key) && kindOf(this.#confirmed.get(key)!) === 'different'
    const both = new Set([...keys].filter(isAmong))
    for await (const { keyText, texts } of look.source.textsOf(both)) source.set(keyText, texts)
    if (both.size > 0) {
      await look.lake.scan((cells) => {
        const keyText = look.digests.keyText(cells)
        if (both.has(keyText)) lake.set(keyText, look.digests.columnTexts(cells))
      })
    }
    return [...keys].map((key) =>
      mismatch(look.table, key, this.#confirmed.get(key)!, source.get(key), lake.get(key)),
    )
  }
}

type Texts = readonly (string | null)[] | undefined

function mismatch(
  table: ComparedTable,
  keyText: string,
  sides: BothSides,
  source: Texts,
  lake: Texts,
): Mismatch {
  const keyColumns = table.key ?? table.columns
  const texts = parseLengthPrefixed(keyText)
  const key = Object.fromEntries(keyColumns.map(({ name }, i) => [name, texts[i]!]))
  const differing = table.columns.filter(
    (_, i) => source !== undefined && lake !== undefined && source[i] !== lake[i],
  )
  const columns = differing.map(({ name }) => name)
  const counts = { source: sides.source.length, lake: sides.lake.length }
  return { kind: kindOf(sides), key, columns, ...(table.key === null ? { counts } : {}) }
}

function kindOf({ source, lake }: BothSides): MismatchKind {
  if (source.length > 0 && lake.length > 0 && source.length === lake.length) return 'different'
  return source.length > lake.length ? 'missing' : 'extra'
}

function isSame({ source, lake }: BothSides): boolean {
  return source.length === lake.length && source.toSorted().join() === lake.toSorted().join()
}
