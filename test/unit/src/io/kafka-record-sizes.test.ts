import { expect, test } from 'vitest'
import { RecordSizes, recordBytesOf } from '../../../../src/io/kafka-record-sizes.ts'

test('what members have seen of a topic tells how large its records are, the largest counts', () => {
  const [first, second] = [new RecordSizes(), new RecordSizes()]
  first.note('a', 10, 1000)
  first.note('a', 10, 5000)
  second.note('a', 4, 400)
  second.note('b', 0, 0)
  const bytesOf = recordBytesOf([first.encode(), second.encode()])
  expect(bytesOf('a')).toBe(300)
  expect(bytesOf('b')).toBe(1024)
})

test('a member that tells nothing, or nonsense, harms nobody', () => {
  const told = ['', 'null', '{', '{"recordBytes":3}', '{"recordBytes":{"a":"x","b":-1}}'].map((text) =>
    Buffer.from(text),
  )
  const bytesOf = recordBytesOf(told)
  expect([bytesOf('a'), bytesOf('b')]).toEqual([1024, 1024])
})
