import { describe, expect, test } from 'vitest'
import { UNAVAILABLE } from '../../../../schemas/delta-types.ts'
import { decoder, PLACEHOLDER } from '../../../support/decoding.ts'
import { afterOf, type EnvelopeParts, envelope } from '../../../support/envelope-records.ts'

const BASE64 = 'X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=='
const HEX = '5f5f646562657a69756d5f756e617661696c61626c655f76616c7565'
const CODES =
  '95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,118,97,108,117,101'

function update(wire: string, type: string, parts: EnvelopeParts = {}) {
  const topic = decoder({ columns: { a: type } })
  return afterOf(topic.decode(envelope({ op: '"u"', after: `{"id":1,"a":${wire}}`, ...parts })))['a']
}

describe('an update says that a value was not sent', () => {
  test.each([
    ['text', `"${PLACEHOLDER}"`],
    ['varchar(20)', `"${PLACEHOLDER}"`],
    ['jsonb', `"${PLACEHOLDER}"`],
    ['xml', `"${PLACEHOLDER}"`],
    ['text', '"\\u005f_debezium_unavailable_value"'],
    ['bytea', `"${BASE64}"`],
    ['bytea', `"${PLACEHOLDER}"`],
    ['bytea', `"${Buffer.from(BASE64).toString('base64')}"`],
    // bytea as text: nothing tells it from a text column.
    ['text', `"${HEX}"`],
    ['text', `"${BASE64}"`],
    ['text[]', `["${PLACEHOLDER}"]`],
    ['jsonb[]', `["${PLACEHOLDER}"]`],
    ['bytea[]', `["${BASE64}"]`],
    ['int[]', `[${CODES}]`],
    ['bigint[]', `[${CODES}]`],
    ['date[]', `[${CODES}]`],
    ['double precision[]', `[${CODES.replaceAll(',', '.0,')}.0]`],
    ['uuid[]', '["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]'],
    ['hstore', `"{\\"${PLACEHOLDER}\\":\\"${PLACEHOLDER}\\"}"`],
    ['text', '"java.lang.Object@1a2b3c"'],
  ])('of %s: %s', (type, wire) => {
    expect(update(wire, type)).toBe(UNAVAILABLE)
  })

  test('of a map', () => {
    const field =
      '{"type":"map","keys":{"type":"string"},"values":{"type":"string","optional":true},"optional":true,"field":"a"}'
    const after = `{"a":{"${PLACEHOLDER}":"${PLACEHOLDER}"}}`
    const decoded = decoder().decode(envelope({ op: '"u"', after, fields: [field] }))
    expect(afterOf(decoded)).toEqual({ a: UNAVAILABLE })
  })

  test('of a real int8[] that holds exactly these numbers: the one value that cannot be told from it', () => {
    expect(update(`[${CODES}]`, 'int8[]')).toBe(UNAVAILABLE)
  })
})

describe('a value is data', () => {
  test.each<[string, string, string, EnvelopeParts]>([
    ['in an insert', 'text', `"${PLACEHOLDER}"`, { op: '"c"' }],
    ['in a snapshot row', 'text', `"${PLACEHOLDER}"`, { op: '"r"' }],
    ['when it is longer', 'text', `"${PLACEHOLDER}!"`, {}],
    ['when it is one element of several', 'text[]', `["${PLACEHOLDER}","x"]`, {}],
    ['when it is one number of more', 'int[]', `[${CODES},1]`, {}],
    ['when it is one number of less', 'int[]', '[95,95]', {}],
    ['when it only looks like a Java object', 'text', '"java.lang.Object@xyz"', {}],
  ])('%s', (_, type, wire, parts) => {
    expect(update(wire, type, parts)).not.toBe(UNAVAILABLE)
  })

  test('in the before image of an update', () => {
    const topic = decoder({ columns: { a: 'text' } })
    const decoded = topic.decode(
      envelope({ op: '"u"', before: `{"a":"${PLACEHOLDER}"}`, after: `{"a":"${PLACEHOLDER}"}` }),
    )
    expect(decoded).toMatchObject({ before: { cells: [PLACEHOLDER] }, after: { cells: [UNAVAILABLE] } })
  })
})

test('the create of a key change may lack an unchanged value, a plain create may not', () => {
  const headers = [['__debezium.oldkey', '{"id":0}']] as const
  expect(update(`"${PLACEHOLDER}"`, 'text', { op: '"c"', key: '{"id":1}', headers })).toBe(UNAVAILABLE)
})

describe('another placeholder', () => {
  const withPlaceholder = (unavailablePlaceholder: string, wire: string, type: string) => {
    const topic = decoder({ columns: { a: type } }, { unavailablePlaceholder })
    return afterOf(topic.decode(envelope({ op: '"u"', after: `{"a":${wire}}` })))['a']
  }

  test('is a text', () => {
    expect(withPlaceholder('n/a ü', '"n/a ü"', 'text')).toBe(UNAVAILABLE)
    expect(withPlaceholder('n/a ü', '"n\\/a \\u00fc"', 'text')).toBe(UNAVAILABLE)
    expect(withPlaceholder('n/a ü', `"${PLACEHOLDER}"`, 'text')).toBe(PLACEHOLDER)
  })

  test('or bytes in hex', () => {
    expect(withPlaceholder('hex:00ff', '"AP8="', 'bytea')).toBe(UNAVAILABLE)
    expect(withPlaceholder('hex:00ff', '[0,255]', 'int[]')).toBe(UNAVAILABLE)
  })

  test('or what the column’s own schema declares, which then alone counts', () => {
    const declared = (form: string): string =>
      `"parameters":{"__debezium.unavailable.value.placeholder":${form}}`
    const fields = [
      `{"type":"string","optional":true,${declared('"gone"')},"field":"t"}`,
      `{"type":"array","items":{"type":"int64"},${declared('"[1,2]"')},"field":"l"}`,
      `{"type":"int64","optional":true,${declared('"-1"')},"field":"n"}`,
      `{"type":"string","optional":true,${declared('"gone"')},"field":"u"}`,
    ]
    const after = `{"t":"gone","l":[1,2],"n":-1,"u":"${PLACEHOLDER}"}`
    const decoded = decoder().decode(envelope({ op: '"u"', after, fields }))
    expect(afterOf(decoded)).toEqual({ t: UNAVAILABLE, l: UNAVAILABLE, n: UNAVAILABLE, u: PLACEHOLDER })
  })
})
