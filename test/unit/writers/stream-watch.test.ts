import { expect, test } from 'vitest'
import type { Clock } from '../../../core/ports.ts'
import { visibilityOf } from '../../../schemas/visibility.ts'
import { StreamWatches } from '../../../writers/stream-watch.ts'
import { changeEvent } from '../../support/change-event.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { testPorts } from '../../support/test-ports.ts'

const MOMENT = visibilityOf('100:100:')
const event = (id: bigint, tx: number | null) => changeEvent({ after: { id, v: 'a' }, tx })

function watches(nowMs: () => number = () => 0): StreamWatches {
  const clock: Clock = { nowMs, monotonicMs: nowMs, sleep: async () => {} }
  return new StreamWatches(clock, testPorts(new MemoryStore()).random)
}

test('one event that the moment does not see makes a key newer, also when an older one is sent again after it', () => {
  const all = watches()
  const name = all.begin()
  all.note([event(1n, 5), event(2n, 5), event(2n, 100), event(2n, 5), event(3n, null)])
  const { isNewer } = all.find(name)!
  const newer = [1n, 2n, 3n, 4n].filter((id) => isNewer(event(id, 1).key!, MOMENT))
  expect(newer).toEqual([2n, 3n])
})

test('a watch is over after ten minutes, a truncate, or 200,000 changes', () => {
  let nowMs = 0
  const all = watches(() => nowMs)
  const first = all.begin()
  nowMs = 9 * 60_000
  const second = all.begin()
  expect(all.find(first)).not.toBeNull()
  nowMs = 10 * 60_000
  expect(all.find(first)).toBeNull()
  const one = event(1n, 5)
  for (let i = 0; i < 200; i++) all.note(new Array(1000).fill(one))
  expect(all.find(second)).not.toBeNull()
  all.note([one])
  expect(all.find(second)).toBeNull()
  const third = all.begin()
  all.note([changeEvent({ op: 't' })])
  expect(all.find(third)).toBeNull()
})

test('the oldest watch ends when a fifth begins', () => {
  const all = watches()
  const names = Array.from({ length: 5 }, () => all.begin())
  expect(names.map((name) => all.find(name) !== null)).toEqual([false, true, true, true, true])
})
