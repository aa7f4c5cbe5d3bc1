import type { TableSample } from '../pipeline/work-sample.ts'

/**
 * Age of the oldest event that is not durable, seconds; 0 when all is. Of a table that stands still the records are in
 * the topic, unread: then it is the time since the last event that it took, or since the start.
 *
 * @param nowMs epoch milliseconds; a clock behind the source's makes no negative lag
 */
export function lagSeconds(table: TableSample, nowMs: number, startedMs: number): number {
  const { state, pendingSinceMs, durableMs } = table
  const stands = state === 'stopped' || state === 'catching-up'
  const sinceMs = pendingSinceMs ?? (stands ? (durableMs ?? startedMs) : null)
  return sinceMs === null ? 0 : Math.max(nowMs - sinceMs, 0) / 1000
}
