import { expect, test } from 'vitest'
import { type FetchedMessage, withoutAborted } from '../../../../src/io/kafka-aborted-transactions.ts'

const ABORT = Buffer.from([0, 0, 0, 0])
const COMMIT = Buffer.from([0, 0, 0, 1])

function message(offset: number, producerId: string | null, key: Uint8Array | null = null): FetchedMessage {
  return {
    offset: String(offset),
    key,
    batchContext: {
      producerId: producerId ?? '-1',
      inTransaction: producerId !== null,
      isControlBatch: false,
    },
  }
}

function marker(offset: number, producerId: string, key: Uint8Array): FetchedMessage {
  return {
    offset: String(offset),
    key,
    batchContext: { producerId, inTransaction: true, isControlBatch: true },
  }
}

const offsets = (messages: readonly FetchedMessage[]) => messages.map(({ offset }) => Number(offset))

test('records of an aborted transaction go, from its first offset to its marker', () => {
  const messages = [message(0, 'a'), marker(1, 'a', ABORT), message(2, 'a'), marker(3, 'a', COMMIT)]
  expect(offsets(withoutAborted(messages, [{ producerId: 'a', firstOffset: '0' }]))).toEqual([1, 2, 3])
})

test('the list may be in the order in which transactions ended', () => {
  const messages = [
    message(0, 'a'),
    message(1, 'b'),
    message(2, 'a'),
    marker(3, 'b', ABORT),
    message(4, 'b'),
    marker(5, 'a', ABORT),
    marker(6, 'b', COMMIT),
  ]
  const aborted = [
    { producerId: 'b', firstOffset: '1' },
    { producerId: 'a', firstOffset: '0' },
  ]
  expect(offsets(withoutAborted(messages, aborted))).toEqual([3, 4, 5, 6])
})

test('a fetch may begin in the midst of several', () => {
  const messages = [message(10, 'b'), message(11, 'a'), message(12, null), marker(13, 'a', ABORT)]
  const aborted = [
    { producerId: 'a', firstOffset: '3' },
    { producerId: 'b', firstOffset: '4' },
  ]
  expect(offsets(withoutAborted(messages, aborted))).toEqual([12, 13])
})

test('a record whose key looks like a marker is a record', () => {
  const messages = [message(0, 'a', ABORT), message(1, 'a'), marker(2, 'a', ABORT)]
  expect(offsets(withoutAborted(messages, [{ producerId: 'a', firstOffset: '0' }]))).toEqual([2])
})

test('where nothing was aborted all stays', () => {
  const messages = [message(0, 'a'), marker(1, 'a', COMMIT)]
  expect(withoutAborted(messages, [])).toEqual(messages)
  expect(withoutAborted(messages, null)).toEqual(messages)
})
