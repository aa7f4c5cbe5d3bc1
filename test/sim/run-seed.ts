import { type Faults, OneFault, type OneFaultAt, SwarmOfFaults } from './faults.ts'
import { World } from './world.ts'

export interface SeedOptions {
  /** One fault instead of those that the seed draws, and no trouble else. */
  readonly fault?: OneFaultAt
  /** Nothing goes wrong at all. */
  readonly isPeaceful?: boolean
}

export interface SeedResult {
  readonly seed: number
  readonly ok: boolean
  /** The same for every run of a seed. */
  readonly traceHash: string
  readonly trace: readonly string[]
  /** What is not as it must be; empty when all is well. */
  readonly failure: string
  /** Calls by site. */
  readonly sites: ReadonlyMap<string, number>
  readonly commits: number
}

/** One made-up world from its beginning to its end. Never throws: what went wrong is in the result. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const { fault, isPeaceful = fault !== undefined } = options
  const faults = (random: ConstructorParameters<typeof SwarmOfFaults>[0]): Faults =>
    fault === undefined ? new SwarmOfFaults(random) : new OneFault(fault)
  const isCalm = isPeaceful && fault === undefined
  const world = new World(seed, { isPeaceful, ...(isCalm ? {} : { faults }) })
  let failure = ''
  try {
    await world.run()
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  const { trace, sites, commits } = world
  return { seed, ok: failure === '', traceHash: trace.hash, trace: trace.lines, failure, sites, commits }
}
