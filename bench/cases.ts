/** What is measured, and how large. Names are those of the workloads in `bench/workload/`. */

export const EVENTS_A_BATCH = 10_000

export interface UpsertCase {
  readonly kind: 'upsert'
  readonly name: string
  readonly workload: 'U' | 'S'
  readonly baseRows: number
  /** `full`: whole rows before, so a full change feed; `key`: keys alone, the feed tells of rows. */
  readonly before: 'full' | 'key'
  /** Of ours. */
  readonly batches: number
  /** Batches of each peer, interleaved with our first ones; 0: takes no part. */
  readonly peerBatches: { readonly deltaRs: number; readonly spark: number }
  /** Whether readers scan the table at the end, and again after it was compacted. */
  readonly scans: boolean
}

export interface AppendCase {
  readonly kind: 'append'
  readonly name: string
  readonly batches: number
  readonly eventsABatch: number
  readonly schemas: 'off' | 'inline'
  readonly deltaRs: boolean
}

export type Case = UpsertCase | AppendCase

const M = 1_000_000
const LONG = 420

function upsert(
  name: string,
  given: Partial<Omit<UpsertCase, 'kind' | 'name'>> & Pick<UpsertCase, 'baseRows' | 'batches'>,
): UpsertCase {
  const usual = {
    workload: 'U',
    before: 'full',
    peerBatches: { deltaRs: 0, spark: 0 },
    scans: false,
  } as const
  return { kind: 'upsert', name, ...usual, ...given }
}

function append(name: string, batches: number, schemas: AppendCase['schemas'], deltaRs: boolean): AppendCase {
  return { kind: 'append', name, batches, eventsABatch: 100_000, schemas, deltaRs }
}

export const CASES: readonly Case[] = [
  upsert('u-smoke', { baseRows: 50_000, batches: 24, peerBatches: { deltaRs: 3, spark: 1 }, scans: true }),
  upsert('u-1m-quick', { baseRows: M, batches: 40, peerBatches: { deltaRs: 10, spark: 0 } }),
  append('a-quick', 3, 'off', true),
  append('a-quick-inline', 2, 'inline', false),
  upsert('u-1m', { baseRows: M, batches: LONG, peerBatches: { deltaRs: 10, spark: 4 } }),
  upsert('u-10m', { baseRows: 10 * M, batches: LONG, peerBatches: { deltaRs: 10, spark: 4 }, scans: true }),
  upsert('u-10m-key', {
    baseRows: 10 * M,
    batches: 40,
    before: 'key',
    peerBatches: { deltaRs: 6, spark: 0 },
  }),
  upsert('s-10m', { baseRows: 10 * M, batches: 40, workload: 'S', peerBatches: { deltaRs: 6, spark: 0 } }),
  append('a', 20, 'off', true),
  append('a-inline', 10, 'inline', false),
  upsert('u-50m', { baseRows: 50 * M, batches: LONG, peerBatches: { deltaRs: 4, spark: 2 } }),
  upsert('u-100m', { baseRows: 100 * M, batches: 40 }),
]

const SETS: Readonly<Record<string, readonly string[]>> = {
  quick: ['u-1m-quick', 'a-quick', 'a-quick-inline'],
  usual: ['u-1m', 'u-10m', 'u-10m-key', 's-10m', 'a', 'a-inline'],
  full: ['u-1m', 'u-10m', 'u-10m-key', 's-10m', 'a', 'a-inline', 'u-50m', 'u-100m'],
}

/** @param choice `quick`, `usual`, `full`, or names of cases with commas between */
export function chooseCases(choice: string): readonly Case[] {
  const names = SETS[choice] ?? choice.split(',')
  return names.map((name) => {
    const found = CASES.find((each) => each.name === name)
    if (found !== undefined) return found
    throw new Error(
      `there is no case ${name}; choose ${Object.keys(SETS).join(', ')}, or of ${CASES.map((c) => c.name).join(', ')}`,
    )
  })
}
