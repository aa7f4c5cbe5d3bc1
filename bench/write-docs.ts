import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bar, count, verdict, workBars } from './bars.ts'
import { PARTS } from './contestant.ts'
import { liveBars } from './live/live-bars.ts'
import type { LiveResult } from './live/live-result.ts'
import type { StepCost } from './micro/stopwatch.ts'
import { ROOT } from './places.ts'
import { type CaseResult, type RunResult, type Stamp, storedResults, type Window } from './results.ts'

/** `make bench-docs`: writes the tables of docs/performance.md anew from the stored results. */

const PAGE = join(ROOT, 'docs/performance.md')
const NONE = 'Not measured yet.'

type Rows = readonly (readonly string[])[]

function table(headings: readonly string[], rows: Rows): string {
  if (rows.length === 0) return NONE
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n')
}

/** The newest measurement of each case, and of what it is a part. */
function newestCases(runs: readonly RunResult[]): readonly { each: CaseResult; run: RunResult }[] {
  const found = new Map<string, { each: CaseResult; run: RunResult }>()
  for (const run of runs) {
    for (const each of run.cases) if (!found.has(each.case.name)) found.set(each.case.name, { each, run })
  }
  return [...found.values()].sort((a, b) => orderOf(a.each) - orderOf(b.each))
}

const ORDER = ['u-1m', 'u-10m', 'u-10m-key', 's-10m', 'u-50m', 'u-100m', 'a', 'a-inline']
const orderOf = ({ case: { name } }: CaseResult): number => ORDER.indexOf(name)

function stampRow(what: string, { startedAt, commit, machine, versions, load }: Stamp): readonly string[] {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    ...[what, `${startedAt.slice(0, 16).replace('T', ' ')} UTC`, commit, `${load.before} → ${load.after}`],
    `${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, Linux ${machine.kernel}`,
    names.join(', '),
  ]
}

function barRow(bar: Bar): readonly string[] {
  return [bar.work, bar.bar, bar.measured ?? '–', `**${verdict(bar)}**`]
}

function workRows({ case: { name }, contestants, othersCores }: CaseResult): Rows {
  return contestants.flatMap((who) =>
    who.windows.map(({ from, to, seconds, cpuSeconds, bytesPerEvent, files }, i) => [
      ...[i === 0 ? name : '', i === 0 ? who.name : '', `${from}–${to}`],
      ...[seconds.median, seconds.p95].map((value) => value.toFixed(3)),
      `${seconds.p25.toFixed(3)}–${seconds.p75.toFixed(3)}`,
      cpuSeconds.median.toFixed(3),
      PARTS.map((part) => bytesPerEvent[part]).join(' + '),
      String(files),
      ...(i === 0
        ? [
            ...[who.firstSeconds.toFixed(2), count(who.eventsPerSecond), count(who.eventsPerCpuSecond)],
            ...[count(who.peakMemoryMb), String(who.verified), String(othersCores)],
          ]
        : ['', '', '', '', '', '']),
    ]),
  )
}

function phaseRows({ case: { name }, contestants }: CaseResult): Rows {
  const windows = contestants.flatMap((who) => who.windows).filter(hasPhases)
  return windows.map(({ from, to, phasesMs, seconds }) => [
    ...[name, `${from}–${to}`],
    ...Object.values(phasesMs).map((ms) => ms.toFixed(1)),
    (seconds.median * 1000).toFixed(1),
  ])
}

function hasPhases(window: Window): window is Window & Required<Pick<Window, 'phasesMs'>> {
  return window.phasesMs !== undefined
}

function blocks(): ReadonlyMap<string, string> {
  const works = storedResults<RunResult>('work')
  const steps = storedResults<Stamp & { readonly steps: readonly StepCost[] }>('steps')
  const live = storedResults<LiveResult>('live')
  const newest = newestCases(works).filter(({ each }) => ORDER.includes(each.case.name))
  const cases = newest.map(({ each }) => each)
  const measured = [
    ...newest.map(({ each, run }) => stampRow(each.case.name, run)),
    ...steps.slice(0, 1).map((stamp) => stampRow('steps', stamp)),
    ...live.slice(0, 1).map((stamp) => stampRow('live', stamp)),
  ]
  const where = ['what', 'when', 'commit', 'load', 'machine', 'versions']
  const scans = cases.flatMap(({ case: { name }, scans }) =>
    scans.map(({ reader, version, asLeft, compacted }) => [
      ...[name, `${reader} ${version}`, asLeft.median.toFixed(3), compacted.median.toFixed(3)],
      `${(asLeft.median / compacted.median).toFixed(2)} ×`,
    ]),
  )
  const work = [
    'work',
    'who',
    'batches',
    'median s',
    'p95 s',
    'p25–p75 s',
    'CPU s',
    'bytes an event: data + vectors + feed + log',
  ]
  const totals = ['files', 'first s', 'events/s', 'a CPU s', 'peak MB', 'verified', "others' cores"]
  return new Map([
    ['measured', table(where, measured)],
    ['bars', table(['work', 'bar', 'measured', ''], [...workBars({ cases }), ...liveBars(live)].map(barRow))],
    ['work', table([...work, ...totals], cases.flatMap(workRows))],
    [
      'phases',
      table(
        ['work', 'batches', 'decode', 'plan', 'encode', 'put', 'commit', 'batch'],
        cases.flatMap(phaseRows),
      ),
    ],
    ['steps', table(['step', 'of a', 'ns', 'CPU ns', 'a CPU second'], (steps[0]?.steps ?? []).map(stepRow))],
    ['scans', table(['work', 'reader', 'as left, s', 'compacted, s', ''], scans)],
  ])
}

function stepRow(cost: StepCost): readonly string[] {
  const { step, unit, nanosecondsPerRow, cpuNanosecondsPerRow, rowsPerCpuSecond } = cost
  return [step, unit, ...[nanosecondsPerRow, cpuNanosecondsPerRow, rowsPerCpuSecond].map(count)]
}

const page = readFileSync(PAGE, 'utf8')
const written = [...blocks()].reduce((text, [name, block]) => {
  const found = new RegExp(`(<!-- bench:${name} -->\n)[\\s\\S]*?(\n<!-- /bench -->)`)
  if (!found.test(text)) throw new Error(`docs/performance.md has no place for ${name}`)
  return text.replace(found, (_, open: string, close: string) => `${open}${block}${close}`)
}, page)
writeFileSync(PAGE, written)
process.stdout.write(`docs/performance.md ${written === page ? 'stays as it is' : 'is written anew'}\n`)
