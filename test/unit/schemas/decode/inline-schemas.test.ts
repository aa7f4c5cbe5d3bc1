import { describe, expect, test } from 'vitest'
import { decoder } from '../../../support/decoding.ts'
import {
  afterOf,
  changeOf,
  envelope,
  reasonOf,
  record,
  valueSchema,
  wrapped,
} from '../../../support/envelope-records.ts'

const INT = '{"type":"int32","optional":true,"field":"a"}'
const LONG = '{"type":"int64","optional":true,"field":"a"}'
const TEXT = '{"type":"string","optional":true,"field":"b"}'

const payloadOf = (after: string): string => Buffer.from(envelope({ after }).value!).toString()

describe('schemas that come with every record', () => {
  test('may change, and change back, in the middle of a topic', () => {
    const topic = decoder()
    const types = [INT, LONG, INT, LONG].map((field) => {
      const event = changeOf(topic.decode(envelope({ after: '{"a":1}', fields: [field] })))
      return event.after!.shape.columns[0]!.type
    })
    expect(types).toEqual(['integer', 'long', 'integer', 'long'])
  })

  test('of one set of columns give one shape object, whatever else they say', () => {
    const topic = decoder()
    const one = changeOf(topic.decode(envelope({ after: '{"a":1}', fields: [INT] })))
    const documented = INT.replace('"field"', '"doc":"x","field"')
    const two = changeOf(topic.decode(envelope({ after: '{"a":1}', fields: [documented] })))
    expect(two.after!.shape).toBe(one.after!.shape)
  })

  test('are all found again when more of them alternate than are remembered', () => {
    const topic = decoder()
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 50; i++) {
        const fields = [`{"type":"int32","optional":true,"field":"c${i}"}`]
        expect(afterOf(topic.decode(envelope({ after: `{"c${i}":${round}}`, fields })))).toEqual({
          [`c${i}`]: round,
        })
      }
    }
  })

  test('may stand behind the payload', () => {
    const value = `{"payload":${payloadOf('{"a":1}')},"schema":${valueSchema([INT])}}`
    expect(afterOf(decoder().decode(record(value)))).toEqual({ a: 1 })
  })

  test('are told from the bytes: a remembered beginning with another end is judged anew', () => {
    const topic = decoder()
    const good = wrapped(payloadOf('{"a":1}'), valueSchema([INT]))
    expect(topic.decode(record(good)).kind).toBe('change')
    expect(reasonOf(topic.decode(record(`${good}}`)))).toBe('BAD_JSON')
    expect(reasonOf(topic.decode(record(good.slice(0, -1))))).toBe('BAD_JSON')
    expect(reasonOf(topic.decode(record(`${good.slice(0, -1)},"x":1}`)))).toBe('UNRECOGNISED_SHAPE')
    expect(topic.decode(record(good)).kind).toBe('change')
  })

  test('tell which columns the source fills by itself', () => {
    const fields = [INT.replace('"field"', '"default":0,"field"'), TEXT]
    const event = changeOf(decoder().decode(envelope({ after: '{"a":1,"b":null}', fields })))
    expect(event.after!.shape.columns.map((c) => [c.name, c.hasDefault])).toEqual([
      ['a', true],
      ['b', false],
    ])
  })

  test('may be null: then the payload is read as without schemas', () => {
    expect(afterOf(decoder().decode(record(wrapped(payloadOf('{"a":1}'), 'null'))))).toEqual({ a: 1n })
  })
})

describe('a schema is refused', () => {
  test.each([
    ['that has no fields', '{"type":"struct"}'],
    ['whose fields are no list', '{"type":"struct","fields":"x"}'],
    ['with a field that is no object', valueSchema(['7'])],
    ['with a field without a name', valueSchema(['{"type":"int32"}'])],
    ['with a field without a type', valueSchema(['{"field":"a"}'])],
    ['with a type that Connect does not have', valueSchema(['{"type":"int128","field":"a"}'])],
    ['with two fields of one name', valueSchema([INT, LONG])],
    [
      'with a decimal without a scale',
      valueSchema(['{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","field":"a"}']),
    ],
    ['with an array without elements', valueSchema(['{"type":"array","field":"a"}'])],
    ['with a map without values', valueSchema(['{"type":"map","keys":{"type":"string"},"field":"a"}'])],
    ['with a struct without fields', valueSchema(['{"type":"struct","fields":[],"field":"a"}'])],
  ])('%s', (_, schema) => {
    expect(reasonOf(decoder().decode(record(wrapped(payloadOf('{"a":1}'), schema))))).toBe('BAD_SCHEMA')
  })

  test('with a row that has a column which it does not have', () => {
    expect(reasonOf(decoder().decode(envelope({ after: '{"a":1,"b":"x"}', fields: [INT] })))).toBe(
      'SCHEMA_MISMATCH',
    )
  })
})

test('a column that its row does not name is not in the row’s shape', () => {
  const event = changeOf(decoder().decode(envelope({ after: '{"a":1}', fields: [INT, TEXT] })))
  expect(event.after!.shape.columns.map((c) => c.name)).toEqual(['a'])
})
