import { type Bar, count } from '../bars.ts'
import type { Chain } from './chain.ts'
import type { Freshness } from './freshness.ts'
import type { LiveResult } from './live-result.ts'
import type { ScaleOut } from './scale-out.ts'

const GAIN_MIN = 1.4

/** The bars that `make bench-live` answers; each by the newest result that has it. */
export function liveBars(results: readonly LiveResult[]): readonly Bar[] {
  const newest = <Part extends 'freshness' | 'chain' | 'scaleOut'>(part: Part) =>
    results.find((result) => result[part] !== undefined)?.[part]
  return [freshnessBar(newest('freshness')), chainBar(newest('chain')), ...scaleBars(newest('scaleOut'))]
}

function freshnessBar(fresh: Freshness | undefined): Bar {
  const work = 'freshness, engine alone: 20,000 changes/s on a broker, S3, `freshness: 1s`, read by delta-rs'
  const bar = 'p50 ≤ 1.5 s, p99 ≤ 5 s'
  if (fresh === undefined) return { work, bar, measured: null, isMet: null }
  const isMet = fresh.p50Ms <= 1500 && fresh.p99Ms <= 5000
  return { work, bar, measured: agesText(fresh), isMet }
}

function chainBar(chain: Chain | undefined): Bar {
  const work = 'freshness, from Postgres through Debezium, at half the rate that it sustains alone'
  const bar = 'p50 ≤ 3 s, p99 ≤ 10 s'
  if (chain === undefined) return { work, bar, measured: null, isMet: null }
  const measured = `${agesText(chain)}; Debezium alone ${count(chain.debeziumAlonePerSecond)}/s`
  return { work, bar, measured, isMet: chain.p50Ms <= 3000 && chain.p99Ms <= 10_000 }
}

function agesText({ p50Ms, p99Ms, changesPerSecond, engineCores, brokerCores }: Freshness): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  const cores = `engine ${engineCores} cores, broker ${brokerCores}`
  return `p50 ${seconds(p50Ms)}, p99 ${seconds(p99Ms)} at ${count(changesPerSecond)}/s (${cores})`
}

function scaleBars(scale: ScaleOut | undefined): readonly Bar[] {
  const work = '8 tables by 1 → 2 processes, each held to one core'
  const whole = '8 tables by 4 processes'
  const [one, two, four] = [1, 2, 4].map((processes) =>
    scale?.runs.find((run) => run.processes === processes),
  )
  if (one === undefined || two === undefined || four === undefined) {
    return [
      { work, bar: `≥ ${GAIN_MIN} ×`, measured: null, isMet: null },
      { work: whole, bar: 'nothing lost', measured: null, isMet: null },
    ]
  }
  const gain = two.changesPerSecond / one.changesPerSecond
  const rates = `${count(one.changesPerSecond)} → ${count(two.changesPerSecond)} changes/s`
  const measured = `${gain.toFixed(2)} × (${rates}; broker ${one.brokerCpuSeconds} and ${two.brokerCpuSeconds} CPU s)`
  return [
    { work, bar: `≥ ${GAIN_MIN} ×`, measured, isMet: gain >= GAIN_MIN },
    {
      ...{ work: whole, bar: 'nothing lost' },
      measured: `${count(four.rows)} rows of ${count(four.rowsExpected)}`,
      isMet: four.rows === four.rowsExpected,
    },
  ]
}
