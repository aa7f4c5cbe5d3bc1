import type { ChangeEvent } from './change-event.ts'

/** Epoch milliseconds when an event happened at its source; when it was written to its topic, where the source does not say. */
export function happenedMs({ sourceTimeUs, at }: ChangeEvent): number {
  return sourceTimeUs === null ? at.timestampMs : Number(sourceTimeUs / 1000n)
}
