import type { KafkaMessage } from 'kafkajs'
import { expect, test } from 'vitest'
import { isKnown, knownRecord } from '../../../../src/io/kafka-known-record.ts'

const message = (given: Partial<Record<keyof KafkaMessage, unknown>> = {}): KafkaMessage =>
  ({
    offset: '7',
    timestamp: '1000',
    key: Buffer.from('k'),
    value: Buffer.from('value'),
    ...given,
  }) as KafkaMessage

test('a record is known again by what makes it this one and no other', () => {
  const known = knownRecord(message())
  expect(isKnown(known, message())).toBe(true)
  for (const other of [
    { offset: '8' },
    { timestamp: '1001' },
    { key: Buffer.from('l') },
    { key: null },
    { value: null },
  ]) {
    expect(isKnown(known, message(other))).toBe(false)
  }
  expect(isKnown(known, undefined)).toBe(false)
})

test('a record without key and value is known again', () => {
  const known = knownRecord(message({ key: null, value: null }))
  expect(isKnown(known, message({ key: null, value: null }))).toBe(true)
  expect(isKnown(known, message({ key: null, value: Buffer.alloc(0) }))).toBe(false)
})

test('what is kept does not hold the fetch that it came in', () => {
  const key = Buffer.from('k')
  const known = knownRecord(message({ key }))
  key.write('x')
  expect(isKnown(known, message())).toBe(true)
})
