/** A version, and when delta-rs had read it. */
export interface Sighting {
  readonly atMs: number
  readonly version: number
  /** By partition; `null`: nothing of it yet. */
  readonly nextOffsets: readonly (number | null)[]
}

/**
 * How old each change was when it could be read.
 *
 * @param timesMs when the source committed each record of a partition, by offset
 * @param from the first offset that counts
 */
export function agesMs(
  sightings: readonly Sighting[],
  partition: number,
  timesMs: Float64Array,
  from: number,
): number[] {
  const ages: number[] = []
  let at = from
  for (const { atMs, nextOffsets } of sightings) {
    const end = Math.min(nextOffsets[partition] ?? 0, timesMs.length)
    for (; at < end; at++) ages.push(atMs - timesMs[at]!)
  }
  return ages
}
