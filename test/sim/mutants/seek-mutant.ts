import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import type { Site } from '../loop/faults.ts'
import { editsOf, plantedPath } from './mutant.ts'
import type { Swap } from './mutant-hook.ts'
import { MUTANTS } from './mutants.ts'

/** What found a bug. */
export interface Find {
  readonly by: 'seed' | 'loop' | 'month'
  /** Seeds, runs of the loop, or days. */
  readonly tries: number
  /** The one that found it. */
  readonly seed?: number
  readonly why: string
}

/**
 * A process of its own for one bug: `seek-mutant NAME SEEDS STATE`. It says which seed it tries; the last line that it
 * prints is the find, or null.
 */
const [, , name, seeds, statePath] = process.argv
const mutant = MUTANTS.find((each) => each.name === name)
if (mutant === undefined) throw new TypeError(`no mutant is called ${name}`)

const compiled = (path: string) => new URL(`../../../${path.replace(/\.ts$/, '.js')}`, import.meta.url).href
const swaps: Swap[] = editsOf(mutant).map((edit) => ({
  from: compiled(edit.file),
  to: compiled(plantedPath(edit, mutant.name)),
}))
register('./mutant-hook.js', import.meta.url, { data: swaps })

async function bySeeds(): Promise<Find | null> {
  const { runSeed } = await import('../run-seed.ts')
  const hint = mutant!.seed === undefined ? [] : [mutant!.seed]
  const order = [...hint, ...Array.from({ length: Number(seeds) }, (_, i) => i + 1)]
  for (const [tried, seed] of order.entries()) {
    process.stdout.write(`seed ${seed}\n`)
    const { ok, failure } = await runSeed(seed)
    if (!ok) return { by: 'seed', tries: tried + 1, seed, why: failure }
  }
  return null
}

async function byLoop(sites: readonly Site[]): Promise<Find | null> {
  const { runLoop } = await import('../loop/loop.ts')
  const expected = new Map<string, string>(JSON.parse(readFileSync(statePath!, 'utf8')))
  const { runs, failures } = await runLoop({ expected, isHasty: true, sites, calls: 'all' })
  const [first] = failures
  return first === undefined ? null : { by: 'loop', tries: runs, why: first.why }
}

/** A commit every other minute, and a table that keeps little: three days of it show what grows. */
async function byMonth(): Promise<Find | null> {
  const { playMonth } = await import('../month/month-play.ts')
  const { days, failures } = await playMonth({
    days: 3,
    cadenceMs: 120_000,
    keptHours: { log: 1, files: 1 },
  })
  const [why] = failures
  return why === undefined ? null : { by: 'month', tries: days.length, why }
}

function seek(): Promise<Find | null> {
  if (mutant!.byMonth) return byMonth()
  return mutant!.sites === undefined ? bySeeds() : byLoop(mutant!.sites)
}

const find = await seek()
process.stdout.write(`${JSON.stringify(find)}\n`, () => process.exit(0))
