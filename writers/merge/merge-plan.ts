/** A live file, as far as it decides whether to merge it. */
export interface MergeCandidate {
  /** As the log has it. */
  readonly path: string
  /** Values of the partition columns as one text: files of different partitions never meet. */
  readonly partition: string
  readonly sizeBytes: number
  /** Physical rows, deleted ones among them. */
  readonly rows: number
  readonly deletedRows: number
  /** Bytes of all deletion vectors that were written for the file, each commit's anew. */
  readonly vectorBytesWritten: number
}

export interface MergeGoal {
  /** Files grow up to this size. */
  readonly targetBytes: number
  /** So many small files of a tier are worth a merge. */
  readonly fanIn: number
  /** A large file is written anew when more than this share of its rows is deleted. */
  readonly deletedShareMax: number
  /** A file below this size is written anew when its tier is full, not for its deleted rows. */
  readonly rewriteBytesMin: number
}

/** What readers are used to, and what a merge may hold in memory. */
export const TARGET_BYTES = 128 * 1024 * 1024

/**
 * The goal of merging beside a stream. A row is written again once a tier: log8(128 MiB / 16 KiB), less than five
 * times. Dead rows are read as well as live ones, and readers lose more than that: some do not divide a file with a
 * vector among their threads. Above one row in five they cost scans a quarter of their time.
 */
export const BACKGROUND_GOAL: MergeGoal = {
  targetBytes: TARGET_BYTES,
  fanIn: 8,
  deletedShareMax: 0.2,
  rewriteBytesMin: 1024 * 1024,
}

/** What a person asks for who has the table optimized: everything that can be joined is. */
export const OPTIMIZE_GOAL: MergeGoal = {
  targetBytes: TARGET_BYTES,
  fanIn: 2,
  deletedShareMax: 0.05,
  rewriteBytesMin: 0,
}

/**
 * Small files beyond these numbers (a table with many partitions has some in each) are joined by fewer at a time:
 * delta-rs 1.6.6 and polars 1.44.2 stop answering at about 900 files with deletion vectors.
 */
const MANY_SMALL_FILES = 128
const TOO_MANY_SMALL_FILES = 256

/** Live bytes of a file of the lowest tier; each tier above is eight times as large. */
const FIRST_TIER_BYTES = 16 * 1024
const TIER_FACTOR = 8
/** Files read into one: a merge that lags behind takes more than one fan-in, and still ends soon. */
const SOURCES_MAX = 64

/**
 * Chooses files to write as one, size-tiered: files of about the same live size join when there are enough of them, and
 * take all smaller ones of their partition with them. Also due: a large file with many deleted rows, or one whose
 * deletion vectors have cost as much as writing it anew would (so that neither costs more than twice the best choice).
 *
 * Files without a live row are dropped before anything else, when they are as many as make a merge or one of them is
 * large: nothing is read or written for them.
 *
 * The smallest merge comes first: it takes most files out of the table for what it costs.
 *
 * Ceilings that follow: in each partition `fanIn - 1` files a tier, six tiers, beside one full file per half a target of
 * data; bytes written per byte that came in, by the number of tiers.
 *
 * @returns paths of one partition, at least two or one that is worth writing anew, or of files without a live row in any
 * partition; `null`: nothing is due
 */
export function planMerge(files: Iterable<MergeCandidate>, goal: MergeGoal): readonly string[] | null {
  const partitions = new Map<string, SizedFile[]>()
  const dead: MergeCandidate[] = []
  let small = 0
  for (const file of files) {
    if (file.rows > 0 && file.deletedRows === file.rows) {
      dead.push(file)
      continue
    }
    const sized = sizeOf(file, goal)
    if (!sized.isFull) small++
    const group = partitions.get(file.partition)
    if (group === undefined) partitions.set(file.partition, [sized])
    else group.push(sized)
  }
  const isWorthACommit = dead.length >= goal.fanIn || dead.some((f) => f.sizeBytes >= goal.rewriteBytesMin)
  if (isWorthACommit) return dead.slice(0, SOURCES_MAX).map(({ path }) => path)
  const fanIn = Math.min(
    goal.fanIn,
    small > TOO_MANY_SMALL_FILES ? 2 : small > MANY_SMALL_FILES ? 4 : goal.fanIn,
  )
  let best: Choice | null = null
  for (const group of partitions.values()) {
    const choice = cheapestChoice(group, fanIn, goal)
    if (choice !== null && (best === null || choice.bytes < best.bytes)) best = choice
  }
  return best?.paths ?? null
}

interface SizedFile {
  readonly path: string
  readonly liveBytes: number
  readonly tier: number
  /** Joins no others; the larger half of the target, so that two would not fit. */
  readonly isFull: boolean
  /** Is written anew for itself alone. */
  readonly isDue: boolean
}

interface Choice {
  readonly paths: readonly string[]
  readonly bytes: number
}

function sizeOf(
  file: MergeCandidate,
  { targetBytes, deletedShareMax, rewriteBytesMin }: MergeGoal,
): SizedFile {
  const { path, sizeBytes, rows, deletedRows, vectorBytesWritten } = file
  const deletedShare = rows === 0 ? 0 : deletedRows / rows
  const liveBytes = sizeBytes * (1 - deletedShare)
  return {
    path,
    liveBytes,
    tier: tierOf(liveBytes),
    isFull: liveBytes >= targetBytes / 2,
    isDue: sizeBytes >= rewriteBytesMin && (deletedShare > deletedShareMax || vectorBytesWritten > sizeBytes),
  }
}

function tierOf(bytes: number): number {
  return bytes < FIRST_TIER_BYTES
    ? 0
    : 1 + Math.floor(Math.log(bytes / FIRST_TIER_BYTES) / Math.log(TIER_FACTOR))
}

/** @param group files of one partition */
function cheapestChoice(group: readonly SizedFile[], fanIn: number, goal: MergeGoal): Choice | null {
  const files = [...group].sort((a, b) => a.liveBytes - b.liveBytes)
  const small = files.filter(({ isFull }) => !isFull)
  // For a person who asks, tiers do not matter.
  if (goal.fanIn <= 2 && small.length >= 2) return joined(small, goal)
  let inTier = 0
  for (let i = 0; i < small.length; i++) {
    const { tier, isDue } = small[i]!
    inTier = i > 0 && small[i - 1]!.tier === tier ? inTier + 1 : 1
    const isLastOfTier = small[i + 1]?.tier !== tier
    if ((inTier >= fanIn && isLastOfTier) || isDue) return joined(small.slice(0, i + 1), goal)
  }
  const lowBytes = small.reduce((sum, { liveBytes }) => sum + liveBytes, 0)
  if (lowBytes >= goal.targetBytes) return joined(small, goal)
  if (fanIn <= 2 && small.length >= 2) return joined(small, goal)
  const due = files.find(({ isDue }) => isDue)
  return due === undefined ? null : { paths: [due.path], bytes: due.liveBytes }
}

/** As many of the files, the largest first, as make one file of the target size. */
function joined(files: readonly SizedFile[], { targetBytes }: MergeGoal): Choice {
  const paths: string[] = []
  let bytes = 0
  for (const { path, liveBytes } of [...files].reverse()) {
    if (paths.length === SOURCES_MAX) break
    if (paths.length > 0 && bytes + liveBytes > targetBytes) continue
    paths.push(path)
    bytes += liveBytes
  }
  return { paths, bytes }
}
