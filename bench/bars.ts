import type { CaseResult, ContestantResult, RunResult, Window } from './results.ts'

/** What the project sets itself, and what was measured. A figure that lacks its case is `null`: not measured. */
export interface Bar {
  readonly work: string
  readonly bar: string
  readonly measured: string | null
  readonly isMet: boolean | null
}

const GROWTH_MAX = 1.25

/** The bars that a run of `make bench` answers. */
export function workBars({ cases }: Pick<RunResult, 'cases'>): readonly Bar[] {
  const named = (name: string) => cases.find((each) => each.case.name === name)
  return [
    ratioBar('U, 10 million rows, whole rows before, full feed', 40, named('u-10m')),
    ratioBar('the same, keys alone before, feed of rows', 50, named('u-10m-key')),
    ratioBar('U, 50 million rows', 150, named('u-50m')),
    growthBar(1, 20, named('u-50m'), named('u-1m')),
    growthBar(400, 420, named('u-50m'), named('u-1m')),
    skewBar(named('s-10m'), named('u-10m')),
    bytesBar(named('u-10m')),
    rateBar('A, schemas off', 120_000, named('a')),
    rateBar('A, inline schemas', 90_000, named('a-inline')),
    memoryBar('peak memory, 10 million rows', 512, named('u-10m')),
    memoryBar('peak memory, 100 million rows', 1536, named('u-100m')),
    ...scanBars(named('u-10m')),
  ]
}

function ours({ contestants }: CaseResult): ContestantResult {
  return contestants.find(({ name }) => name === 'alluvium')!
}

/** Our batches while the peers take their turns. */
function young(result: CaseResult): Window {
  return ours(result).windows[0]!
}

function barOf(
  work: string,
  bar: string,
  measured: { readonly text: string; readonly isMet: boolean } | null | undefined,
): Bar {
  return { work, bar, measured: measured?.text ?? null, isMet: measured?.isMet ?? null }
}

function ratioBar(work: string, least: number, result: CaseResult | undefined): Bar {
  const peer = result?.contestants.find(({ name }) => name === 'delta-rs')?.windows[0]
  if (result === undefined || peer === undefined) return barOf(work, `≥ ${least} × delta-rs`, null)
  const ratio = peer.seconds.median / young(result).seconds.median
  const byCpu = peer.cpuSeconds.median / young(result).cpuSeconds.median
  const text = `${ratio.toFixed(1)} × (${byCpu.toFixed(1)} × by CPU)`
  return barOf(work, `≥ ${least} × delta-rs`, { text, isMet: ratio >= least })
}

function growthBar(from: number, to: number, large?: CaseResult, small?: CaseResult): Bar {
  const window = (result: CaseResult) =>
    ours(result).windows.find((each) => each.from === from && each.to === to)
  const [at, of] = [large && window(large), small && window(small)]
  const work = `time a batch at 50 million rows against 1 million, batches ${from}–${to}`
  if (at === undefined || of === undefined) return barOf(work, `≤ ${GROWTH_MAX} ×`, null)
  const growth = at.seconds.median / of.seconds.median
  return barOf(work, `≤ ${GROWTH_MAX} ×`, { text: `${growth.toFixed(2)} ×`, isMet: growth <= GROWTH_MAX })
}

function skewBar(skewed?: CaseResult, even?: CaseResult): Bar {
  const work = 'S, 10 million rows'
  if (skewed === undefined || even === undefined) return barOf(work, '≥ the rate of U', null)
  const ratio = young(even).seconds.median / young(skewed).seconds.median
  return barOf(work, '≥ the rate of U', { text: `${ratio.toFixed(2)} ×`, isMet: ratio >= 1 })
}

/** The window is a few batches long, and a merge falls into it or does not: all batches after the first 20 stand beside. */
function bytesBar(result: CaseResult | undefined): Bar {
  const work = 'bytes written a change, U, 10 million rows, batches 400–420, merging included'
  const windows = result === undefined ? [] : ours(result).windows
  const late = windows.find(({ from }) => from === 400)
  const long = windows.find(({ from, to }) => from === 21 && to === 420)
  if (late === undefined || long === undefined) return barOf(work, '≤ 1,000', null)
  const bytes = ({ bytesPerEvent }: Window) =>
    Object.values(bytesPerEvent).reduce((sum, part) => sum + part, 0)
  const { data, vectors, feed, log } = late.bytesPerEvent
  const text =
    `${bytes(late)} (data ${data}, vectors ${vectors}, feed ${feed}, log ${log}); ` +
    `${bytes(long)} over batches 21–420`
  return barOf(work, '≤ 1,000', { text, isMet: bytes(late) <= 1000 && bytes(long) <= 1000 })
}

function rateBar(work: string, least: number, result: CaseResult | undefined): Bar {
  const bar = `≥ ${count(least)} events/s`
  if (result === undefined) return barOf(work, bar, null)
  const { eventsPerSecond, eventsPerCpuSecond } = ours(result)
  const text = `${count(eventsPerSecond)} (${count(eventsPerCpuSecond)} a CPU second)`
  return barOf(work, bar, { text, isMet: eventsPerSecond >= least })
}

function memoryBar(work: string, mostMb: number, result: CaseResult | undefined): Bar {
  const bar = `≤ ${count(mostMb)} MB`
  if (result === undefined) return barOf(work, bar, null)
  const { peakMemoryMb } = ours(result)
  return barOf(work, bar, { text: `${count(peakMemoryMb)} MB`, isMet: peakMemoryMb <= mostMb })
}

function scanBars(result: CaseResult | undefined): readonly Bar[] {
  const bar = '≤ 1.5 × the compacted table'
  return ['delta-rs', 'duckdb', 'spark'].map((reader) => {
    const work = `scan by ${reader} after 420 batches`
    const scan = result?.scans.find((each) => each.reader === reader)
    if (scan === undefined) return barOf(work, bar, null)
    const { asLeft, compacted } = scan
    const ratio = asLeft.median / compacted.median
    const text = `${ratio.toFixed(2)} × (${asLeft.median.toFixed(2)} s against ${compacted.median.toFixed(2)} s)`
    return barOf(work, bar, { text, isMet: ratio <= 1.5 })
  })
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

export function verdict({ isMet }: Bar): string {
  return isMet === null ? 'not measured' : isMet ? 'met' : 'not met'
}
