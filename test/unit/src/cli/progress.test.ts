import { expect, test } from 'vitest'
import { createProgress } from '../../../../src/cli/progress.ts'
import { memoryTerminal } from '../../../support/cli-run.ts'

function world() {
  let nowMs = 0
  const terminal = memoryTerminal()
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} }
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { terminal, clock, pass }
}

test('where nobody watches, a line now and then and one at the end', () => {
  const { terminal, clock, pass } = world()
  const progress = createProgress({ terminal, clock, total: 3000, isSilent: false })
  progress.update({ records: 10, rows: 10, tables: 1 })
  pass(5000)
  progress.update({ records: 1000, rows: 500, tables: 2 })
  pass(1000)
  progress.update({ records: 3000, rows: 1200, tables: 2 })
  progress.stop()
  expect(terminal.text()).toBe(
    '1,000 of 3,000 records, 500 rows (100/s), 2 tables\n3,000 of 3,000 records, 1,200 rows (200/s), 2 tables\n',
  )
})

test('with --json nothing is written', () => {
  const { terminal, clock, pass } = world()
  const progress = createProgress({ terminal, clock, total: null, isSilent: true })
  pass(60_000)
  progress.update({ records: 1, rows: 1, tables: 1 })
  progress.stop()
  expect(terminal.text()).toBe('')
})
