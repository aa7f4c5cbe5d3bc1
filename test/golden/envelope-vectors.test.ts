import { describe, expect, test } from 'vitest'
import { UNAVAILABLE } from '../../schemas/delta-types.ts'
import { decoder } from '../support/decoding.ts'
import { afterOf, changeOf, record } from '../support/envelope-records.ts'

/*
 * Records of Debezium's documentation and lines (formats.md §2), byte for byte.
 */

const COLUMNS = {
  id: 'integer',
  email: 'varchar(255)',
  balance: 'numeric(10,2)',
  bio: 'text',
  updated_at: 'timestamp',
}

const SOURCE =
  '"source":{"version":"3.1.0.Final","connector":"postgresql","name":"shop","ts_ms":1772368215123,"snapshot":"false","db":"cdcdb",' +
  '"sequence":"[\\"97500059000\\",\\"97500059720\\"]","ts_us":1772368215123456,"ts_ns":1772368215123456000,"schema":"public",' +
  '"table":"customers","txId":999,"lsn":97500059720,"xmin":null,"origin":null,"origin_lsn":null}'

const TAIL =
  '"transaction":{"id":"999:97500059720","total_order":1,"data_collection_order":1},' +
  '"op":"u","ts_ms":1772368215400,"ts_us":1772368215400120,"ts_ns":1772368215400120777'

const UPDATE =
  '{"before":null,' +
  '"after":{"id":7,"email":"z@x.io","balance":"B88=","bio":"__debezium_unavailable_value","updated_at":1772368215123456},' +
  `${SOURCE},${TAIL}}`

const DELETE =
  '{"before":{"id":7,"email":"","balance":null,"bio":null,"updated_at":0},"after":null,' +
  `${SOURCE},${TAIL.replace('"op":"u"', '"op":"d"')}}`

describe('an update of a table with the default replica identity', () => {
  test('by the types of a contract', () => {
    const event = decoder({ columns: COLUMNS }).decode(record(UPDATE, { key: '{"id":7}' }))
    expect(afterOf(event)).toEqual({
      id: 7,
      email: 'z@x.io',
      balance: 1999n,
      bio: UNAVAILABLE,
      updated_at: 1772368215123456n,
    })
    expect(changeOf(event)).toMatchObject({
      op: 'u',
      table: { sourceName: 'shop', database: 'cdcdb', schema: 'public', table: 'customers' },
      before: null,
      position: { epoch: 0, seq: 97500059000n, lsn: 97500059720n },
      txId: 999n,
      sourceTimeUs: 1772368215123456n,
      key: { values: [7] },
    })
  })

  test('by what JSON shows: a decimal stays text, a timestamp stays a number', () => {
    const event = decoder().decode(record(UPDATE, { key: '{"id":7}' }))
    expect(afterOf(event)).toEqual({
      id: 7n,
      email: 'z@x.io',
      balance: 'B88=',
      bio: UNAVAILABLE,
      updated_at: 1772368215123456n,
    })
  })
})

test('a delete brings its before as it was sent, fillers and all, and its key', () => {
  const event = changeOf(decoder({ columns: COLUMNS }).decode(record(DELETE, { key: '{"id":7}' })))
  expect([event.key!.values, event.before!.cells, event.after]).toEqual([[7], [7, '', null, null, 0n], null])
})

test('a key change is a delete, a tombstone and a create, at one position', () => {
  const topic = decoder({ columns: COLUMNS })
  const header = (name: string, key: string) => [[name, key] as const]
  const create = UPDATE.replace('"op":"u"', '"op":"c"').replace('"id":7', '"id":8')
  const events = [
    record(DELETE, { key: '{"id":7}', headers: header('__debezium.newkey', '{"id":8}') }),
    record(null, { key: '{"id":7}', headers: header('__debezium.newkey', '{"id":8}') }),
    record(create, { key: '{"id":8}', headers: header('__debezium.oldkey', '{"id":7}') }),
  ].map((raw) => topic.decode(raw))
  expect(events).toMatchObject([
    { op: 'd', key: { values: [7] }, newKey: { values: [8] }, oldKey: null },
    { kind: 'tombstone' },
    { op: 'c', key: { values: [8] }, newKey: null, oldKey: { values: [7] } },
  ])
  expect(changeOf(events[0]!).position).toEqual(changeOf(events[2]!).position)
  expect(afterOf(events[2]!)['bio']).toBe(UNAVAILABLE)
})

test('a Debezium of before 2.6, with milliseconds alone', () => {
  const old =
    '{"before":null,"after":{"id":7},"source":{"version":"2.3.0.Final","connector":"postgresql","name":"shop","ts_ms":1772368215123,' +
    '"snapshot":"false","db":"cdcdb","sequence":"[null,\\"97500059720\\"]","schema":"public","table":"customers","txId":999,' +
    '"lsn":97500059720,"xmin":null},"op":"c","ts_ms":1772368215400,"transaction":null}'
  expect(changeOf(decoder().decode(record(old)))).toMatchObject({
    sourceTimeUs: 1772368215123000n,
    position: { epoch: 0, seq: 97500059720n, lsn: 97500059720n },
  })
})

test('an initial snapshot row keeps the slot’s LSN and has no position', () => {
  const row = UPDATE.replace('"op":"u"', '"op":"r"')
    .replace('"snapshot":"false"', '"snapshot":"last"')
    .replace('"[\\"97500059000\\",\\"97500059720\\"]"', '"[null,\\"97500059720\\"]"')
  expect(changeOf(decoder().decode(record(row)))).toMatchObject({
    op: 'r',
    position: null,
    lsn: 97500059720n,
  })
})
