import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cleanState } from '../loop/loop.ts'
import { tellSummary } from '../part-summary.ts'
import type { Mutant } from './mutant.ts'
import { MUTANTS } from './mutants.ts'
import { plantAll } from './plant-all.ts'
import type { Find } from './seek-mutant.ts'

const AT_ONCE = 2
const SEEDS = Number(process.env['MUTANT_SEEDS'] ?? 500)
/** Longer than any seed, and than the loop over some sites, on a busy machine: what says nothing for so long does not end. */
const SILENCE_MS = 300_000

/** Plants every bug (or those named by `MUTANT=a,b`) and tells what found it. Exits 1 when one was not found. */
async function main(): Promise<number> {
  const began = Date.now()
  const wanted = process.env['MUTANT']?.split(',')
  const mutants = MUTANTS.filter(({ name }) => wanted?.includes(name) ?? true)
  const tree = plantAll(process.cwd(), mutants)
  const missed: string[] = []
  try {
    const state = join(tree, 'clean-state.json')
    writeFileSync(state, JSON.stringify([...(await cleanState())]))
    const queue = [...mutants]
    const work = async () => {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const started = Date.now()
        const find = await seek(tree, mutant, state)
        if (find === null) missed.push(mutant.name)
        console.log(lineOf(mutant, find, Date.now() - started))
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
  const seconds = ((Date.now() - began) / 1000).toFixed(0)
  console.log(`mutants: ${mutants.length - missed.length} of ${mutants.length} found in ${seconds} s`)
  tellSummary('mutants', { planted: mutants.length, missed })
  return missed.length === 0 ? 0 : 1
}

/** A process that dies, or does not come to an end, has found the bug too. */
function seek(tree: string, { name }: Mutant, state: string): Promise<Find | null> {
  const script = join(tree, 'out/test/sim/mutants/seek-mutant.js')
  const child = spawn(process.execPath, [script, name, String(SEEDS), state], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  const watchdog = setTimeout(() => child.kill(), SILENCE_MS)
  child.stdout.on('data', (data) => {
    out += data
    watchdog.refresh()
  })
  child.stderr.on('data', (data) => {
    err += data
  })
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(watchdog)
      if (code === 0) resolve(JSON.parse(out.trim().split('\n').at(-1)!) as Find | null)
      else
        resolve({ by: 'seed', tries: 0, why: signal === null ? `the process died: ${err}` : 'it never ends' })
    })
  })
}

const NAME_WIDTH = 44
const WHY_WIDTH = 110

function lineOf({ name }: Mutant, find: Find | null, ms: number): string {
  const time = `${(ms / 1000).toFixed(1)} s`.padStart(7)
  if (find === null) return `${name.padEnd(NAME_WIDTH)} NOT FOUND            ${time}`
  const found = `${find.by} ${find.seed ?? find.tries}`.padEnd(10)
  const why = find.why.replaceAll(/\s+/g, ' ').slice(0, WHY_WIDTH)
  return `${name.padEnd(NAME_WIDTH)} ${found} ${time}  ${why}`
}

process.exitCode = await main()
