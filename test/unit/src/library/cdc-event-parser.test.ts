import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CDCEventParser } from '../../../../src/library/cdc-event-parser.ts'
import { RECORDING } from '../../../support/lake-of-recording.ts'
import { readRecordedTopic } from '../../../support/recorded-topics.ts'

const [first] = readRecordedTopic(join(RECORDING, 'envelope-schema.inventory.customers.jsonl'))
const record = first!

test('one bad record among a thousand is a value in its place, and costs no other', () => {
  const records = Array.from({ length: 1000 }, (_, i) => ({
    ...record,
    offset: BigInt(i),
    value: i === 500 ? Buffer.from('{') : record.value,
  }))
  const decoded = new CDCEventParser().parseBatch(records)
  expect(decoded.map(({ at }) => Number(at.offset))).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect(decoded.filter(({ kind }) => kind === 'change')).toHaveLength(999)
  expect(decoded[500]).toMatchObject({ kind: 'undecodable', reason: 'BAD_JSON' })
})

test('contracts give types where topics carry no schemas', () => {
  const value = JSON.stringify({
    op: 'c',
    before: null,
    after: { id: 1, total: 'J3c=' },
    source: { connector: 'postgresql', name: 'shop', db: 'shop', schema: 'public', table: 'orders', lsn: 9 },
    ts_ms: 1,
  })
  const order = {
    ...record,
    topic: 'shop.public.orders',
    key: Buffer.from('{"id":1}'),
    value: Buffer.from(value),
  }
  const parser = new CDCEventParser({
    tables: { 'public.orders': { columns: { id: 'integer', total: 'numeric(10,2)' } } },
  })
  const decoded = parser.parse(order)
  expect(decoded.kind === 'change' && decoded.after?.cells).toEqual([1, expect.anything()])
  expect(decoded.kind === 'change' && decoded.after?.shape.columns[1]?.type).toEqual({
    kind: 'decimal',
    precision: 10,
    scale: 2,
  })
})
