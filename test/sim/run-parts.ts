import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describeCommit } from '../../bench/machine.ts'
import { writeNightResult } from './night-result.ts'
import type { PartName, PartSummaries } from './part-summary.ts'

interface Part {
  readonly name: PartName
  readonly script: string
}

/** Two at a time, for two cores: who has ended one takes the next. */
const AT_ONCE = 2
const PARTS: readonly Part[] = [
  { name: 'seeds', script: './run.js' },
  { name: 'loop', script: './loop/run-loop.js' },
  { name: 'mutants', script: './mutants/run-mutants.js' },
  { name: 'month', script: './month/run-month.js' },
]

const summaries: { -readonly [Name in PartName]?: PartSummaries[Name] } = {}

/**
 * Runs seeds, the month, loop and mutants, and prints what each says when it has ended; `RESULT=path` keeps what they
 * came to. Exits 1 when one of them did not end well.
 */
async function main(): Promise<number> {
  const began = Date.now()
  const commit = describeCommit(process.cwd())
  const queue = [...PARTS]
  const lanes = await Promise.all(Array.from({ length: AT_ONCE }, () => runNext(queue)))
  const isWell = lanes.every((isWell) => isWell)
  console.log(`sim: ${secondsSince(began)} s`)
  const { RESULT } = process.env
  if (RESULT !== undefined) writeNightResult(RESULT, commit, Number(secondsSince(began)), isWell, summaries)
  return isWell ? 0 : 1
}

async function runNext(queue: Part[]): Promise<boolean> {
  let isWell = true
  for (let part = queue.shift(); part !== undefined; part = queue.shift())
    if (!(await runPart(part))) isWell = false
  return isWell
}

function runPart({ name, script }: Part): Promise<boolean> {
  const began = Date.now()
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, ['--enable-source-maps', '--expose-gc', path], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  child.on('message', (summary) => Object.assign(summaries, summary))
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => output.push(data))
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const end = code === 0 ? 'well' : `badly (${code ?? 'killed'})`
      console.log(`${Buffer.concat(output)}${name}: ended ${end} after ${secondsSince(began)} s\n`)
      resolve(code === 0)
    })
  })
}

function secondsSince(began: number): string {
  return ((Date.now() - began) / 1000).toFixed(0)
}

process.exitCode = await main()
