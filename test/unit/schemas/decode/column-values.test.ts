import { describe, expect, test } from 'vitest'
import { type Cell, type DeltaType, decimal, field, mapOf, struct } from '../../../../schemas/delta-types.ts'
import { decoder } from '../../../support/decoding.ts'
import { afterOf, changeOf, envelope, reasonOf } from '../../../support/envelope-records.ts'

const CK = 'org.apache.kafka.connect.data'
const DT = 'io.debezium.time'
const DD = 'io.debezium.data'

/** A Connect field `a`. */
function fieldOf(type: string, name?: string, rest = ''): string {
  const named = name === undefined ? '' : `,"name":"${name}","version":1`
  return `{"type":"${type}","optional":true${named}${rest},"field":"a"}`
}

function decimalField(scale: number, precision?: number): string {
  const digits = precision === undefined ? '' : `,"connect.decimal.precision":"${precision}"`
  return fieldOf('bytes', `${CK}.Decimal`, `,"parameters":{"scale":"${scale}"${digits}}`)
}

function bySchema(wire: string, fieldText: string, contractType?: string) {
  const columns = contractType === undefined ? {} : { columns: { a: contractType } }
  return decoder(columns).decode(envelope({ after: `{"a":${wire}}`, fields: [fieldText] }))
}

function byContract(wire: string, type: string) {
  return decoder({ columns: { a: type } }).decode(envelope({ after: `{"a":${wire}}` }))
}

function typeOf(decoded: ReturnType<typeof byContract>): DeltaType {
  return changeOf(decoded).after!.shape.columns[0]!.type
}

const POINT = struct([field('x', 'double'), field('y', 'double')])
const GEOMETRY = struct([field('wkb', 'binary'), field('srid', 'integer')])
const POINT_FIELDS =
  ',"fields":[{"type":"double","field":"x"},{"type":"double","field":"y"},{"type":"bytes","optional":true,"field":"wkb"},{"type":"int32","optional":true,"field":"srid"}]'
const GEOMETRY_FIELDS =
  ',"fields":[{"type":"bytes","field":"wkb"},{"type":"int32","optional":true,"field":"srid"}]'
const VARIABLE_FIELDS = ',"fields":[{"type":"int32","field":"scale"},{"type":"bytes","field":"value"}]'
const variable = fieldOf('struct', `${DD}.VariableScaleDecimal`, VARIABLE_FIELDS)
const bits = (length: number): string =>
  fieldOf('bytes', `${DD}.Bits`, `,"parameters":{"length":"${length}"}`)
const LAST = 253402300799999999n
const FIRST = -62135596800000000n

describe('a value is read as its inline schema says', () => {
  test.each<[string, string, string, DeltaType, Cell]>([
    ['boolean', 'true', fieldOf('boolean'), 'boolean', true],
    ['int8', '-128', fieldOf('int8'), 'byte', -128],
    ['smallint', '32767', fieldOf('int16'), 'short', 32767],
    ['integer', '-2147483648', fieldOf('int32'), 'integer', -2147483648],
    ['bigint beyond 2^53', '9007199254740993', fieldOf('int64'), 'long', 9007199254740993n],
    ['the smallest bigint', '-9223372036854775808', fieldOf('int64'), 'long', -9223372036854775808n],
    ['the largest bigint', '9223372036854775807', fieldOf('int64'), 'long', 9223372036854775807n],
    ['an integer with a zero fraction', '7.0', fieldOf('int32'), 'integer', 7],
    ['real', '3.3', fieldOf('float'), 'float', Math.fround(3.3)],
    ['the largest real', '3.4028235E38', fieldOf('float'), 'float', 3.4028234663852886e38],
    ['double precision', '1.7976931348623157E308', fieldOf('double'), 'double', Number.MAX_VALUE],
    ['double NaN', '"NaN"', fieldOf('double'), 'double', Number.NaN],
    ['real infinity', '"Infinity"', fieldOf('float'), 'float', Number.POSITIVE_INFINITY],
    ['double -infinity', '"-Infinity"', fieldOf('double'), 'double', Number.NEGATIVE_INFINITY],
    ['minus zero', '-0.0', fieldOf('double'), 'double', -0],
    ['numeric(10,2) 19.99', '"B88="', decimalField(2, 10), decimal(10, 2), 1999n],
    ['numeric(10,2) -1.50', '"/2o="', decimalField(2, 10), decimal(10, 2), -150n],
    ['numeric(10,2) 0', '"AA=="', decimalField(2, 10), decimal(10, 2), 0n],
    ['numeric 128', '"AIA="', decimalField(0, 3), decimal(3, 0), 128n],
    ['numeric -128', '"gA=="', decimalField(0, 3), decimal(3, 0), -128n],
    ['numeric as a JSON number', '19.9', decimalField(2, 10), decimal(10, 2), 1990n],
    [
      'numeric(38,9)',
      '"CUmw9vACMxPESZBQ5NhfFQ=="',
      decimalField(9, 38),
      decimal(38, 9),
      12345678901234567890123456789123456789n,
    ],
    ['numeric(40,2)', '"B88="', decimalField(2, 40), 'string', '19.99'],
    ['numeric(3,5)', '"AQ=="', decimalField(5, 3), decimal(5, 5), 1n],
    ['numeric(2,-3)', '"AQ=="', decimalField(-3, 2), decimal(5, 0), 1000n],
    ['unbounded numeric', '{"scale":3,"value":"ALxhTg=="}', variable, 'string', '12345.678'],
    ['unbounded numeric of scale 0', '{"scale":0,"value":"ZA=="}', variable, 'string', '100'],
    ['unbounded numeric 1e-20', '{"scale":20,"value":"/w=="}', variable, 'string', '-0.00000000000000000001'],
    ['numeric in mode string', '"19.990"', fieldOf('string'), 'string', '19.990'],
    ['numeric NaN in mode string', '"NAN"', fieldOf('string'), 'string', 'NAN'],
    ['numeric in mode double', '1.23456789E7', fieldOf('double'), 'double', 12345678.9],
    ['money', '"Jw8="', decimalField(2), decimal(19, 2), 9999n],
    ['bit(5)', '"Fg=="', bits(5), 'string', '10110'],
    ['bit(8) of zeros', '""', bits(8), 'string', '00000000'],
    ['bit(9), little-endian', '"AQE="', bits(9), 'string', '100000001'],
    ['varbit without a limit', '"Cw=="', bits(2147483647), 'string', '1011'],
    ['an empty varbit', '""', bits(2147483647), 'string', ''],
    ['bytea', '"AAH/"', fieldOf('bytes'), 'binary', new Uint8Array([0, 1, 255])],
    ['an empty bytea', '""', fieldOf('bytes'), 'binary', new Uint8Array()],
    ['bytea in mode hex', '"0001ff"', fieldOf('string'), 'string', '0001ff'],
    ['char(5), padded', '"abc  "', fieldOf('string'), 'string', 'abc  '],
    ['text with a NUL escape', '"a\\u0000b"', fieldOf('string'), 'string', 'a\u0000b'],
    [
      'json, verbatim',
      '"{\\"b\\": 1,  \\"a\\": 2.50}"',
      fieldOf('string', `${DD}.Json`),
      'string',
      '{"b": 1,  "a": 2.50}',
    ],
    [
      'uuid',
      '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"',
      fieldOf('string', `${DD}.Uuid`),
      'string',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    ],
    ['xml', '"<a/>"', fieldOf('string', `${DD}.Xml`), 'string', '<a/>'],
    [
      'an enum',
      '"ok"',
      fieldOf('string', `${DD}.Enum`, ',"parameters":{"allowed":"sad,ok"}'),
      'string',
      'ok',
    ],
    ['date', '20513', fieldOf('int32', `${DT}.Date`), 'date', 20513],
    ['date in mode connect', '20513', fieldOf('int32', `${CK}.Date`), 'date', 20513],
    ['date in mode isostring', '"2026-03-01Z"', fieldOf('string', `${DT}.IsoDate`), 'date', 20513],
    ['date before Christ', '-735160', fieldOf('int32', `${DT}.Date`), 'date', -735160],
    [
      'date before Christ in mode isostring',
      '"-0043-03-15Z"',
      fieldOf('string', `${DT}.IsoDate`),
      'date',
      -735160,
    ],
    ['date infinity', '-2147472692', fieldOf('int32', `${DT}.Date`), 'date', 2932896],
    ['date -infinity', '-2147472691', fieldOf('int32', `${DT}.Date`), 'date', -719162],
    ['time(3)', '45015123', fieldOf('int32', `${DT}.Time`), 'string', '12:30:15.123000'],
    ['time', '45015123456', fieldOf('int64', `${DT}.MicroTime`), 'string', '12:30:15.123456'],
    ['time 24:00', '86400000000', fieldOf('int64', `${DT}.MicroTime`), 'string', '24:00:00.000000'],
    [
      'time in nanoseconds',
      '45015123456000',
      fieldOf('int64', `${DT}.NanoTime`),
      'string',
      '12:30:15.123456',
    ],
    ['time in mode connect', '45015123', fieldOf('int32', `${CK}.Time`), 'string', '12:30:15.123000'],
    [
      'time in mode isostring',
      '"12:30:15.123456Z"',
      fieldOf('string', `${DT}.IsoTime`),
      'string',
      '12:30:15.123456',
    ],
    ['timetz', '"10:30:15.123456Z"', fieldOf('string', `${DT}.ZonedTime`), 'string', '10:30:15.123456Z'],
    [
      'timestamp(3)',
      '1772368215123',
      fieldOf('int64', `${DT}.Timestamp`),
      'timestamp_ntz',
      1772368215123000n,
    ],
    [
      'timestamp',
      '1772368215123456',
      fieldOf('int64', `${DT}.MicroTimestamp`),
      'timestamp_ntz',
      1772368215123456n,
    ],
    [
      'timestamp in ns',
      '1772368215123456789',
      fieldOf('int64', `${DT}.NanoTimestamp`),
      'timestamp_ntz',
      1772368215123456n,
    ],
    ['timestamp in ns before 1970', '-1', fieldOf('int64', `${DT}.NanoTimestamp`), 'timestamp_ntz', -1n],
    [
      'timestamp in mode connect',
      '1772368215123',
      fieldOf('int64', `${CK}.Timestamp`),
      'timestamp_ntz',
      1772368215123000n,
    ],
    [
      'timestamp in mode isostring',
      '"2026-03-01T12:30:15.123456Z"',
      fieldOf('string', `${DT}.IsoTimestamp`),
      'timestamp_ntz',
      1772368215123456n,
    ],
    [
      'timestamp infinity in us',
      '9223372036825200000',
      fieldOf('int64', `${DT}.MicroTimestamp`),
      'timestamp_ntz',
      LAST,
    ],
    [
      'timestamp -infinity in us',
      '-9223372036832400000',
      fieldOf('int64', `${DT}.MicroTimestamp`),
      'timestamp_ntz',
      FIRST,
    ],
    [
      'timestamp infinity in ms',
      '9223372036825200',
      fieldOf('int64', `${DT}.Timestamp`),
      'timestamp_ntz',
      LAST,
    ],
    [
      'timestamp -infinity in ms',
      '-9223372036832400',
      fieldOf('int64', `${DT}.Timestamp`),
      'timestamp_ntz',
      FIRST,
    ],
    [
      'timestamp infinity in ns',
      '9223372036854775807',
      fieldOf('int64', `${DT}.NanoTimestamp`),
      'timestamp_ntz',
      LAST,
    ],
    [
      'timestamp -infinity in ns',
      '-9223372036854775808',
      fieldOf('int64', `${DT}.NanoTimestamp`),
      'timestamp_ntz',
      FIRST,
    ],
    [
      'timestamptz',
      '"2026-03-01T12:30:15.123456Z"',
      fieldOf('string', `${DT}.ZonedTimestamp`),
      'timestamp',
      1772368215123456n,
    ],
    [
      'timestamptz without fraction',
      '"2026-03-01T12:30:15Z"',
      fieldOf('string', `${DT}.ZonedTimestamp`),
      'timestamp',
      1772368215000000n,
    ],
    [
      'timestamptz of nine digits',
      '"2026-03-01T12:30:15.123456789Z"',
      fieldOf('string', `${DT}.ZonedTimestamp`),
      'timestamp',
      1772368215123456n,
    ],
    [
      'timestamptz with an offset',
      '"2026-03-01T18:00:15.5+05:30"',
      fieldOf('string', `${DT}.ZonedTimestamp`),
      'timestamp',
      1772368215500000n,
    ],
    ['timestamptz infinity', '"infinity"', fieldOf('string', `${DT}.ZonedTimestamp`), 'timestamp', LAST],
    ['timestamptz -infinity', '"-infinity"', fieldOf('string', `${DT}.ZonedTimestamp`), 'timestamp', FIRST],
    // Microseconds by Postgres: extract(epoch from …) * 1000000.
    [
      'timestamptz in 21016',
      '"+21016-11-04T06:51:30.123456Z"',
      fieldOf('string', `${DT}.ZonedTimestamp`),
      'timestamp',
      601060287090123456n,
    ],
    [
      'timestamptz in 44 BC',
      '"-0043-03-15T00:00:00Z"',
      fieldOf('string', `${DT}.ZonedTimestamp`),
      'timestamp',
      -63517824000000000n,
    ],
    [
      'timestamptz in 3000',
      '"3000-01-01T00:00:00.000000Z"',
      fieldOf('string', `${DT}.ZonedTimestamp`),
      'timestamp',
      32503680000000000n,
    ],
    [
      'interval in mode numeric',
      '37091106780000',
      fieldOf('int64', `${DT}.MicroDuration`),
      'long',
      37091106780000n,
    ],
    [
      'interval in mode string',
      '"P1Y2M3DT4H5M6.78S"',
      fieldOf('string', `${DT}.Interval`),
      'string',
      'P1Y2M3DT4H5M6.78S',
    ],
    [
      'point',
      '{"x":1.5,"y":-2.25,"wkb":"AQEA","srid":null}',
      fieldOf('struct', `${DD}.geometry.Point`, POINT_FIELDS),
      POINT,
      [1.5, -2.25],
    ],
    [
      'geometry',
      '{"wkb":"AQE=","srid":4326}',
      fieldOf('struct', `${DD}.geometry.Geometry`, GEOMETRY_FIELDS),
      GEOMETRY,
      [new Uint8Array([1, 1]), 4326],
    ],
    [
      'hstore in mode json',
      '"{\\"k\\":\\"v\\",\\"n\\":null}"',
      fieldOf('string', `${DD}.Json`),
      'string',
      '{"k":"v","n":null}',
    ],
    [
      'hstore in mode map',
      '{"k":"v","n":null}',
      fieldOf('map', undefined, ',"keys":{"type":"string"},"values":{"type":"string","optional":true}'),
      mapOf('string', 'string'),
      [
        ['k', 'v'],
        ['n', null],
      ],
    ],
    [
      'a map whose keys are numbers',
      '[[1,0.5],[3,0.25]]',
      fieldOf('map', undefined, ',"keys":{"type":"int32"},"values":{"type":"double"}'),
      mapOf('integer', 'double'),
      [
        [1, 0.5],
        [3, 0.25],
      ],
    ],
    [
      'text[]',
      '["a",null]',
      fieldOf('array', undefined, ',"items":{"type":"string","optional":true}'),
      { kind: 'array', element: 'string', containsNull: true },
      ['a', null],
    ],
    [
      'vector',
      '[1.0,2.0]',
      fieldOf('array', `${DD}.DoubleVector`, ',"items":{"type":"double"}'),
      { kind: 'array', element: 'double', containsNull: true },
      [1, 2],
    ],
    [
      'numeric(10,2)[]',
      '["bg==","ANw="]',
      fieldOf('array', undefined, `,"items":${decimalField(2, 10)}`),
      { kind: 'array', element: decimal(10, 2), containsNull: true },
      [110n, 220n],
    ],
  ])('%s', (_, wire, schema, type, cell) => {
    const decoded = bySchema(wire, schema)
    expect(typeOf(decoded)).toEqual(type)
    expect(afterOf(decoded)['a']).toStrictEqual(cell)
  })

  test('null is null in every type', () => {
    expect(afterOf(bySchema('null', decimalField(2, 10)))).toEqual({ a: null })
  })
})

describe('a value is read as its contract says when the topic has no schemas', () => {
  test.each<[string, string, DeltaType, Cell]>([
    ['boolean', 'true', 'boolean', true],
    ['bit(1)', 'true', 'boolean', true],
    ['varbit(1)', 'false', 'boolean', false],
    ['smallint', '7', 'short', 7],
    ['serial', '7', 'integer', 7],
    ['bigint', '9007199254740993', 'long', 9007199254740993n],
    ['oid', '4294967295', 'long', 4294967295n],
    ['real', '1.5', 'float', 1.5],
    ['double precision', '"NaN"', 'double', Number.NaN],
    ['numeric(10,2)', '"B88="', decimal(10, 2), 1999n],
    ['decimal(4)', '"AIA="', decimal(4, 0), 128n],
    ['numeric', '{"scale":3,"value":"ALxhTg=="}', 'string', '12345.678'],
    ['numeric(50,2)', '"B88="', 'string', '19.99'],
    ['money', '"Jw8="', decimal(19, 2), 9999n],
    ['bit(5)', '"Fg=="', 'string', '10110'],
    ['varbit(16)', '"Cw=="', 'string', '1011'],
    ['bit varying', '"Cw=="', 'string', '1011'],
    ['bytea', '"AAH/"', 'binary', new Uint8Array([0, 1, 255])],
    ['varchar(20)', '"abc"', 'string', 'abc'],
    ['enum', '"ok"', 'string', 'ok'],
    ['tstzrange', '"empty"', 'string', 'empty'],
    ['date', '20513', 'date', 20513],
    ['time(3)', '45015123', 'string', '12:30:15.123000'],
    ['time', '45015123456', 'string', '12:30:15.123456'],
    ['time(4) without time zone', '45015123456', 'string', '12:30:15.123456'],
    ['timestamp(3)', '1772368215123', 'timestamp_ntz', 1772368215123000n],
    ['timestamp(4) without time zone', '1772368215123456', 'timestamp_ntz', 1772368215123456n],
    ['timestamp(3) with time zone', '"2026-03-01T12:30:15.123Z"', 'timestamp', 1772368215123000n],
    ['timetz', '"10:30:15.123456Z"', 'string', '10:30:15.123456Z'],
    ['interval', '37091106780000', 'long', 37091106780000n],
    ['hstore', '"{}"', 'string', '{}'],
    ['point', '{"x":1.0,"y":2.0,"wkb":"AQEA","srid":null}', POINT, [1, 2]],
    ['text[]', '["a",null]', { kind: 'array', element: 'string', containsNull: true }, ['a', null]],
    ['INTEGER ARRAY', '[1,null]', { kind: 'array', element: 'integer', containsNull: true }, [1, null]],
  ])('%s', (type, wire, deltaType, cell) => {
    const decoded = byContract(wire, type)
    expect(typeOf(decoded)).toEqual(deltaType)
    expect(afterOf(decoded)['a']).toStrictEqual(cell)
  })
})

describe('decimals as text (`decimal.handling.mode=string`) on a topic without schemas', () => {
  const read = (wire: string, type: string) =>
    decoder({ columns: { a: type }, decimalHandling: 'string' }).decode(envelope({ after: `{"a":${wire}}` }))

  test.each<[string, string, DeltaType, Cell]>([
    ['numeric(10,2)', '"-1.5"', decimal(10, 2), -150n],
    ['numeric(10,2)', '"1234"', decimal(10, 2), 123400n],
    ['money', '"12.34"', decimal(19, 2), 1234n],
    [
      'numeric',
      '"12345678901234567890123456789012345678901.50"',
      'string',
      '12345678901234567890123456789012345678901.50',
    ],
  ])('%s %s', (type, wire, deltaType, cell) => {
    const decoded = read(wire, type)
    expect(typeOf(decoded)).toEqual(deltaType)
    expect(afterOf(decoded)['a']).toEqual(cell)
  })

  test('in arrays, too', () => {
    expect(afterOf(read('["1.50",null]', 'numeric(10,2)[]'))['a']).toEqual([150n, null])
  })

  test('what is no number is refused', () => {
    expect(reasonOf(read('"B88="', 'numeric(10,2)'))).toBe('BAD_DECIMAL')
  })
})

describe('a contract decides the type where an inline schema tells how the value is written', () => {
  test.each<[string, string, string, string, DeltaType, Cell]>([
    ['numeric in mode string', 'numeric(10,2)', '"19.9"', fieldOf('string'), decimal(10, 2), 1990n],
    [
      'numeric in mode string, with an exponent',
      'numeric(10,2)',
      '"1.99E+1"',
      fieldOf('string'),
      decimal(10, 2),
      1990n,
    ],
    [
      'an unbounded numeric that has a bound',
      'numeric(12,4)',
      '{"scale":3,"value":"ALxhTg=="}',
      variable,
      decimal(12, 4),
      123456780n,
    ],
    ['a column that was an integer before', 'bigint', '7', fieldOf('int32'), 'long', 7n],
    ['a decimal that was an integer before', 'numeric(10,2)', '7', fieldOf('int32'), decimal(10, 2), 700n],
    ['varbit(16), which looks like bit(16)', 'varbit(16)', '"Cw=="', bits(16), 'string', '1011'],
    [
      'interval, as the connector has it',
      'interval',
      '"P1Y"',
      fieldOf('string', `${DT}.Interval`),
      'string',
      'P1Y',
    ],
    [
      'timestamp in mode connect',
      'timestamp',
      '1772368215123',
      fieldOf('int64', `${CK}.Timestamp`),
      'timestamp_ntz',
      1772368215123000n,
    ],
  ])('%s', (_, contractType, wire, schema, type, cell) => {
    const decoded = bySchema(wire, schema, contractType)
    expect(typeOf(decoded)).toEqual(type)
    expect(afterOf(decoded)['a']).toStrictEqual(cell)
  })

  test.each([
    ['a double is no exact decimal', 'numeric(10,2)', '19.99', fieldOf('double')],
    ['text does not say whether it is hex or base64', 'bytea', '"deadbeef"', fieldOf('string')],
    ['a number is no text', 'text', '7', fieldOf('int32')],
  ])('and where they cannot agree the record is refused: %s', (_, contractType, wire, schema) => {
    expect(reasonOf(bySchema(wire, schema, contractType))).toBe('TYPE_CLASH')
  })
})

describe('a value that its type cannot hold is refused', () => {
  test.each([
    ['smallint', '32768', 'INTEGER_OUT_OF_RANGE'],
    ['integer', '2147483648', 'INTEGER_OUT_OF_RANGE'],
    ['integer', '-2147483649', 'INTEGER_OUT_OF_RANGE'],
    ['bigint', '9223372036854775808', 'INTEGER_OUT_OF_RANGE'],
    ['bigint', '-9223372036854775809', 'INTEGER_OUT_OF_RANGE'],
    ['bigint', '9'.repeat(400), 'INTEGER_OUT_OF_RANGE'],
    ['integer', '7.5', 'BAD_INTEGER'],
    ['integer', '7e0', 'BAD_INTEGER'],
    ['integer', '"7"', 'BAD_INTEGER'],
    ['integer', 'true', 'BAD_INTEGER'],
    ['boolean', '1', 'BAD_BOOLEAN'],
    ['double precision', '1e400', 'NUMBER_OUT_OF_RANGE'],
    ['double precision', '"nan"', 'BAD_NUMBER'],
    ['real', '3.5e38', 'NUMBER_OUT_OF_RANGE'],
    ['numeric(10,2)', '""', 'BAD_DECIMAL'],
    ['numeric(10,2)', '"B88"', 'BAD_DECIMAL'],
    ['numeric(10,2)', '"B8 8="', 'BAD_DECIMAL'],
    ['numeric(10,2)', '"B8_8"', 'BAD_DECIMAL'],
    ['numeric(10,2)', '"B89="', 'BAD_DECIMAL'],
    ['numeric(10,2)', '"===="', 'BAD_DECIMAL'],
    ['numeric(10,2)', '19.99', 'BAD_DECIMAL'],
    ['numeric(10,2)', '{"scale":2,"value":"B88="}', 'BAD_DECIMAL'],
    ['numeric(3,2)', '"B88="', 'DECIMAL_OUT_OF_RANGE'],
    // 17 bytes: beyond 38 digits.
    ['numeric(38,0)', '"AQAAAAAAAAAAAAAAAAAAAAA="', 'DECIMAL_OUT_OF_RANGE'],
    ['numeric', '"19.99"', 'BAD_DECIMAL'],
    ['numeric', '{"scale":1}', 'BAD_DECIMAL'],
    ['numeric', '{"scale":99999999,"value":"AQ=="}', 'BAD_DECIMAL'],
    ['numeric', '{"scale":1,"value":""}', 'BAD_DECIMAL'],
    ['bytea', '"AAH"', 'BAD_BASE64'],
    ['bytea', '"AAH/\\n"', 'BAD_BASE64'],
    ['bytea', '[0,1]', 'BAD_BASE64'],
    ['bit(4)', '"Fg=="', 'BAD_BITS'],
    ['bit(4)', '"1011"', 'BAD_BITS'],
    ['text', '7', 'BAD_TEXT'],
    ['text', '{"a":1}', 'BAD_TEXT'],
    ['date', '2147483648', 'BAD_DATE'],
    ['date', '1.5', 'BAD_DATE'],
    ['date', '"2026-02-30Z"', 'BAD_DATE'],
    ['date', '"2025-02-29"', 'BAD_DATE'],
    ['date', '"2026-13-01"', 'BAD_DATE'],
    ['date', '"01/03/2026"', 'BAD_DATE'],
    ['time', '86400000001', 'BAD_TIME'],
    ['time', '-1', 'BAD_TIME'],
    ['time', '"25:00:00"', 'BAD_TIME'],
    ['time', '"12:60:00"', 'BAD_TIME'],
    ['timestamptz', '"2026-02-30T00:00:00Z"', 'BAD_TIMESTAMP'],
    ['timestamptz', '"2026-02-30T00:00:00.000000Z"', 'BAD_TIMESTAMP'],
    ['timestamptz', '"2026-13-01T00:00:00.000000Z"', 'BAD_TIMESTAMP'],
    ['timestamptz', '"2026-00-01T00:00:00Z"', 'BAD_TIMESTAMP'],
    ['timestamptz', '"2026-06-30T23:59:60Z"', 'BAD_TIMESTAMP'],
    ['timestamptz', '"2026-06-30T23:59:60.000000Z"', 'BAD_TIMESTAMP'],
    ['timestamptz', '"2026-06-30T24:00:00Z"', 'BAD_TIMESTAMP'],
    ['timestamptz', '"2026-06-30T24:00:00.000000Z"', 'BAD_TIMESTAMP'],
    ['timestamptz', '"2026-03-01T12:30:15.123456"', 'BAD_TIMESTAMP'],
    ['timestamptz', '"2026-03-01"', 'BAD_TIMESTAMP'],
    ['timestamptz', '1772368215123456', 'BAD_TIMESTAMP'],
    ['timestamptz', '"2026-03-01T12:30:15+19:00"', 'BAD_TIMESTAMP'],
    ['timestamptz', '"+294276-12-31T23:59:59.999999Z"', 'TIMESTAMP_OUT_OF_RANGE'],
    ['timestamptz', '"+999999999-01-01T00:00:00Z"', 'TIMESTAMP_OUT_OF_RANGE'],
    ['timestamp', '9223372036854775808', 'TIMESTAMP_OUT_OF_RANGE'],
    ['timestamp(3)', '9223372036854776', 'TIMESTAMP_OUT_OF_RANGE'],
    ['timestamp', '1.5', 'BAD_TIMESTAMP'],
    ['timestamp', 'true', 'BAD_TIMESTAMP'],
    ['int[]', '[1,"2"]', 'BAD_INTEGER'],
    ['int[]', '1', 'BAD_ARRAY'],
    ['int[]', '[2147483648]', 'INTEGER_OUT_OF_RANGE'],
    ['point', '[1,2]', 'BAD_STRUCT'],
    ['point', '{"x":"a","y":1.0}', 'BAD_NUMBER'],
  ])('%s %s', (type, wire, reason) => {
    expect(reasonOf(byContract(wire, type))).toBe(reason)
  })

  test('the message names the column and what was found, never the value', () => {
    const decoded = byContract('"secret 4711"', 'integer')
    expect(decoded).toMatchObject({
      kind: 'undecodable',
      reason: 'BAD_INTEGER',
      message: 'The record has an after image that has in column "a" a value that is not an integer.',
      table: { sourceName: 'shop', database: 'cdcdb', schema: 'public', table: 't' },
      at: { topic: 'shop.public.t', partition: 0, offset: 7n },
    })
  })
})
