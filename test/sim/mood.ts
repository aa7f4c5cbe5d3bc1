import type { SeededRandom } from '../support/seeded-random.ts'

/**
 * What a world is full of. What is rare when everything can happen is common in some worlds: a mark that is written while
 * the source is busy, a process that falls asleep in a commit while another takes its tables, a stranger who is faster.
 */
export interface Mood {
  /** The source is busy and the world is bad for so long. */
  readonly busyMs: number
  readonly engines: number
  /** Share of the source's steps that are bytes that nobody can read. */
  readonly garbage: number
  /** How often two tables come by one topic. */
  readonly sharing: number
  /** Seconds that the engines count in one of the world's: they write the mark the more often. */
  readonly haste: number
  /** How often a process falls asleep when it begins to store something. */
  readonly sleepiness: number
  /** How often a stranger comes first when a commit of ours is on its way. */
  readonly strangersFirst: number
  /** There is a table whose topic holds nothing but what no table keeps: the mark alone knows how far it was read. */
  readonly hasIdleTable: boolean
}

/** @param isPeaceful one process, and nothing out of the ordinary */
export function drawMood(random: SeededRandom, isPeaceful: boolean): Mood {
  const several = () => 2 + random.below(2)
  const plain = {
    ...{ busyMs: 25_000, garbage: 0.04, sharing: 0.35, haste: 1, sleepiness: 0, strangersFirst: 0 },
    hasIdleTable: false,
    engines: isPeaceful || random.chance(0.5) ? 1 : several(),
  }
  const dice = random.next()
  if (isPeaceful || dice < 0.4) return plain
  if (dice < 0.6) {
    const sleepy = { busyMs: 50_000, engines: several(), haste: 6, sleepiness: 0.15 }
    return { ...plain, ...sleepy, hasIdleTable: true }
  }
  if (dice < 0.8) return { ...plain, garbage: 0.04 + 0.5 * random.next(), sharing: 0.9, haste: 10 }
  return { ...plain, busyMs: 35_000, strangersFirst: 0.2 + 0.4 * random.next() }
}
