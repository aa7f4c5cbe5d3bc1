/** What is looked at, again and again; of one day, the greatest of each. */
export interface DayFigures {
  readonly day: number
  readonly version: number
  /** Live files of the newest version. */
  readonly liveFiles: number
  /** Of the rows in files of 1 MB and more, the share that is deleted. */
  readonly deletedShareLarge: number
  /** Of all rows in files. */
  readonly deletedShare: number
  readonly tombstones: number
  /** Deletion vectors of live files. */
  readonly vectorBytes: number
  readonly liveBytes: number
  /** What a reader of the newest version reads of the log. */
  readonly openBytes: number
  /** CPU time of opening the table, milliseconds. */
  readonly openMs: number
  /** Of everything in `_delta_log`. */
  readonly logBytes: number
  readonly logObjects: number
  /** Data files and vectors, live ones among them. */
  readonly fileObjects: number
  readonly changeFileObjects: number
  /** Change files among them. */
  readonly fileBytes: number
  /** After garbage collection, without the objects of the store; MB. */
  readonly heapMb: number
  /** Of the whole day. */
  readonly requests: { readonly writes: number; readonly reads: number; readonly deletes: number }
  readonly writtenBytes: number
  readonly cpuSeconds: number
}

/** What the table keeps, in commits: how far back its log goes, and its removed files. */
export interface Kept {
  readonly commitsADay: number
  readonly logCommits: number
  readonly fileCommits: number
}

/** Commits that pass before a round of upkeep has seen to what is due. */
const ROUND = 300

/**
 * The ceilings of docs/guide/growth.md (P8), for the table of the play.
 *
 * @returns what is above its ceiling, in words
 */
export function aboveCeilings(figures: DayFigures, kept: Kept): string[] {
  const { commitsADay } = kept
  const fileCommits = kept.fileCommits + ROUND
  // Entries go in whole days, about a thousand a round; merges have entries of their own.
  const logCommits = kept.logCommits + 1.2 * commitsADay + ROUND
  const ceilings: readonly (readonly [name: keyof DayFigures, value: number, ceiling: number])[] = [
    // Seven a tier, six tiers, and a merge that is due.
    ['liveFiles', figures.liveFiles, 7 * 6 + 8],
    // What a commit deletes comes on top before the file is written anew.
    ['deletedShareLarge', figures.deletedShareLarge, 0.32],
    ['deletedShare', figures.deletedShare, 0.5],
    ['tombstones', figures.tombstones, Math.min(100_000, 8 * fileCommits)],
    ['vectorBytes', figures.vectorBytes, figures.liveBytes / 4],
    ['openBytes', figures.openBytes, 16 * 1024 * 1024],
    ['openMs', figures.openMs, 2000],
    // A data file, a vector file, and what merges leave.
    ['fileObjects', figures.fileObjects, 3 * fileCommits],
    // They go with the entries that name them.
    ['changeFileObjects', figures.changeFileObjects, logCommits],
    // Entries, and a checkpoint after every hundred.
    ['logObjects', figures.logObjects, 1.2 * logCommits],
    ['heapMb', figures.heapMb, 512],
  ]
  const above = ceilings.filter(([, value, ceiling]) => value > ceiling)
  const perDay = requestCeilings(figures, commitsADay).filter(([, value, ceiling]) => value > ceiling)
  return [...above, ...perDay].map(
    ([name, value, ceiling]) =>
      `day ${figures.day}: ${name} is ${value.toFixed(2)}, above ${ceiling.toFixed(2)}`,
  )
}

/** A commit puts its data, its vectors, its change file and its entry; merges and checkpoints are rare. */
function requestCeilings({ requests }: DayFigures, commitsADay: number) {
  return [
    ['requests: writes', requests.writes, 5 * commitsADay],
    ['requests: reads', requests.reads, 8 * commitsADay],
    ['requests: deletes', requests.deletes, 12 * commitsADay],
  ] as const
}

/** What must not grow any more once the log has come to its full length. */
const LEVEL = [
  'heapMb',
  'logBytes',
  'fileBytes',
  'fileObjects',
  'tombstones',
  'openBytes',
  'writtenBytes',
] as const
const LEVEL_SLACK = 1.2

/**
 * @param plateau the day from which on nothing may grow
 * @returns what has grown since, in words
 */
export function grownSince(plateau: number, days: readonly DayFigures[]): string[] {
  const first = days.find(({ day }) => day === plateau)
  const last = days.at(-1)
  if (first === undefined || last === undefined) return []
  const grown = LEVEL.filter((name) => last[name] > LEVEL_SLACK * first[name])
  return grown.map(
    (name) => `${name} grew from ${first[name]} on day ${plateau} to ${last[name]} on day ${last.day}`,
  )
}
