import { expect, test } from 'vitest'
import type { PartitionRange } from '../../../core/ports.ts'
import { TopicPins } from '../../../src/pipeline/topic-pins.ts'

const range = (topic: string, records: number, partition = 0): PartitionRange => ({
  ...{ topic, partition },
  startOffset: 5n,
  endOffset: BigInt(5 + records),
})

/** `a+b` is tied by `a` and by `b`. */
const tiesOf = (topic: string) => topic.split('+')

function pinned(threads: number, ...topics: readonly (readonly [string, number])[]): TopicPins {
  const pins = new TopicPins(threads, tiesOf)
  pins.pin(topics.map(([topic, records]) => range(topic, records)))
  return pins
}

test('topics that share a table share a thread, also by way of a third one', () => {
  const pins = pinned(4, ['a', 10], ['b', 10], ['c', 10], ['c+b', 1], ['b+a', 1])
  const threads = new Set(['a', 'b', 'c', 'c+b', 'b+a'].map((topic) => pins.threadOf(topic)))
  expect(threads.size).toBe(1)
})

test('the heaviest come first, each to where there is least', () => {
  const pins = pinned(2, ['a', 10], ['b', 60], ['c', 30], ['d', 40])
  expect(['b', 'd', 'c', 'a'].map((topic) => pins.threadOf(topic))).toEqual([0, 1, 1, 0])
})

test('a topic stays where it is, and a new one joins those that it is tied to', () => {
  const pins = pinned(2, ['a', 10], ['b', 60])
  pins.pin([range('a', 1000), range('a+x', 1), range('y', 1)])
  expect(pins.threadOf('a')).toBe(1)
  expect(pins.threadOf('a+x')).toBe(1)
  expect(pins.threadOf('y')).toBe(1)
  expect(pins.threadOf('z')).toBeNull()
})

test('a new topic that ties what two threads have ends the run, and names the cure', () => {
  const pins = pinned(2, ['a', 10], ['b', 60])
  expect(() => pins.pin([range('a+b', 1)])).toThrow(
    expect.objectContaining({
      code: 'E_TOPIC_TIES',
      remedy: 'stop',
      message: expect.stringContaining('start again'),
    }),
  )
})
