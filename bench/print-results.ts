import { aligned } from './aligned.ts'
import { verdict, workBars } from './bars.ts'
import { PARTS } from './contestant.ts'
import { type CaseResult, type ContestantResult, lastOf, type RunResult, type Window } from './results.ts'
import { sum } from './statistics.ts'

type Cells = readonly string[]

const HEADINGS = [
  ...[
    'work',
    'who',
    'batches',
    'median s',
    'p95 s',
    'p25–p75 s',
    'CPU s',
    'B/event',
    'data+vectors+feed+log',
  ],
  ...['first s', 'events/s', 'ev/CPU s', 'peak MB', 'verified'],
]

export function printResults(result: RunResult, earlier: readonly RunResult[]): string {
  const rows = result.cases.flatMap(rowsOf)
  const lines = [
    `commit ${result.commit}, ${result.machine.cores} × ${result.machine.cpu}, ${result.machine.memoryGb} GB, load ${result.load.before} → ${result.load.after}`,
    '',
    ...aligned([HEADINGS, ...rows]),
    '',
    ...result.cases.flatMap((each) => againstPeers(each)),
    ...barLines(result),
    ...result.cases.flatMap((each) => againstLast(each, earlier)),
    ...result.cases.flatMap(phaseLines),
    ...result.cases.map((each) => `${each.case.name}: others kept ${each.othersCores} cores busy`),
  ]
  return `${lines.join('\n')}\n`
}

function rowsOf({ case: { name }, contestants }: CaseResult): readonly Cells[] {
  return contestants.flatMap((contestant) =>
    contestant.windows.map((window, i) => [
      name,
      contestant.name,
      `${window.from}–${window.to}`,
      ...windowCells(window),
      ...(i === 0 ? totalsOf(contestant) : ['', '', '', '', '']),
    ]),
  )
}

function windowCells({ seconds, cpuSeconds, bytesPerEvent }: Window): Cells {
  return [
    seconds.median.toFixed(3),
    seconds.p95.toFixed(3),
    `${seconds.p25.toFixed(3)}–${seconds.p75.toFixed(3)}`,
    cpuSeconds.median.toFixed(3),
    String(sum(Object.values(bytesPerEvent))),
    PARTS.map((part) => bytesPerEvent[part]).join('+'),
  ]
}

function totalsOf(who: ContestantResult): Cells {
  const { firstSeconds, eventsPerSecond, eventsPerCpuSecond, peakMemoryMb, verified } = who
  return [
    firstSeconds.toFixed(2),
    ...[eventsPerSecond, eventsPerCpuSecond, peakMemoryMb, verified].map(String),
  ]
}

function againstPeers({ case: { name, kind }, contestants }: CaseResult): readonly string[] {
  const [ours, ...peers] = contestants
  if (kind !== 'upsert') return []
  return peers.map((peer) => {
    const times = (of: 'seconds' | 'cpuSeconds') =>
      (peer.windows[0]![of].median / ours!.windows[0]![of].median).toFixed(1)
    return `${name}: ${times('seconds')} times as fast as ${peer.name} (${times('cpuSeconds')} by CPU)`
  })
}

function againstLast(
  { case: { name }, contestants }: CaseResult,
  earlier: readonly RunResult[],
): readonly string[] {
  const last = lastOf(name, earlier)
  if (last === undefined) return []
  const ours = contestants[0]!
  const change = (of: 'eventsPerSecond' | 'eventsPerCpuSecond') =>
    `${((ours[of] / last[of] - 1) * 100).toFixed(0)} %`
  return [
    `${name}: against the last stored run ${change('eventsPerSecond')} events/s, ${change('eventsPerCpuSecond')} events per CPU second`,
  ]
}

function barLines(result: RunResult): readonly string[] {
  const measured = workBars(result).filter(({ isMet }) => isMet !== null)
  if (measured.length === 0) return []
  const rows = measured.map((bar) => [bar.work, bar.bar, bar.measured!, verdict(bar)])
  return ['', ...aligned([['bar', 'set', 'measured', ''], ...rows]), '']
}

/** Where the time of our batches goes. */
function phaseLines({ case: { name }, contestants }: CaseResult): readonly string[] {
  return contestants.flatMap(({ windows }) =>
    windows.flatMap(({ from, to, phasesMs }) => {
      if (phasesMs === undefined) return []
      const steps = Object.entries(phasesMs).map(([step, ms]) => `${step} ${ms.toFixed(1)}`)
      return [`${name}, batches ${from}–${to}, ms: ${steps.join(', ')}`]
    }),
  )
}
