import { expect, test } from 'vitest'
import type { CheckedTable } from '../../../dq/checked-table.ts'
import type { DqPorts } from '../../../dq/dq-ports.ts'
import { NO_STREAM, type StreamMark } from '../../../dq/stream-barrier.ts'
import { waitForPlace } from '../../../dq/wait-for.ts'
import { changeEvent } from '../../support/change-event.ts'
import { type HandClock, testPorts } from '../../support/test-ports.ts'
import { TABLE_PATH, TestTable } from '../../support/test-table.ts'

const never = new AbortController().signal

/** Passed from the third time on that it is asked. */
async function world(passedAt: number) {
  const table = await TestTable.open()
  await table.apply(changeEvent({ after: { id: 1n, v: 'a' } }))
  const clock = testPorts(table.store).clock as HandClock
  const marks: StreamMark[] = []
  let asked = 0
  const isPassed = async (mark: StreamMark) => marks.push(mark) > 0 && ++asked >= passedAt
  const ports = { store: table.store, clock, barrier: { ...NO_STREAM, isPassed } } as unknown as DqPorts
  const checked = { name: 'public.items', path: TABLE_PATH } as CheckedTable
  return { ports, checked, clock, marks }
}

test('waits until a table has come as far, and then no longer', async () => {
  const { ports, checked, marks } = await world(3)
  const found = await waitForPlace(ports, [checked], 77n, { waitMs: 60_000, signal: never })
  expect(found).toEqual([{ table: 'public.items', reached: true, version: 0 }])
  expect(marks.map(({ lsn }) => lsn)).toEqual([77n, 77n, 77n])
})

test('gives up when the time is over, and when it is told to', async () => {
  const { ports, checked, clock } = await world(1e9)
  const startMs = clock.now
  const late = await waitForPlace(ports, [checked], 77n, { waitMs: 60_000, signal: never })
  expect(late).toMatchObject([{ reached: false }])
  expect(clock.now - startMs).toBe(60_000)
  const told = await waitForPlace(ports, [checked], null, { waitMs: 60_000, signal: AbortSignal.abort() })
  expect(told).toMatchObject([{ reached: false }])
  expect(clock.now - startMs).toBe(60_000)
})
