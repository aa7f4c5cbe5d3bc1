import { expect, test } from 'vitest'
import { playMonth } from './month-play.ts'

// `make sim` plays two days of 8,640 commits, `make night` thirty.
test('a table that is left alone stays small', async () => {
  const { days, failures } = await playMonth({
    days: 3,
    rows: 2000,
    cadenceMs: 600_000,
    keptHours: { log: 1, files: 1 },
  })
  expect(failures).toEqual([])
  expect(days.at(-1)!.version).toBeGreaterThan(400)
})
