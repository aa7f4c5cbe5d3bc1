import { type BatchCost, PARTS } from './contestant.ts'
import type { Window } from './results.ts'
import { spreadOf, sum } from './statistics.ts'

/** Sums up batches that follow each other. */
export function windowOf(costs: readonly BatchCost[], eventsABatch: number): Window {
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
    files: Number((sum(costs.map(({ files }) => files)) / costs.length).toFixed(1)),
  }
}
