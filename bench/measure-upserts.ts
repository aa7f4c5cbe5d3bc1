import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { EVENTS_A_BATCH, type UpsertCase } from './cases.ts'
import { type BatchCost, Contestant } from './contestant.ts'
import { deltaRsTable, ourLake, ourPlaces, sparkTable, upsertData, verified } from './input.ts'
import { markBusy, othersSince } from './machine.ts'
import { measureScans } from './measure-scans.ts'
import { compiled, PYTHON, SPARK_JARS, SPARK_PYTHON, script } from './places.ts'
import type { CaseResult, ContestantResult } from './results.ts'
import { sum } from './statistics.ts'
import { windowOf } from './window.ts'

interface Runner {
  readonly name: ContestantResult['name']
  readonly contestant: Contestant
  readonly table: string
  readonly batches: number
  readonly costs: BatchCost[]
}

/** Batches of ours that take turns with the peers; later ones run without a pause. */
const INTERLEAVED = 20
/** Of ours: young; after 400 commits; and all between, where merging has had time to show. */
const WINDOWS = [
  [1, 20],
  [21, 40],
  [21, 420],
  [400, 420],
] as const

/** Contestants take turns, a few batches each, so that a busy moment of the machine hits them alike. */
export async function measureUpserts(each: UpsertCase): Promise<CaseResult> {
  const data = upsertData(each)
  const lake = ourLake(each)
  const runners = [await startOurs(each, data, lake), ...(await startPeers(each, data))]
  const mark = markBusy()
  const turns = Math.max(...runners.slice(1).map(({ batches }) => batches), 1)
  for (let turn = 1; turn <= turns; turn++) {
    for (const runner of runners) {
      const most = runner.name === 'alluvium' ? Math.min(INTERLEAVED, runner.batches) : runner.batches
      await advance(runner, Math.ceil((most * turn) / turns))
    }
  }
  for (const runner of runners) await advance(runner, runner.batches)
  const cpuSeconds = sum(runners.flatMap(({ costs }) => costs.map((cost) => cost.cpuSeconds)))
  const othersCores = othersSince(mark, cpuSeconds)
  const contestants: ContestantResult[] = []
  for (const runner of runners) contestants.push(await finish(runner, data))
  return { case: each, contestants, scans: each.scans ? measureScans(lake) : [], othersCores }
}

async function startOurs({ batches }: UpsertCase, data: string, lake: string): Promise<Runner> {
  const settings = [...ourPlaces(data, lake), '--batch-rows', String(EVENTS_A_BATCH)]
  const contestant = await Contestant.start(process.execPath, [
    compiled('engine/engine-process.js'),
    ...settings,
  ])
  return { name: 'alluvium', contestant, table: join(lake, 'public/orders'), batches, costs: [] }
}

async function startPeers(each: UpsertCase, data: string): Promise<readonly Runner[]> {
  const peers: Runner[] = []
  if (each.peerBatches.deltaRs > 0) {
    const table = deltaRsTable(each)
    const args = [script('peers/delta_rs.py'), '--table', table, '--data', data]
    const contestant = await Contestant.start(PYTHON, args)
    peers.push({ name: 'delta-rs', contestant, table, batches: each.peerBatches.deltaRs, costs: [] })
  }
  if (each.peerBatches.spark > 0 && existsSync(SPARK_PYTHON)) {
    const table = sparkTable(each)
    const args = [script('peers/spark.py'), '--jars', SPARK_JARS, '--table', table, '--data', data]
    const contestant = await Contestant.start(SPARK_PYTHON, args)
    peers.push({ name: 'spark', contestant, table, batches: each.peerBatches.spark, costs: [] })
  }
  return peers
}

async function advance({ name, contestant, costs }: Runner, to: number): Promise<void> {
  if (to <= costs.length) return
  const done = await contestant.runBatches(costs.length, to - 1)
  costs.push(...done)
  const last = done.at(-1)!
  process.stderr.write(`  ${name}: batch ${last.batch + 1}, ${last.seconds.toFixed(3)} s\n`)
}

async function finish({ name, contestant, table, costs }: Runner, data: string): Promise<ContestantResult> {
  const { peakMemoryMb, phases = [] } = await contestant.end()
  const rest = costs.length > 1 ? costs.slice(1) : costs
  const events = rest.length * EVENTS_A_BATCH
  const windows = name === 'alluvium' ? WINDOWS : [[1, costs.length] as const]
  return {
    name,
    firstSeconds: costs[0]!.seconds,
    windows: windows
      .filter(([, to]) => to <= costs.length)
      .map(([from, to]) => windowOf(costs.slice(from - 1, to), EVENTS_A_BATCH, phases.slice(from - 1, to))),
    eventsPerSecond: Math.round(events / sum(rest.map(({ seconds }) => seconds))),
    eventsPerCpuSecond: Math.round(events / sum(rest.map(({ cpuSeconds }) => cpuSeconds))),
    peakMemoryMb,
    verified: verified(data, table, costs.length),
  }
}
