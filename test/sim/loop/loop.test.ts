import { expect, test } from 'vitest'
import { runLoop } from './loop.ts'
import { printLoop } from './print-loop.ts'

// `make sim` makes every call fail in every mode; this is the smallest part that still visits every site.
test('a process that is killed at the first call of any site leaves what a clean run leaves', async () => {
  const report = await runLoop({ calls: 'first', modes: ['killed before'] })
  expect(report.failures, printLoop(report)).toEqual([])
  expect(report.sitesHit).toHaveLength(report.sitesKnown)
})
