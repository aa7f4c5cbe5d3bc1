import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import type { Site } from '../loop/faults.ts'
import { plantedPath } from './mutant.ts'
import type { Swap } from './mutant-hook.ts'
import { MUTANTS } from './mutants.ts'

/** What found a bug. */
export interface Find {
  readonly by: 'seed' | 'loop'
  /** Seeds, or runs of the loop. */
  readonly tries: number
  readonly why: string
}

/** A process of its own for one bug: `seek-mutant NAME SEEDS STATE`. The last line that it prints is the find, or null. */
const [, , name, seeds, statePath] = process.argv
const mutant = MUTANTS.find((each) => each.name === name)
if (mutant === undefined) throw new TypeError(`no mutant is called ${name}`)

const compiled = (path: string) => new URL(`../../../${path.replace(/\.ts$/, '.js')}`, import.meta.url).href
const swap: Swap = { from: compiled(mutant.file), to: compiled(plantedPath(mutant)) }
register('./mutant-hook.js', import.meta.url, { data: swap })

async function bySeeds(): Promise<Find | null> {
  const { runSeed } = await import('../run-seed.ts')
  for (let seed = 1; seed <= Number(seeds); seed++) {
    const { ok, failure } = await runSeed(seed)
    if (!ok) return { by: 'seed', tries: seed, why: failure }
  }
  return null
}

async function byLoop(sites: readonly Site[]): Promise<Find | null> {
  const { runLoop } = await import('../loop/loop.ts')
  const expected = new Map<string, string>(JSON.parse(readFileSync(statePath!, 'utf8')))
  const { runs, failures } = await runLoop({ expected, isHasty: true, sites })
  const [first] = failures
  return first === undefined ? null : { by: 'loop', tries: runs, why: first.why }
}

const find = mutant.sites === undefined ? await bySeeds() : await byLoop(mutant.sites)
process.stdout.write(`${JSON.stringify(find)}\n`, () => process.exit(0))
