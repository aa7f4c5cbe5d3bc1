import { type BatchCost, type BatchPhases, PARTS } from './contestant.ts'
import type { StepName, Window } from './results.ts'
import { spreadOf, sum } from './statistics.ts'

/** Sums up batches that follow each other. */
export function windowOf(
  costs: readonly BatchCost[],
  eventsABatch: number,
  phases: readonly BatchPhases[] = [],
): Window {
  const events = costs.length * eventsABatch
  const perEvent = PARTS.map((part) => [
    part,
    Math.round(sum(costs.map(({ bytes }) => bytes[part])) / events),
  ])
  return {
    from: costs[0]!.batch + 1,
    to: costs.at(-1)!.batch + 1,
    seconds: spreadOf(costs.map(({ seconds }) => seconds)),
    cpuSeconds: spreadOf(costs.map(({ cpuSeconds }) => cpuSeconds)),
    bytesPerEvent: Object.fromEntries(perEvent) as Window['bytesPerEvent'],
    ...(phases.length === 0 ? {} : { phasesMs: medianPhases(costs, phases) }),
    files: Number((sum(costs.map(({ files }) => files)) / costs.length).toFixed(1)),
  }
}

/** Decoding is what a batch took before its flush began. */
function medianPhases(
  costs: readonly BatchCost[],
  phases: readonly BatchPhases[],
): Readonly<Record<StepName, number>> {
  const median = (values: readonly number[]) => Number(spreadOf(values).median.toFixed(2))
  return {
    decode: median(phases.map(({ flushMs }, i) => costs[i]!.seconds * 1000 - flushMs)),
    plan: median(phases.map(({ planMs }) => planMs)),
    encode: median(phases.map(({ encodeMs }) => encodeMs)),
    put: median(phases.map(({ putMs }) => putMs)),
    commit: median(phases.map(({ commitMs }) => commitMs)),
  }
}
