import { join } from 'node:path'
import type { AppendCase } from './cases.ts'
import { Contestant, PARTS, type StreamCost } from './contestant.ts'
import { appendData, freshTable, verified } from './input.ts'
import { markBusy, othersSince } from './machine.ts'
import { compiled, PYTHON, script } from './places.ts'
import type { CaseResult, ContestantResult, Window } from './results.ts'
import { spreadOf, sum } from './statistics.ts'

/** Ours as one stream without a pause, from the first raw byte to the last commit; the peer batch by batch. */
export async function measureAppends(each: AppendCase): Promise<CaseResult> {
  const data = appendData(each)
  const mark = markBusy()
  const ours = await append(each, data)
  const peers = each.deltaRs ? [await appendByDeltaRs(each, data)] : []
  const contestants = [ours, ...peers]
  const events = each.batches * each.eventsABatch
  const cpuSeconds = sum(contestants.map(({ eventsPerCpuSecond }) => events / eventsPerCpuSecond))
  return { case: each, contestants, scans: [], othersCores: othersSince(mark, cpuSeconds) }
}

async function append(each: AppendCase, data: string): Promise<ContestantResult> {
  const lake = freshTable('ours')
  const settings = ['--data', data, '--lake', lake, '--mode', 'append', '--schemas', each.schemas]
  const contestant = await Contestant.start(process.execPath, [
    compiled('engine/engine-process.js'),
    ...settings,
  ])
  const { cost, peakMemoryMb } = await contestant.runStream(0, each.batches - 1)
  return {
    name: 'alluvium',
    firstSeconds: cost.seconds,
    windows: [streamWindow(cost, each.batches)],
    eventsPerSecond: Math.round(cost.events / cost.seconds),
    eventsPerCpuSecond: Math.round(cost.events / cost.cpuSeconds),
    peakMemoryMb,
    verified: verified(data, join(lake, 'public/orders'), each.batches),
  }
}

function streamWindow({ seconds, cpuSeconds, bytes, files, events }: StreamCost, batches: number): Window {
  const perEvent = PARTS.map((part) => [part, Math.round(bytes[part] / events)])
  return {
    from: 1,
    to: batches,
    seconds: spreadOf([seconds / batches]),
    cpuSeconds: spreadOf([cpuSeconds / batches]),
    bytesPerEvent: Object.fromEntries(perEvent) as Window['bytesPerEvent'],
    files: files / batches,
  }
}

async function appendByDeltaRs(each: AppendCase, data: string): Promise<ContestantResult> {
  const table = freshTable('delta-rs')
  const contestant = await Contestant.start(PYTHON, [
    script('peers/delta_rs.py'),
    '--data',
    data,
    '--table',
    table,
  ])
  const costs = await contestant.runBatches(0, each.batches - 1)
  const { peakMemoryMb } = await contestant.end()
  const events = each.batches * each.eventsABatch
  const seconds = costs.map((cost) => cost.seconds)
  const cpuSeconds = costs.map((cost) => cost.cpuSeconds)
  const perEvent = PARTS.map((part) => [
    part,
    Math.round(sum(costs.map(({ bytes }) => bytes[part])) / events),
  ])
  return {
    name: 'delta-rs',
    firstSeconds: seconds[0]!,
    windows: [
      {
        from: 1,
        to: each.batches,
        seconds: spreadOf(seconds),
        cpuSeconds: spreadOf(cpuSeconds),
        bytesPerEvent: Object.fromEntries(perEvent) as Window['bytesPerEvent'],
        files: sum(costs.map(({ files }) => files)) / each.batches,
      },
    ],
    eventsPerSecond: Math.round(events / sum(seconds)),
    eventsPerCpuSecond: Math.round(events / sum(cpuSeconds)),
    peakMemoryMb,
    verified: verified(data, table, each.batches),
  }
}
