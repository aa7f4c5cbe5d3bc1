import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { comparePositions, type Position } from '../../../../schemas/position.ts'
import type { Place } from '../../../../writers/locator/hash-table.ts'
import { KeyLocator, type StoredKey } from '../../../../writers/locator/key-locator.ts'
import { LocatorKeeper } from '../../../../writers/locator/locator-keeper.ts'
import { LocatorMemory } from '../../../../writers/locator/locator-memory.ts'
import { RunShelf } from '../../../../writers/locator/run-shelf.ts'
import { Pace } from '../../../../writers/pace.ts'
import { MemoryFiles } from '../../../support/memory-files.ts'
import { countedRandom, HandClock } from '../../../support/test-ports.ts'

const pace = new Pace(new HandClock(), new AbortController().signal)

/** Few keys, whose hashes lie in two parts and often begin alike. */
const hash: fc.Arbitrary<Uint32Array> = fc
  .record({
    part: fc.constantFrom(0, 63),
    first: fc.constantFrom(0, 5, 0xffff_ffff),
    rest: fc.nat(30),
  })
  .map(({ part, first, rest }) =>
    Uint32Array.of((part << 26) >>> 0, first, Math.imul(rest, 0x9e3779b1), rest),
  )

const position: fc.Arbitrary<Position | null> = fc.option(
  fc.record({ epoch: fc.nat(1), seq: fc.bigInt(0n, 3n), lsn: fc.bigInt(0n, 2n ** 63n - 1n) }),
)

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ act: fc.constant('put' as const), words: hash, position }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('delete' as const), words: hash }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('merge' as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('truncate' as const), floor: position }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('keep' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A locator, and what a `Map` would tell in its place. */
class Pair {
  readonly locator: KeyLocator
  readonly #keeper: LocatorKeeper
  readonly #model = new Map<string, { words: Uint32Array; stored: StoredKey }>()
  #file: number
  #row = 0

  constructor(bytesMax: number | null) {
    const disk =
      bytesMax === null
        ? null
        : {
            shelf: new RunShelf(new MemoryFiles(), 'locator', countedRandom()),
            memory: new LocatorMemory(bytesMax),
          }
    this.locator = new KeyLocator({ disk })
    this.#file = this.locator.files.ordinalOf('first')
    this.#keeper = new LocatorKeeper(this.locator, ['id'], '')
  }

  async take(step: Step): Promise<void> {
    if (step.act === 'put') {
      const stored = { place: { file: this.#file, row: this.#row++ }, position: step.position }
      this.locator.put(step.words, 0, stored.place, stored.position)
      this.#model.set(step.words.join(' '), { words: step.words, stored })
    } else if (step.act === 'delete') {
      this.locator.delete(step.words, 0)
      this.#model.delete(step.words.join(' '))
    } else if (step.act === 'merge') {
      this.#merge()
    } else if (step.act === 'truncate') {
      if (step.floor !== null) await this.#truncate(step.floor)
    } else {
      await this.#keeper.keep(async (work) => work(null), pace)
    }
  }

  /** All live rows of the file move into another one; those that are dead are in none. */
  #merge(): void {
    const merged = this.locator.files.ordinalOf(`merged ${this.#file}`)
    const rows = new Int32Array(this.#row).fill(-1)
    let row = 0
    for (const each of this.#model.values()) {
      rows[each.stored.place.row] = row
      each.stored = { ...each.stored, place: { file: merged, row: row++ } }
    }
    this.locator.files.redirect(this.#file, merged, rows)
    this.#file = merged
    this.#row = row
  }

  async #truncate(floor: Position): Promise<void> {
    const told: Place[] = []
    const forget = await this.locator.below(floor, (place) => told.push(place))
    const gone = [...this.#model].filter(([, { stored }]) => isBelow(stored, floor))
    expect(texts(told)).toEqual(texts(gone.map(([, { stored }]) => stored.place)))
    forget()
    for (const [name] of gone) this.#model.delete(name)
  }

  async check(asked: readonly Uint32Array[]): Promise<void> {
    const words = Uint32Array.from(asked.flatMap((each) => [...each]))
    const found = await this.locator.findAll(words, asked.length)
    expect(found).toEqual(asked.map((each) => this.#model.get(each.join(' '))?.stored ?? null))
  }
}

function isBelow({ position }: StoredKey, floor: Position): boolean {
  return position === null || comparePositions(position, floor) < 0
}

function texts(places: readonly Place[]): string[] {
  return places.map(({ file, row }) => `${file}:${row}`).sort()
}

describe('the key locator', () => {
  test.each([
    ['in memory alone', null],
    ['with everything on disk', 0],
    ['with some of it in memory', 60_000],
  ])('tells what a Map would tell, %s', async (_, bytesMax) => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 150, size: 'max' }), async (steps) => {
      const pair = new Pair(bytesMax)
      const asked = steps.flatMap((each) => (each.act === 'put' || each.act === 'delete' ? [each.words] : []))
      for (const [i, each] of steps.entries()) {
        await pair.take(each)
        if (i % 10 === 0) await pair.check(asked)
      }
      await pair.check(asked)
    })
    await fc.assert(property, { numRuns: 30 })
  })
})
