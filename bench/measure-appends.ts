import { join } from 'node:path'
import type { AppendCase } from './cases.ts'
import { type BatchCost, Contestant } from './contestant.ts'
import { appendData, freshTable, ourPlaces, verified } from './input.ts'
import { markBusy, othersSince } from './machine.ts'
import { compiled, PYTHON, script } from './places.ts'
import type { CaseResult, ContestantResult } from './results.ts'
import { sum } from './statistics.ts'
import { windowOf } from './window.ts'

/** Ours as one stream without a pause, from the first raw byte to the last commit; the peer batch by batch. */
export async function measureAppends(each: AppendCase): Promise<CaseResult> {
  const data = appendData(each)
  const mark = markBusy()
  const contestants = [await appendByUs(each, data)]
  if (each.deltaRs) contestants.push(await appendByDeltaRs(each, data))
  const events = each.batches * each.eventsABatch
  const cpuSeconds = sum(contestants.map(({ eventsPerCpuSecond }) => events / eventsPerCpuSecond))
  return { case: each, contestants, scans: [], othersCores: othersSince(mark, cpuSeconds) }
}

async function appendByUs(each: AppendCase, data: string): Promise<ContestantResult> {
  const { batches, schemas } = each
  const lake = freshTable('ours')
  const settings = [...ourPlaces(data, lake), '--mode', 'append', '--schemas', schemas]
  const contestant = await Contestant.start(process.execPath, [
    compiled('engine/engine-process.js'),
    ...settings,
  ])
  const { cost, farewell } = await contestant.runStream(0, batches - 1)
  const table = join(lake, 'public/orders')
  return resultOf(
    'alluvium',
    each,
    [{ batch: 0, ...cost }],
    farewell.peakMemoryMb,
    verified(data, table, batches),
  )
}

async function appendByDeltaRs(each: AppendCase, data: string): Promise<ContestantResult> {
  const table = freshTable('delta-rs')
  const contestant = await Contestant.start(PYTHON, [
    script('peers/delta_rs.py'),
    '--table',
    table,
    '--data',
    data,
  ])
  const costs = await contestant.runBatches(0, each.batches - 1)
  const { peakMemoryMb } = await contestant.end()
  return resultOf('delta-rs', each, costs, peakMemoryMb, verified(data, table, each.batches))
}

/** @param costs of all events, in one piece or in several */
function resultOf(
  name: ContestantResult['name'],
  { batches, eventsABatch }: AppendCase,
  costs: readonly BatchCost[],
  peakMemoryMb: number,
  isVerified: boolean | string,
): ContestantResult {
  const events = batches * eventsABatch
  return {
    name,
    firstSeconds: costs[0]!.seconds,
    windows: [windowOf(costs, events / costs.length)],
    eventsPerSecond: Math.round(events / sum(costs.map(({ seconds }) => seconds))),
    eventsPerCpuSecond: Math.round(events / sum(costs.map(({ cpuSeconds }) => cpuSeconds))),
    peakMemoryMb,
    verified: isVerified,
  }
}
