import { describe, expect, test } from 'vitest'
import { runSchedule } from '../../../dq/schedule.ts'
import type { Check } from '../../../dq/verdict.ts'
import { nextRunMs } from '../../../src/io/cron.ts'
import { countedRandom, HandClock } from '../../support/test-ports.ts'

const MINUTE = 60_000
const LINES = { 'row-count': '* * * * *', checksum: '0 3 * * *' } as const
const at = (text: string) => Date.parse(`2026-03-01T${text}Z`)

/** Runs until a time. @returns the checks with the times at which they were begun */
async function play(from: string, to: string, lastRunsMs: [Check, number][] = [], tookMs = 0) {
  const clock = new HandClock()
  clock.now = at(from)
  const controller = new AbortController()
  const begun: (readonly [Check, number])[] = []
  let running = 0
  await runSchedule(
    { lines: LINES, nextRunMs, lastRunsMs: new Map(lastRunsMs) },
    { clock, random: countedRandom(), signal: controller.signal },
    async (check) => {
      running++
      expect(running).toBe(1)
      begun.push([check, clock.now])
      await clock.sleep(tookMs)
      running--
      if (clock.now >= at(to)) controller.abort()
    },
  )
  return begun
}

describe('a schedule', () => {
  test('runs each check when its line says so, a little later each time', async () => {
    const begun = await play('02:50:30', '03:10:00')
    const counts = begun.filter(([check]) => check === 'row-count').map(([, ms]) => ms)
    expect(counts.length).toBeGreaterThanOrEqual(19)
    for (const ms of counts) expect(ms % MINUTE).toBeLessThanOrEqual(0.1 * MINUTE)
    expect(new Set(counts.map((ms) => ms % MINUTE)).size).toBeGreaterThan(5)
    const checksums = begun.filter(([check]) => check === 'checksum').map(([, ms]) => ms)
    expect(checksums).toHaveLength(1)
    expect(checksums[0]).toBeGreaterThanOrEqual(at('03:00:00'))
    expect(checksums[0]).toBeLessThanOrEqual(at('03:01:00') + MINUTE)
  })

  test('does once what was due while nobody ran', async () => {
    const begun = await play('11:00:30', '11:02:00', [['checksum', at('03:00:10') - 24 * 60 * MINUTE]])
    expect(begun.filter(([check]) => check === 'checksum')).toHaveLength(1)
    expect(begun[0]).toEqual(['checksum', expect.any(Number)])
  })

  test('does not do again what was done before it was started anew', async () => {
    const begun = await play('11:00:30', '11:02:00', [['checksum', at('03:00:10')]])
    expect(begun.filter(([check]) => check === 'checksum')).toHaveLength(0)
  })

  test('lets nothing overlap, and makes up for no time that was missed', async () => {
    const begun = await play('11:00:30', '11:30:00', [], 5 * MINUTE)
    expect(begun.length).toBeLessThanOrEqual(7)
  })
})
