import { tellSummary } from './part-summary.ts'
import { runSeed, type SeedResult } from './run-seed.ts'

const TRACE_LINES = 120

/** `SEED=n`: that one, twice, with its trace. Else `SEEDS` of them from `FROM` on. */
async function main(): Promise<number> {
  const { SEED, SEEDS = '500', FROM = '1' } = process.env
  return SEED === undefined ? runMany(Number(FROM), Number(SEEDS)) : runOne(Number(SEED))
}

async function runOne(seed: number): Promise<number> {
  const [first, again] = [await runSeed(seed), await runSeed(seed)]
  if (!first.ok || process.env['TRACE']) tell(first)
  console.log(`trace: ${first.traceHash}`)
  if (first.traceHash !== again.traceHash) {
    console.log(`the second run of seed ${seed} went otherwise: ${again.traceHash}`)
    return 1
  }
  return first.ok ? 0 : 1
}

async function runMany(from: number, count: number): Promise<number> {
  const began = Date.now()
  const failed: SeedResult[] = []
  const sites = new Map<string, number>()
  let commits = 0
  for (let seed = from; seed < from + count; seed++) {
    const result = await runSeed(seed)
    commits += result.commits
    for (const [site, calls] of result.sites) sites.set(site, (sites.get(site) ?? 0) + calls)
    if (result.ok) continue
    failed.push(result)
    console.log(`seed ${seed} failed: ${result.failure.split('\n').slice(0, 6).join('\n')}`)
  }
  const seconds = ((Date.now() - began) / 1000).toFixed(1)
  const { user, system } = process.cpuUsage()
  const cpuSeconds = Math.round((user + system) / 1e6)
  tellSummary('seeds', { from, count, commits, cpuSeconds, failed: failed.map(({ seed }) => seed) })
  const work = `${seconds} s (${((user + system) / 1e6).toFixed(1)} s of CPU)`
  console.log(`${count} seeds from ${from} in ${work}: ${commits} commits held against the truth`)
  console.log(
    `sites: ${[...sites]
      .sort()
      .map(([site, calls]) => `${site} ${calls}`)
      .join(', ')}`,
  )
  if (failed.length === 0) return 0
  console.log(
    `${failed.length} failed: ${failed.map(({ seed }) => seed).join(' ')}; make sim SEED=n shows one`,
  )
  return 1
}

function tell({ trace, failure }: SeedResult): void {
  const lines = process.env['TRACE'] ? trace : trace.slice(-TRACE_LINES)
  console.log(lines.join('\n'))
  if (failure !== '') console.log(`\n${failure}\n`)
}

process.exitCode = await main()
