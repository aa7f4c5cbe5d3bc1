import { commitPath, lastCheckpointPath } from '../../../writers/delta/log-path.ts'
import type { MemoryTopics } from '../../support/memory-topics.ts'
import { type Fault, MODES, type Mode, SITES, type Site } from './faults.ts'
import { type LakeState, stateOf } from './lake-state.ts'
import { LoopedLake } from './looped-lake.ts'
import { firstHalf, oldTopic, STOPPED_TABLE, wholeScenario } from './scenario-topics.ts'

const OLD_TABLE = 'public/old'
const OLD_COMMITS = 100
/** Entries of the old table that a cleanup of the log has left to do. */
const TO_CLEAN = 2
/** Objects of graves, one more of which makes one of all. */
const GRAVES = 32
const DAY_MS = 86_400_000

export interface LoopReport {
  readonly runs: number
  /** Sites that were made to fail, of all there are. */
  readonly sitesHit: readonly Site[]
  readonly sitesKnown: number
  readonly runsByMode: ReadonlyMap<Mode, number>
  readonly failures: readonly {
    /** `null`: none, and the run is not as it should be all the same. */ readonly fault: Fault | null
    readonly why: string
  }[]
}

export interface LoopOptions {
  /**
   * Which calls of each site in each act: `first` only the very first, `some` the first, the second and the last, where
   * a process begins, goes on and ends. Default: `some`.
   */
  readonly calls?: 'first' | 'some' | 'all'
  /** Default: all. */
  readonly modes?: readonly Mode[]
  readonly sites?: readonly Site[]
  /** What a clean run must come to; default: what it comes to. */
  readonly expected?: LakeState
  /** End at the first failure. */
  readonly isHasty?: boolean
}

/** Makes calls of every site fail in every mode that makes a difference, one a run, and compares what is left. */
export async function runLoop({
  calls = 'some',
  modes,
  sites,
  expected,
  isHasty = false,
}: LoopOptions = {}): Promise<LoopReport> {
  const stage = await setStage()
  const runsByMode = new Map<Mode, number>()
  const failures: { fault: Fault | null; why: string }[] = []
  const sitesHit = new Set<Site>()
  const strayed = expected === undefined ? null : difference(await bothActs(stage), expected)
  if (strayed !== null) failures.push({ fault: null, why: `the clean run: ${strayed}` })
  for (const { act, fault } of faultsOf(stage, calls)) {
    if (isHasty && failures.length > 0) break
    if (modes?.includes(fault.mode) === false || sites?.includes(fault.site) === false) continue
    runsByMode.set(fault.mode, (runsByMode.get(fault.mode) ?? 0) + 1)
    sitesHit.add(fault.site)
    const why = await whyItDiffers(stage, act, fault)
    if (why !== null) failures.push({ fault, why: `act ${act}: ${why}` })
  }
  return {
    runs: [...runsByMode.values()].reduce((sum, runs) => sum + runs, 0),
    sitesHit: SITES.filter((site) => sitesHit.has(site)),
    sitesKnown: SITES.length,
    runsByMode,
    failures,
  }
}

/** What is left by a run that nothing befalls. */
export async function cleanState(): Promise<LakeState> {
  return bothActs(await setStage())
}

async function bothActs({ after, expected }: Stage): Promise<LakeState> {
  const first = await stateOf(after[1].store, FIRST_VERSIONS)
  return new Map([...[...first].map(([path, text]) => [`${path}, act 1`, text] as const), ...expected])
}

/** The scenario has two acts, so that processes also open what there is. */
type Act = 1 | 2

/** What a run starts from, and what it must come to. */
interface Stage {
  readonly topics: Readonly<Record<Act, MemoryTopics>>
  /** The lake before each act, and as it is after a clean one. */
  readonly before: Readonly<Record<Act, LoopedLake>>
  readonly after: Readonly<Record<Act, LoopedLake>>
  readonly expected: LakeState
}

const FIRST_VERSIONS = new Map([[OLD_TABLE, OLD_COMMITS]])

async function setStage(): Promise<Stage> {
  const topics = { 1: firstHalf(), 2: wholeScenario() }
  const old = await oldLake()
  const first = old.copy(null, 1)
  await first.runToTheEnd(topics[1])
  const second = first.copy(null, 2)
  await second.runToTheEnd(topics[2], STOPPED_TABLE)
  const expected = await stateOf(second.store, FIRST_VERSIONS)
  return { topics, before: { 1: old, 2: first }, after: { 1: first, 2: second }, expected }
}

function* faultsOf({ after }: Stage, which: 'first' | 'some' | 'all'): Generator<{ act: Act; fault: Fault }> {
  const given = new Set<Site>()
  for (const act of [1, 2] as const) {
    const { counts, kinds } = after[act].border
    for (const [site, made] of counts) {
      if (which === 'first' && given.has(site)) continue
      given.add(site)
      for (const mode of MODES[kinds.get(site)!]) {
        for (let call = 1; call <= made; call++) {
          if (isChosen(which, call, made)) yield { act, fault: { site, call, mode } }
        }
      }
    }
  }
}

function isChosen(which: 'first' | 'some' | 'all', call: number, made: number): boolean {
  return which === 'all' || call === 1 || (which === 'some' && (call === 2 || call === made))
}

const UNLIKE = 'the call was not made: runs are not alike'

async function whyItDiffers(stage: Stage, act: Act, fault: Fault): Promise<string | null> {
  try {
    const lake = stage.before[act].copy(fault, act)
    if (act === 1) await lake.runToTheEnd(stage.topics[1])
    if (act === 1 && !lake.border.hasFailed) return UNLIKE
    await lake.runToTheEnd(stage.topics[2], STOPPED_TABLE)
    if (!lake.border.hasFailed) return UNLIKE
    await lake.border.settle()
    return difference(await stateOf(lake.store, FIRST_VERSIONS), stage.expected)
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

/**
 * A lake as it was left nine days ago. Its one table is due for a checkpoint and for a cleanup of its log: it has a
 * checkpoint, and the pointer to that is lost. A process that was killed has left its sign, and a table to come has
 * as many graves as are kept apart.
 */
async function oldLake(): Promise<LoopedLake> {
  const young = new LoopedLake(null, { batchRows: 1 })
  await young.runToTheEnd(oldTopic(false))
  const lake = young.copy(null, 3)
  await lake.runToTheEnd(oldTopic(true))
  for (let version = 0; version < OLD_COMMITS - 1 - TO_CLEAN; version++) {
    lake.store.objects.delete(commitPath(OLD_TABLE, version))
  }
  lake.store.objects.delete(lastCheckpointPath(OLD_TABLE))
  await lake.leaveSign()
  lake.clock.now += 9 * DAY_MS
  await lake.digGraves(GRAVES)
  return lake
}

function difference(state: LakeState, expected: LakeState): string | null {
  for (const path of new Set([...state.keys(), ...expected.keys()])) {
    const [is, should] = [state.get(path) ?? 'no table', expected.get(path) ?? 'no table']
    if (is === should) continue
    let at = 0
    while (is[at] === should[at]) at++
    return `${path}: …${is.slice(Math.max(0, at - 80), at + 120)}… and not …${should.slice(Math.max(0, at - 80), at + 120)}…`
  }
  return null
}
