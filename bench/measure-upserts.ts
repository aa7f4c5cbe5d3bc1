import { join } from 'node:path'
import { EVENTS_A_BATCH, type UpsertCase } from './cases.ts'
import { type BatchCost, Contestant, PARTS } from './contestant.ts'
import { deltaRsTable, ourLake, upsertData, verified } from './input.ts'
import { markBusy, othersSince } from './machine.ts'
import { compiled, PYTHON, script } from './places.ts'
import type { CaseResult, ContestantResult, Window } from './results.ts'
import { spreadOf, sum } from './statistics.ts'

interface Runner {
  readonly name: ContestantResult['name']
  readonly contestant: Contestant
  readonly table: string
  readonly batches: number
  readonly costs: BatchCost[]
}

/** Batches of ours before the peers are done; later ones run without a pause. */
const INTERLEAVED = 20
/** Windows of ours that are told apart: young, and after 400 commits. */
const WINDOWS = [
  [1, 20],
  [21, 40],
  [200, 220],
  [400, 420],
] as const

/** Contestants take turns, a few batches each, so that a busy moment of the machine hits them alike. */
export async function measureUpserts(each: UpsertCase): Promise<CaseResult> {
  const data = upsertData(each)
  const runners = await start(each, data)
  const mark = markBusy()
  const longest = Math.max(...runners.slice(1).map(({ batches }) => batches), 1)
  for (let turn = 0; turn < longest; turn++) {
    for (const runner of runners) {
      const most = runner.name === 'alluvium' ? Math.min(INTERLEAVED, runner.batches) : runner.batches
      await advance(runner, Math.ceil((most * (turn + 1)) / longest))
    }
  }
  for (const runner of runners) await advance(runner, runner.batches)
  const cpuSeconds = sum(runners.flatMap(({ costs }) => costs.map((cost) => cost.cpuSeconds)))
  const othersCores = othersSince(mark, cpuSeconds)
  const contestants: ContestantResult[] = []
  for (const runner of runners) contestants.push(await finish(runner, data))
  return { case: each, contestants, scans: [], othersCores }
}

async function start(each: UpsertCase, data: string): Promise<readonly Runner[]> {
  const lake = ourLake(data, each)
  const settings = ['--data', data, '--lake', lake, '--batch-rows', String(EVENTS_A_BATCH)]
  const ours: Runner = {
    name: 'alluvium',
    contestant: await Contestant.start(process.execPath, [compiled('engine/engine-process.js'), ...settings]),
    table: join(lake, 'public/orders'),
    batches: each.batches,
    costs: [],
  }
  if (each.peerBatches.deltaRs === 0) return [ours]
  const table = deltaRsTable(data)
  const args = [script('peers/delta_rs.py'), '--data', data, '--table', table]
  const deltaRs: Runner = {
    name: 'delta-rs',
    contestant: await Contestant.start(PYTHON, args),
    table,
    batches: each.peerBatches.deltaRs,
    costs: [],
  }
  return [ours, deltaRs]
}

async function advance({ name, contestant, costs }: Runner, to: number): Promise<void> {
  if (to <= costs.length) return
  const done = await contestant.runBatches(costs.length, to - 1)
  costs.push(...done)
  const last = done.at(-1)!
  process.stderr.write(`  ${name}: batch ${last.batch + 1}, ${last.seconds.toFixed(3)} s\n`)
}

async function finish({ name, contestant, table, costs }: Runner, data: string): Promise<ContestantResult> {
  const { peakMemoryMb } = await contestant.end()
  const rest = costs.slice(1)
  const events = rest.length * EVENTS_A_BATCH
  const windows = name === 'alluvium' ? WINDOWS : [[1, costs.length] as const]
  return {
    name,
    firstSeconds: costs[0]!.seconds,
    windows: windows.filter(([, to]) => to <= costs.length).map(([from, to]) => windowOf(costs, from, to)),
    eventsPerSecond: Math.round(events / sum(rest.map(({ seconds }) => seconds))),
    eventsPerCpuSecond: Math.round(events / sum(rest.map(({ cpuSeconds }) => cpuSeconds))),
    peakMemoryMb,
    verified: verified(data, table, costs.length),
  }
}

function windowOf(all: readonly BatchCost[], from: number, to: number): Window {
  const costs = all.slice(from - 1, to)
  const events = costs.length * EVENTS_A_BATCH
  const perEvent = PARTS.map((part) => [
    part,
    Math.round(sum(costs.map(({ bytes }) => bytes[part])) / events),
  ])
  return {
    from,
    to,
    seconds: spreadOf(costs.map(({ seconds }) => seconds)),
    cpuSeconds: spreadOf(costs.map(({ cpuSeconds }) => cpuSeconds)),
    bytesPerEvent: Object.fromEntries(perEvent) as Window['bytesPerEvent'],
    files: sum(costs.map(({ files }) => files)) / costs.length,
  }
}
