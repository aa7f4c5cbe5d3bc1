import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import { UNAVAILABLE } from '../../../../schemas/delta-types.ts'
import { contract, decoder, PLACEHOLDER } from '../../../support/decoding.ts'
import {
  afterOf,
  changeOf,
  type EnvelopeParts,
  envelope,
  reasonOf,
  record,
  wrapped,
} from '../../../support/envelope-records.ts'

const decode = (parts: EnvelopeParts) => decoder().decode(envelope(parts))
const decodeValue = (value: string | Uint8Array | null, rest: Parameters<typeof record>[1] = {}) =>
  decoder().decode(record(value, rest))

const STRUCT = '{"type":"struct","fields":[],"name":"x"}'

describe('a tombstone', () => {
  test.each([
    ['a null value', null],
    ['no bytes', ''],
    ['the text null', 'null'],
    ['the text null with blanks', ' null\n'],
    ['a null payload with a schema', wrapped('null', STRUCT)],
    ['a null payload with a null schema', wrapped('null', 'null')],
  ])('is %s', (_, value) => {
    expect(decodeValue(value, { key: '{"id":1}' }).kind).toBe('tombstone')
  })

  test('needs no key', () => {
    expect(decodeValue(null).kind).toBe('tombstone')
  })
})

describe('bytes that are no JSON value', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['blanks', '  ', 'UNKNOWN_ENCODING'],
    ['a byte order mark', '\ufeff{}', 'UNKNOWN_ENCODING'],
    ['UTF-16 with its mark', Buffer.from('\ufeff{}', 'utf16le'), 'UNKNOWN_ENCODING'],
    ['UTF-16 without one', Buffer.from('{"op":"c"}', 'utf16le'), 'BAD_JSON'],
    ['gzip', new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), 'UNKNOWN_ENCODING'],
    ['snappy', new Uint8Array([0xff, 6, 0, 0, 0x73, 0x4e]), 'UNKNOWN_ENCODING'],
    ['Avro of a registry', new Uint8Array([0, 0, 0, 0, 42, 2, 14]), 'REGISTRY_FRAMED'],
    ['Avro of a registry by GUID', new Uint8Array(20).fill(1), 'REGISTRY_FRAMED'],
    ['a cut-off text', '{"op":"c"', 'BAD_JSON'],
    ['junk behind it', `${Buffer.from(envelope().value!)}x`, 'BAD_JSON'],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]),
      'BAD_UTF8',
    ],
    ['a member twice', '{"op":"c","op":"d"}', 'DUPLICATE_MEMBER'],
    ['100,000 arrays', '['.repeat(100_000), 'TOO_DEEP'],
  ])('%s', (_, value, reason) => {
    expect(reasonOf(decodeValue(value))).toBe(reason)
  })

  test.each(['apicurio.value.globalId', 'apicurio.value.contentId', '__value_schema_id'])(
    'a registry id in the header %s',
    (name) => {
      expect(reasonOf(decodeValue('{}', { headers: [[name, '\u0000']] }))).toBe('REGISTRY_FRAMED')
    },
  )
})

describe('JSON that is no envelope', () => {
  test.each([
    ['an array', '[1]'],
    ['a number', '7'],
    ['a text that holds an envelope', JSON.stringify(Buffer.from(envelope().value!).toString())],
    ['an empty object', '{}'],
    ['a row', '{"id":7,"email":"z@x.io"}'],
    ['a row with a column op', '{"id":7,"op":"c"}'],
    ['a row with columns schema and payload', '{"schema":"public","payload":{"op":"c"}}'],
    ['a row with three columns, two of them schema and payload', `{"schema":${STRUCT},"payload":{},"id":1}`],
    ['a row with a column status', '{"id":7,"status":"open"}'],
  ])('%s is not recognised', (_, value) => {
    expect(reasonOf(decodeValue(value))).toBe('UNRECOGNISED_SHAPE')
  })

  test.each([
    [
      'CloudEvents',
      '{"specversion":"1.0","type":"io.debezium.connector.postgresql.DataChangeEvent","data":{}}',
    ],
    ['Redpanda Connect', '{"_metadata":{"table":"orders","operation":"insert"},"payload":{"id":1}}'],
    ['a MongoDB change stream', '{"operationType":"insert","ns":{"db":"a","coll":"b"}}'],
    ['wal2json v2', '{"action":"U","schema":"public","table":"t","columns":[]}'],
    ['wal2json v1', '{"xid":571,"change":[]}'],
    ['Maxwell', '{"database":"d","table":"t","type":"update","ts":1772368215,"data":{}}'],
    ['Canal', '{"database":"d","table":"t","type":"UPDATE","ts":1,"isDdl":false,"data":[]}'],
  ])('%s is known and not read yet', (_, value) => {
    expect(reasonOf(decodeValue(value))).toBe('UNSUPPORTED_FORMAT')
  })

  test('the envelope of another connector is not read yet', () => {
    expect(reasonOf(decode({ source: { connector: '"mysql"' } }))).toBe('UNSUPPORTED_CONNECTOR')
  })
})

describe('a record that is about no row', () => {
  test.each<[string, string, Parameters<typeof record>[1]]>([
    ['heartbeat', '{"ts_ms":1772368215123}', { topic: '__debezium-heartbeat.shop' }],
    ['heartbeat', '{"ts_ms":1772368215123}', { topic: 'beats', key: '{"serverName":"shop"}' }],
    [
      'transaction',
      '{"status":"BEGIN","id":"571:53195829","ts_ms":1,"event_count":null,"data_collections":null}',
      {},
    ],
    [
      'transaction',
      '{"status":"END","id":"571:53195832","event_count":2,"data_collections":[{"data_collection":"public.orders","event_count":2}]}',
      {},
    ],
    [
      'schema-change',
      '{"source":{"connector":"mysql"},"databaseName":"inv","ddl":"DROP TABLE x","tableChanges":[]}',
      {},
    ],
    ['signal', '{"type":"execute-snapshot","data":{"data-collections":["public.orders"]}}', {}],
    [
      'notification',
      '{"id":"1","aggregate_type":"Initial Snapshot","type":"COMPLETED","additional_data":{},"timestamp":1772368215123}',
      {},
    ],
    [
      'message',
      '{"op":"m","source":{"connector":"postgresql"},"message":{"prefix":"p","content":"AA=="}}',
      {},
    ],
  ])('%s', (what, value, rest) => {
    expect(decodeValue(value, rest)).toMatchObject({ kind: 'control', what })
    expect(decodeValue(wrapped(value, STRUCT), rest)).toMatchObject({ kind: 'control', what })
  })
})

describe('an envelope', () => {
  test.each<[string, EnvelopeParts, string]>([
    ['an unknown op', { op: '"x"' }, 'UNKNOWN_OP'],
    ['an op that is inherited', { op: '"toString"' }, 'UNKNOWN_OP'],
    ['a null op', { op: 'null' }, 'UNKNOWN_OP'],
    ['a number as op', { op: '1' }, 'UNKNOWN_OP'],
    ['no source', { source: null }, 'NO_SOURCE'],
    ['a null source', { source: 'null' }, 'NO_SOURCE'],
    ['a text as source', { source: '"postgresql"' }, 'NO_SOURCE'],
    ['a source without a connector', { source: { connector: null } }, 'BAD_SOURCE'],
    ['a source without a table', { source: { table: null } }, 'BAD_SOURCE'],
    ['a source with an empty table', { source: { table: '""' } }, 'BAD_SOURCE'],
    ['a source with a number as schema', { source: { schema: '1' } }, 'BAD_SOURCE'],
    ['a source time that is no integer', { source: { ts_us: '1.5' } }, 'BAD_SOURCE'],
    ['a create without after', { after: 'null' }, 'AFTER_MISSING'],
    ['an update without after', { op: '"u"', after: null }, 'AFTER_MISSING'],
    ['a snapshot row without after', { op: '"r"', after: 'null' }, 'AFTER_MISSING'],
    ['an after that is an array', { after: '[1]' }, 'BAD_ROW'],
    ['an after that is text', { after: '"{}"' }, 'BAD_ROW'],
    ['a before that is a number', { op: '"u"', before: '1' }, 'BAD_ROW'],
    ['a column without a name', { after: '{"":1}' }, 'EMPTY_COLUMN_NAME'],
    [
      'more columns than Postgres has',
      { after: JSON.stringify(Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [`c${i}`, i]))) },
      'TOO_MANY_COLUMNS',
    ],
    ['a streamed event without an LSN', { source: { lsn: 'null' } }, 'NO_POSITION'],
    ['an LSN that is text', { source: { lsn: '"97500059720"' } }, 'BAD_POSITION'],
    ['an LSN beyond int64', { source: { lsn: '9223372036854775808' } }, 'BAD_POSITION'],
    ['a transaction id that is text', { source: { txId: '"1"' } }, 'BAD_POSITION'],
    ['a sequence that is no text', { source: { sequence: '1' } }, 'BAD_POSITION'],
    ['a sequence that is no list', { source: { sequence: '"1,2"' } }, 'BAD_POSITION'],
    ['a sequence that ends too early', { source: { sequence: '"[\\"1\\",\\"\\"]"' } }, 'BAD_POSITION'],
    ['a sequence of three', { source: { sequence: '"[\\"1\\",\\"2\\",\\"3\\"]"' } }, 'BAD_POSITION'],
    ['a sequence of something else', { source: { sequence: '"[\\"0/16B3748\\"]"' } }, 'BAD_POSITION'],
    [
      'a sequence beyond int64',
      { source: { sequence: '"[\\"9223372036854775808\\",\\"1\\"]"' } },
      'BAD_POSITION',
    ],
    ['a delete without before and without a key', { op: '"d"', after: 'null' }, 'BEFORE_MISSING'],
  ])('with %s is refused', (_, parts, reason) => {
    expect(reasonOf(decode(parts))).toBe(reason)
  })

  test('tells table, position, transaction and time', () => {
    expect(decode({ key: '{"id":1}' })).toMatchObject({
      kind: 'change',
      op: 'c',
      table: { sourceName: 'shop', database: 'cdcdb', schema: 'public', table: 't' },
      position: { epoch: 0, seq: 97500059000n, lsn: 97500059720n },
      lsn: 97500059720n,
      txId: 999n,
      sourceTimeUs: 1772368215123456n,
      at: { topic: 'shop.public.t', partition: 0, offset: 7n, timestampMs: 1772368215500 },
      newKey: null,
      oldKey: null,
    })
  })

  test.each([
    ['null', null],
    ['absent', undefined],
    ['an empty list', '"[]"'],
    ['a list of two nulls', '"[null, null]"'],
    ['a list that begins with null', '"[null,\\"97500059720\\"]"'],
  ])('takes its own LSN where sequence[0] is missing: %s', (_, sequence) => {
    const source = { sequence: sequence === undefined ? null : (sequence ?? 'null') }
    expect(changeOf(decode({ source })).position).toEqual({ epoch: 0, seq: 97500059720n, lsn: 97500059720n })
  })

  test('keeps positions beyond 2^53 exact', () => {
    const source = {
      lsn: '9007199254740993',
      sequence: '"[\\"9223372036854775807\\",\\"1\\"]"',
      txId: '9007199254740995',
    }
    const event = changeOf(decode({ source }))
    expect(event.position).toEqual({ epoch: 0, seq: 9223372036854775807n, lsn: 9007199254740993n })
    expect(event.txId).toBe(9007199254740995n)
  })

  test.each([
    '"true"',
    '"first"',
    '"first_in_data_collection"',
    '"last"',
    '"incremental"',
    '"false"',
    'true',
    'null',
    null,
  ])('is a snapshot row by its op alone, with source.snapshot %s', (snapshot) => {
    const row = changeOf(decode({ op: '"r"', source: { snapshot } }))
    expect([row.position, row.lsn]).toEqual([null, 97500059720n])
    expect(changeOf(decode({ op: '"c"', source: { snapshot } })).position).not.toBeNull()
  })

  test('of an incremental snapshot has neither LSN nor transaction', () => {
    const event = changeOf(
      decode({ op: '"r"', source: { lsn: 'null', txId: null, snapshot: '"incremental"' } }),
    )
    expect([event.position, event.lsn, event.txId]).toEqual([null, null, null])
  })

  test.each([
    ['the event before it', '"[\\"7\\",\\"9\\"]"', null, { epoch: 0, seq: 7n, lsn: 9n }],
    ['an LSN, where that is all there is', '"[null,\\"9\\"]"', 9n, undefined],
    ['nothing, where nothing is told', 'null', null, undefined],
  ])('of an incremental snapshot was read after %s', (_, sequence, lsn, readAfter) => {
    const event = changeOf(decode({ op: '"r"', source: { lsn: 'null', sequence } }))
    expect([event.lsn, event.readAfter]).toEqual([lsn, readAfter])
  })

  test.each<[string, Record<string, string | null>, bigint | null]>([
    ['microseconds', {}, 1772368215123456n],
    ['nanoseconds', { ts_us: null, ts_ns: '1772368215123456789' }, 1772368215123456n],
    ['milliseconds', { ts_us: null, ts_ns: null }, 1772368215123000n],
    ['nothing', { ts_us: null, ts_ns: null, ts_ms: null }, null],
    ['the year 3000', { ts_us: '32503680000000000' }, 32503680000000000n],
  ])('takes its source time from %s', (_, source, timeUs) => {
    expect(changeOf(decode({ source })).sourceTimeUs).toBe(timeUs)
  })

  test('of a truncate has neither key nor rows, whether null or absent', () => {
    for (const parts of [{ before: null, after: null }, {}]) {
      const event = changeOf(decode({ op: '"t"', ...parts }))
      expect([event.key, event.before, event.after]).toEqual([null, null, null])
      expect(event.position).not.toBeNull()
    }
  })

  test('counts the bytes of its record', () => {
    const raw = envelope({ key: '{"id":1}', headers: [['h', 'abc']] })
    expect(changeOf(decoder().decode(raw)).sizeBytes).toBe(8 + raw.value!.length + 4)
  })

  test('has the operation that its letter means, however it is written', () => {
    expect(changeOf(decode({ op: '"\\u0075"' })).op).toBe('u')
    for (const op of ['"uu"', '""', '"\\u0075u"', '"ü"', '117', 'null']) {
      expect(decode({ op })).toMatchObject({ kind: 'undecodable', reason: 'UNKNOWN_OP' })
    }
  })

  test('does not count the schema that every record repeats, which is kept once', () => {
    const decoding = decoder()
    const bare = envelope({ key: '{"id":1}' })
    const schema = '{"type":"struct","fields":[],"optional":false}'
    const value = Buffer.from(`{"schema":${schema},"payload":${bare.value!}}`)
    const sizes = [1, 2].map(() => changeOf(decoding.decode({ ...bare, value })).sizeBytes)
    expect(sizes).toEqual([8 + bare.value!.length, 8 + bare.value!.length])
  })

  test('carries columns with the names of envelope parts and of object members', () => {
    const after =
      '{"op":"x","source":1,"schema":true,"payload":"p","__deleted":"false","__proto__":2,"constructor":3,"toString":4}'
    expect(Object.entries(afterOf(decode({ after })))).toEqual([
      ['op', 'x'],
      ['source', 1n],
      ['schema', true],
      ['payload', 'p'],
      ['__deleted', 'false'],
      ['__proto__', 2n],
      ['constructor', 3n],
      ['toString', 4n],
    ])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('of a megabyte is read', () => {
    const big = 'x'.repeat(1_000_000)
    expect(afterOf(decode({ after: `{"big":"${big}"}` }))['big']).toBe(big)
  })

  test('gives rows of the same columns one shape object, and before the same as after', () => {
    const topic = decoder()
    const one = changeOf(
      topic.decode(envelope({ op: '"u"', before: '{"id":1,"v":2}', after: '{"id":1,"v":3}' })),
    )
    const two = changeOf(topic.decode(envelope({ after: '{"id":4,"v":5}' })))
    const other = changeOf(topic.decode(envelope({ after: '{"id":4}' })))
    expect(one.before!.shape).toBe(one.after!.shape)
    expect(two.after!.shape).toBe(one.after!.shape)
    expect(other.after!.shape).not.toBe(one.after!.shape)
    expect([...two.after!.shape.indexOf]).toEqual([
      ['id', 0],
      ['v', 1],
    ])
  })

  test('is placed in the epoch of the options', () => {
    const topic = decoder({}, { epoch: 3 })
    expect(changeOf(topic.decode(envelope())).position!.epoch).toBe(3)
  })
})

describe('columns without a schema and without a contract', () => {
  const rows = (...afters: string[]) => {
    const topic = decoder()
    return afters.map((after) => topic.decode(envelope({ after })))
  }

  test('get the types that JSON shows, and none that it cannot show', () => {
    const [decoded] = rows(
      '{"a":true,"b":7,"c":1.5,"d":"Xw==","e":[null,1],"f":{"x":1,"n":null},"g":"2026-03-01T00:00:00Z"}',
    )
    expect(changeOf(decoded!).after!.shape.columns.map((c) => c.type)).toMatchObject([
      'boolean',
      'long',
      'double',
      'string',
      { kind: 'array', element: 'long' },
      { kind: 'struct', fields: [{ name: 'x', type: 'long' }] },
      'string',
    ])
  })

  test('that were null in every row are left out until a value shows their type', () => {
    const [first, second, third] = rows(
      '{"a":null,"b":1,"c":[]}',
      '{"a":"x","b":1,"c":[]}',
      '{"a":null,"b":1,"c":[2]}',
    )
    expect(afterOf(first!)).toEqual({ b: 1n })
    expect(afterOf(second!)).toEqual({ a: 'x', b: 1n })
    expect(afterOf(third!)).toEqual({ a: null, b: 1n, c: [2n] })
  })

  test.each([
    ['a number after text', '{"a":"NaN"}', '{"a":1.5}'],
    ['text after a number', '{"a":1}', '{"a":"1"}'],
    ['a fraction after an integer', '{"a":1}', '{"a":1.5}'],
    ['a new member in an object', '{"a":{"x":1}}', '{"a":{"x":1,"y":2}}'],
    ['an element of another type', '{"a":[1]}', '{"a":["1"]}'],
    ['an integer beyond int64', '{"a":1}', '{"a":9223372036854775808}'],
  ])('keep the type their first value showed: %s', (_, first, second) => {
    const [one, two] = rows(first, second)
    expect(one!.kind).toBe('change')
    expect(reasonOf(two!)).toBe('TYPE_CLASH')
  })

  test('an integer is a value of a double', () => {
    expect(afterOf(rows('{"a":1.5}', '{"a":2}')[1]!)).toEqual({ a: 2 })
  })

  test('that was not sent is typed by its placeholder: left out it would become null', () => {
    const after = `{"t":"${PLACEHOLDER}","l":["${PLACEHOLDER}"],"i":[${[...Buffer.from(PLACEHOLDER)]}]}`
    const event = changeOf(decode({ op: '"u"', after }))
    expect(event.after!.cells).toEqual([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE])
    expect(event.after!.shape.columns.map((c) => c.type)).toMatchObject([
      'string',
      { element: 'string' },
      { element: 'long' },
    ])
  })

  test('stand beside columns that the contract names', () => {
    const topic = decoder({ columns: { d: 'date' } })
    expect(afterOf(topic.decode(envelope({ after: '{"d":20513,"n":20513}' })))).toEqual({
      d: 20513,
      n: 20513n,
    })
  })
})

test('a contract with an unknown type is the configuration’s error, not the data’s', () => {
  const topic = decoder({ columns: { a: 'numerik(10,2)' } })
  expect(() => topic.decode(envelope())).toThrow(EngineError)
  expect(() => topic.decode(envelope())).toThrow(/public\.t\.a.*numerik.*numeric/)
})

describe('what a topic can make the decoder remember has an end', () => {
  test('columns without a contract', () => {
    const topic = decoder()
    const row = (start: number, count: number): string =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${start + i}`, i])))
    expect(topic.decode(envelope({ after: row(0, 1500) })).kind).toBe('change')
    expect(topic.decode(envelope({ after: row(1500, 500) })).kind).toBe('change')
    expect(reasonOf(topic.decode(envelope({ after: row(2000, 1) })))).toBe('TOO_MANY_COLUMNS')
    expect(topic.decode(envelope({ after: row(0, 1500) })).kind).toBe('change')
  })

  test('tables', () => {
    let asked = 0
    const contractFor = () => {
      asked++
      return contract()
    }
    const topic = decoder({}, { contractFor })
    for (let i = 0; i < 5000; i++) topic.decode(envelope({ source: { table: `"t${i % 4097}"` } }))
    expect(asked).toBe(5000)
  })
})

describe('numbers longer than any of Postgres are refused at once', () => {
  const field = '{"type":"string","optional":true,"field":"a"}'
  test.each([
    ['in base64', 'numeric', `{"scale":0,"value":"${'AQAA'.repeat(100_000)}"}`, undefined],
    ['in digits', 'numeric(10,2)', `"${'9'.repeat(1_000_000)}"`, [field]],
  ])('%s', (_, type, wire, fields) => {
    const topic = decoder({ columns: { a: type } })
    const parts = { after: `{"a":${wire}}`, ...(fields === undefined ? {} : { fields }) }
    expect(reasonOf(topic.decode(envelope(parts)))).toBe('DECIMAL_OUT_OF_RANGE')
  })
})
