import { BucketSums } from './bucket-sums.ts'
import type { CheckedTable } from './checked-table.ts'
import type { ComparedTable } from './compared-table.ts'
import type { DqLimits, DqPorts } from './dq-ports.ts'
import { type Look, takeLook } from './look.ts'
import type { SourceRows } from './source-rows.ts'
import { Suspects } from './suspects.ts'
import type { Found, Mismatch, Verdict } from './verdict.ts'

/** 4,096 buckets, and a million where those that differ are too full to be looked into. */
const DIGITS = 3
const DIGITS_FINER = 5

/**
 * Compares all rows of a table with the source's, while both go on changing.
 *
 * The first look sums both sides up by buckets and goes down into those that differ; every further one looks again, at
 * another moment, at the keys that differed or moved. So what is called different has been different twice while it
 * stood still, and what is called equal is so at once.
 *
 * @see reliability §4 "visibility-based comparison"
 */
export async function checkChecksum(ports: DqPorts, limits: DqLimits, checked: CheckedTable): Promise<Found> {
  const suspects = new Suspects()
  const first = await takeLook(ports, limits, checked, {
    early: summedUp,
    work: (look, sums) => firstLook(look, sums, suspects, limits),
  })
  if (first.kind === 'none') return first.found
  let looks = 1
  let look = first.look
  let mismatches: readonly Mismatch[] = []
  for (; suspects.size > 0 && looks < limits.looksMax; looks++) {
    const isLast = looks + 1 === limits.looksMax
    const again = await takeLook(ports, limits, checked, {
      early: async () => {},
      work: async (taken) => {
        await suspects.settle(taken)
        return suspects.size === 0 || isLast ? suspects.describe(taken, limits.mismatchesMax) : []
      },
    })
    if (again.kind === 'none') break
    look = again.look
    mismatches = again.result
  }
  const { unseenBuckets, ...rows } = first.result
  const { table, moment, version } = look
  const isShown = suspects.size + suspects.confirmedCount + unseenBuckets === 0
  return {
    verdict: verdictOf(suspects, unseenBuckets, table),
    // What later looks found equal is so at a later moment too.
    verifiedThrough: isShown && table.where === null ? first.look.moment.place : null,
    detail: detailOf(table, unseenBuckets),
    version: version.version,
    snapshot: moment.visibility.snapshot,
    ...rows,
    buckets: 16 ** DIGITS,
    mismatchCount: suspects.confirmedCount,
    mismatches,
    deferred: suspects.size,
    looks,
    notes: [...table.incomplete, ...table.lossy],
    differing: suspects.confirmed,
  }
}

function detailOf({ where }: ComparedTable, unseenBuckets: number): string | null {
  if (unseenBuckets > 0) return `${unseenBuckets} more buckets differ, too many to look into all of them`
  return where === null ? null : `of the rows where ${where}`
}

function verdictOf(suspects: Suspects, unseenBuckets: number, table: ComparedTable): Verdict {
  if (suspects.confirmedCount > 0) return 'different'
  return suspects.size > 0 || unseenBuckets > 0 ? 'deferred' : quietVerdict(table)
}

/** The same, as far as it can be compared. */
export function quietVerdict({ incomplete, lossy }: ComparedTable): Verdict {
  if (incomplete.length > 0) return 'incomplete'
  return lossy.length > 0 ? 'source-lossy' : 'equal'
}

interface FirstLook {
  readonly sourceRows: number
  readonly lakeRows: number
  /** Buckets that differ and were not looked into. */
  readonly unseenBuckets: number
}

async function summedUp(source: SourceRows): Promise<BucketSums> {
  const sums = new BucketSums(DIGITS)
  await source.addTo(sums)
  return sums
}

/** Compares the sums, then the rows of those buckets that differ. */
async function firstLook(
  look: Look,
  sumsToCome: Promise<BucketSums>,
  suspects: Suspects,
  limits: DqLimits,
): Promise<FirstLook> {
  const lakeSums = new BucketSums(DIGITS)
  const lakeTouched = await addUntouched(look, lakeSums)
  const sourceSums = await sumsToCome
  const sourceRows = sourceSums.rowCount
  const sourceTouched = await touchedRows(look)
  for (const [keyText, hashes] of sourceTouched) {
    const keyHash = look.digests.hash(keyText)
    for (const rowHash of hashes) sourceSums.remove(keyHash, rowHash)
  }
  for (const keyText of look.touched.keys()) {
    const lakeCount = lakeTouched.get(keyText) ?? 0
    const hashes = sourceTouched.get(keyText) ?? []
    if (!look.touched.agrees(keyText, hashes, lakeCount, look.moment.visibility)) suspects.addMoved(keyText)
  }
  const lakeRows = lakeSums.rowCount + sum(lakeTouched.values())
  const unequal = sourceSums.unequalTo(lakeSums)
  const { prefixes, unseenBuckets } = await narrowed(look, unequal, limits)
  if (prefixes.length > 0) await compareWithin(look, prefixes, suspects)
  return { sourceRows, lakeRows, unseenBuckets }
}

/** Sums up the rows of the lake that nothing touched. @returns how many there are of each key that was touched */
async function addUntouched(
  { lake, digests, touched }: Look,
  sums: BucketSums,
  within: ReadonlySet<string> | null = null,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  const prefixLength = lengthOfFirst(within)
  await lake.scan((cells) => {
    const keyText = digests.keyText(cells)
    if (touched.has(keyText)) {
      counts.set(keyText, (counts.get(keyText) ?? 0) + 1)
      return
    }
    const keyHash = digests.hash(keyText)
    if (within === null || within.has(keyHash.slice(0, prefixLength)))
      sums.add(keyHash, digests.rowHash(cells))
  })
  return counts
}

/** Hashes of the source's rows whose keys were touched, by key. */
export async function touchedRows({
  source,
  touched,
}: Look): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>()
  for await (const { keyText, rowHash } of source.rowsOf(new Set(touched.keys()))) {
    found.set(keyText, [...(found.get(keyText) ?? []), rowHash])
  }
  return found
}

type Unequal = ReturnType<BucketSums['unequalTo']>

/** The buckets to look into: finer ones where there are too many rows in them, and no more than memory allows. */
async function narrowed(
  look: Look,
  unequal: Unequal,
  { rowsHeldMax }: DqLimits,
): Promise<{ readonly prefixes: readonly string[]; readonly unseenBuckets: number }> {
  let buckets = unequal
  if (sum(buckets.map(({ rows }) => rows)) > rowsHeldMax) buckets = await finer(look, unequal)
  const prefixes: string[] = []
  let rows = 0
  for (const bucket of buckets) {
    rows += bucket.rows
    if (rows > rowsHeldMax && prefixes.length > 0) break
    prefixes.push(bucket.prefix)
  }
  return { prefixes, unseenBuckets: buckets.length - prefixes.length }
}

async function finer(look: Look, unequal: Unequal): Promise<Unequal> {
  const within = unequal.map(({ prefix }) => prefix)
  const [sourceSums, lakeSums] = [new BucketSums(DIGITS_FINER), new BucketSums(DIGITS_FINER)]
  await look.source.addTo(sourceSums, within)
  await addUntouched(look, lakeSums, new Set(within))
  for (const [keyText, hashes] of await touchedRows(look)) {
    const keyHash = look.digests.hash(keyText)
    if (within.includes(keyHash.slice(0, DIGITS))) for (const hash of hashes) sourceSums.remove(keyHash, hash)
  }
  return sourceSums.unequalTo(lakeSums)
}

/** Compares row by row. Rows of the source are held, and taken away by those of the lake that are the same. */
async function compareWithin(look: Look, prefixes: readonly string[], suspects: Suspects): Promise<void> {
  const { source, lake, digests, touched } = look
  const within = new Set(prefixes)
  const prefixLength = lengthOfFirst(within)
  const held = new Map<string, string[]>()
  for await (const { keyText, rowHash } of source.rowsWithin(prefixes)) {
    if (!touched.has(keyText)) held.set(keyText, [...(held.get(keyText) ?? []), rowHash])
  }
  const differing = new Set<string>()
  await lake.scan((cells) => {
    const keyText = digests.keyText(cells)
    if (!within.has(digests.hash(keyText).slice(0, prefixLength)) || touched.has(keyText)) return
    const hashes = held.get(keyText)
    const at = hashes?.indexOf(digests.rowHash(cells)) ?? -1
    if (at < 0) differing.add(keyText)
    else hashes!.splice(at, 1)
  })
  for (const [keyText, left] of held) if (left.length > 0) differing.add(keyText)
  for (const keyText of differing) suspects.addDifferent(keyText)
}

function lengthOfFirst(prefixes: ReadonlySet<string> | null): number {
  return prefixes?.values().next().value?.length ?? 0
}

function sum(counts: Iterable<number>): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
