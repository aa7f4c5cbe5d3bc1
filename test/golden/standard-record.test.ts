import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { toStandardJson } from '../../schemas/standard-record.ts'
import {
  contract,
  decoder,
  decodeTopics,
  isChange,
  recordedContracts,
  recordingFolder,
} from '../support/decoding.ts'
import { changeOf, type EnvelopeParts, envelope } from '../support/envelope-records.ts'
import { readRecordedTopic } from '../support/recorded-topics.ts'

function recorded(table: string) {
  const topic = `envelope.inventory.${table}`
  const records = readRecordedTopic(join(recordingFolder('envelope'), `${topic}.jsonl`))
  return decodeTopics(new Map([[topic, records]]), recordedContracts()).filter(isChange)
}

const standard = (parts: EnvelopeParts, columns: Record<string, string> = {}) =>
  toStandardJson(changeOf(decoder({ columns }).decode(envelope(parts))))

describe('the standard CDC record', () => {
  test('of a recorded update', () => {
    const update = recorded('customers').find((e) => e.op === 'u' && e.key?.values[0] === 1001)!
    expect(JSON.parse(JSON.stringify(toStandardJson(update)))).toEqual({
      operation: 'UPDATE',
      table: 'customers',
      data: {
        id: 1001,
        first_name: 'Sally',
        last_name: 'Thomas',
        email: 'sally@new.example',
        created_at: '2024-01-02T03:04:05.678901Z',
        balance: '11.50',
      },
      timestamp: expect.stringMatching(/^2026-11-21T\d\d:\d\d:\d\d\.\d{6}Z$/),
      metadata: { database: 'fx_envelope', lsn: Number(update.lsn), txId: Number(update.txId) },
      primary_key: 1001,
    })
  })

  test('of a recorded row of every type', () => {
    const [row] = recorded('all_types')
    const { data } = toStandardJson(row!)
    expect(data).toMatchObject({
      c_smallint: 32767,
      c_bigint: '9223372036854775807',
      c_numeric_10_2: '12345678.90',
      c_numeric: '3.14159265358979323846264338327950288',
      c_real: 1.5,
      c_bool: true,
      c_bytea: 'AP8Q3q2+7w==',
      c_date: '2024-02-29',
      c_time: '13:14:15.123456',
      c_timestamp: '2024-02-29T13:14:15.123456',
      c_timestamptz: '2024-02-29T07:44:15.123456Z',
      c_int_array: [1, null, 3],
      c_numeric_array: ['1.10', '2.20'],
      c_tstz_array: ['2024-02-29T13:14:15.000000Z'],
      c_point: { x: 1.5, y: -2.25 },
      c_money: '1234.56',
      c_bit8: '10101010',
    })
  })

  test('leaves out what was not sent', () => {
    const lacking = recorded('toasted').find((e) => e.op === 'u')!
    expect(toStandardJson(lacking).data).toEqual({ id: 1, small: 2 })
  })

  test('calls a snapshot row an insert, and a truncate by its name', () => {
    expect(standard({ op: '"r"' }).operation).toBe('INSERT')
    expect(standard({ op: '"c"' }).operation).toBe('INSERT')
    expect(standard({ op: '"t"', after: 'null' })).toMatchObject({
      operation: 'TRUNCATE',
      data: null,
      primary_key: null,
    })
  })

  test('of a delete holds the row before it, or its key', () => {
    const parts = { op: '"d"', after: 'null', key: '{"id":1}' }
    expect(standard({ ...parts, before: '{"id":1,"v":"x"}' })).toMatchObject({
      operation: 'DELETE',
      data: { id: 1, v: 'x' },
      primary_key: 1,
    })
    expect(standard(parts).data).toEqual({ id: 1 })
  })

  test('has a scalar, an object or no primary key', () => {
    const after = '{"a":1,"b":"x"}'
    expect(standard({ after, key: '{"a":1}' }).primary_key).toBe(1)
    expect(standard({ after, key: '{"a":1,"b":"x"}' }).primary_key).toEqual({ a: 1, b: 'x' })
    expect(standard({ after, key: null }).primary_key).toBeNull()
  })

  test('keeps integers beyond 2^53 as text', () => {
    const source = { lsn: '9007199254740993', txId: '4294967296' }
    const made = standard({ source, after: '{"id":9007199254740993,"s":9007199254740991}' })
    expect(made.metadata).toEqual({ database: 'cdcdb', lsn: '9007199254740993', txId: 4294967296 })
    expect(made.data).toEqual({ id: '9007199254740993', s: 9007199254740991 })
  })

  test('writes in JSON what JSON cannot hold', () => {
    const after = '{"n":"NaN","i":"-Infinity","__proto__":1}'
    const made = standard({ after }, { n: 'real', i: 'double precision' })
    expect(JSON.stringify(made.data)).toBe('{"n":"NaN","i":"-Infinity","__proto__":1}')
  })

  test('has no time and no transaction when the source told none', () => {
    const source = { ts_us: null, ts_ns: null, ts_ms: null, txId: 'null' }
    expect(standard({ source })).toMatchObject({ timestamp: null, metadata: { txId: null } })
  })

  test('of a map is an object', () => {
    const fields = [
      '{"type":"map","keys":{"type":"int32"},"values":{"type":"int64","optional":true},"field":"m"}',
    ]
    const event = decoder(contract()).decode(envelope({ after: '{"m":[[1,2],[3,null]]}', fields }))
    expect(toStandardJson(changeOf(event)).data).toEqual({ m: { 1: 2, 3: null } })
  })
})
