import { type Found, findingsOf } from './finding.ts'

const { risk } = findingsOf('clock')

/** Lag and freshness are differences of two clocks. */
const SKEW_MS_MAX = 5000

/** @param nowMs by our clock, when the source's was read */
export function* checkClock(nowMs: number, sourceMs: number): Found {
  const skewMs = nowMs - sourceMs
  if (Math.abs(skewMs) <= SKEW_MS_MAX) return
  const which = skewMs > 0 ? 'ahead of' : 'behind'
  yield risk(
    'clock-skew',
    `our clock is ${Math.round(Math.abs(skewMs) / 1000)} s ${which} that of the database: lag is told wrong by as much`,
    'let both machines keep time by NTP',
  )
}
