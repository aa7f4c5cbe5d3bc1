import { expect, test } from 'vitest'
import { selectTopics } from '../../../../src/io/kafka-topics.ts'

test('topics are chosen by globs, in order of name', () => {
  const topics = ['shop.public.b', 'shop.public.a', 'shop.other.a', 'shopXpublic.a']
  expect(selectTopics(topics, ['shop.public.*'])).toEqual(['shop.public.a', 'shop.public.b'])
  expect(selectTopics(topics, ['*.a', 'shop.public.?'])).toHaveLength(4)
})

test('what Kafka, its registry and Connect keep for themselves is never chosen', () => {
  const own = ['__consumer_offsets', '__transaction_state', '_schemas', 'connect-offsets', '_connect-configs']
  expect(selectTopics([...own, 'connect-offsets.public.t'], ['*'])).toEqual(['connect-offsets.public.t'])
})
