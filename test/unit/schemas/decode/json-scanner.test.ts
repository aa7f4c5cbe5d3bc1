import { describe, expect, test } from 'vitest'
import { JSON_DEPTH_MAX, JsonScanner } from '../../../../schemas/decode/json-scanner.ts'
import { JSON_INTEGER, JSON_REAL } from '../../../../schemas/decode/json-tape.ts'
import { jsonTree } from '../../../support/json-tree.ts'

function scan(text: string | Uint8Array): unknown {
  const json = new JsonScanner()
  return json.scan(Buffer.from(text)) ?? jsonTree(json)
}

function raw(...parts: (string | number[])[]): Uint8Array {
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)))
}

describe('what is JSON is read', () => {
  test.each([
    'null',
    ' true ',
    'false',
    '0',
    '-0',
    '-12.5e+3',
    '1E400',
    '""',
    '"a\\u0000b"',
    '"\\ud83d\\ude00 \\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"日本 😀"',
    '[]',
    '[[],[1,[2]],{}]',
    '{}',
    '\t{ "a" : 1 , "b" : [ true , null ] }\r\n',
    '{"a":{"a":{"a":1}}}',
  ])('%s', (text) => {
    expect(scan(text)).toEqual(JSON.parse(text))
  })

  test('numbers keep their digits, whatever their size', () => {
    const json = new JsonScanner()
    expect(json.scan(Buffer.from('[9007199254740993,-9223372036854775808,0.10,1E-20]'))).toBeNull()
    expect([1, 2, 3, 4].map((token) => json.text(token))).toEqual([
      ...['9007199254740993', '-9223372036854775808', '0.10', '1E-20'],
    ])
    expect([1, 2, 3, 4].map((token) => json.kind(token))).toEqual([
      ...[JSON_INTEGER, JSON_INTEGER, JSON_REAL, JSON_REAL],
    ])
  })

  test('members named __proto__, constructor and toString are members like others', () => {
    const tree = scan('{"__proto__":{"polluted":1},"constructor":2,"toString":3}') as object
    expect(Object.keys(tree)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  test('a megabyte of text in one value', () => {
    const text = JSON.stringify({ big: 'ä"x'.repeat(250_000) })
    expect(scan(text)).toEqual(JSON.parse(text))
  })

  test('the scanner can be used again after a refusal', () => {
    const json = new JsonScanner()
    expect(json.scan(Buffer.from('{"a":[1,{'))).toBe('BAD_JSON')
    expect(json.scan(Buffer.from('[1]'))).toBeNull()
    expect(jsonTree(json)).toEqual([1])
  })
})

describe('what is not JSON is refused', () => {
  test.each([
    ['nothing', ''],
    ['blanks', ' \n\t'],
    ['a text that is cut off', '{"a":"b'],
    ['a number that is cut off', '{"a":-'],
    ['an object that is cut off', '{"a":1'],
    ['a literal that is cut off', 'tru'],
    ['an object without a value', '{"a":}'],
    ['an object without a colon', '{"a" 1}'],
    ['a comma too many in an object', '{"a":1,}'],
    ['a comma too many in an array', '[1,]'],
    ['a comma alone', '[,]'],
    ['brackets that do not match', '[1}'],
    ['a name without quotes', '{a:1}'],
    ['single quotes', "{'a':1}"],
    ['junk behind it', '{"a":1}x'],
    ['two documents', '{"a":1}{"a":1}'],
    ['a closing brace too many', '{}}'],
    ['NaN', '{"a":NaN}'],
    ['Infinity', '[Infinity]'],
    ['a leading zero', '01'],
    ['a leading plus', '+1'],
    ['a leading point', '.5'],
    ['a trailing point', '1.'],
    ['an exponent without digits', '1e'],
    ['a hexadecimal number', '0x10'],
    ['an unknown escape', '"\\x41"'],
    ['a short escape', '"\\u12"'],
    ['an escape with bad digits', '"\\u12g4"'],
    ['a lone high surrogate', '"\\ud800"'],
    ['a high surrogate before a letter', '"\\ud800\\u0041"'],
    ['a lone low surrogate', '"\\udc00"'],
    ['a raw newline in a text', '"a\nb"'],
    ['a raw NUL in a text', '"a\u0000b"'],
    ['a raw control character in a name', '{"a\u0001":1}'],
    ['a comment', '[1/*x*/]'],
    ['a vertical tab as blank', '\u000b1'],
  ])('%s', (_, text) => {
    expect(scan(text)).toBe('BAD_JSON')
  })

  test('a byte order mark', () => {
    expect(scan(raw([0xef, 0xbb, 0xbf], '{}'))).toBe('BAD_JSON')
  })

  test.each([
    ['a byte that is no UTF-8', [0xff]],
    ['a sequence that is cut off', [0xe6, 0x97]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['a surrogate in UTF-8', [0xed, 0xa0, 0x80]],
    ['a code point beyond Unicode', [0xf5, 0x80, 0x80, 0x80]],
  ])('%s', (_, bytes) => {
    expect(scan(raw('{"a":"', bytes, '"}'))).toBe('BAD_UTF8')
  })

  test('UTF-16', () => {
    expect(scan(Buffer.from('{"a":1}', 'utf16le'))).toBe('BAD_JSON')
  })

  test.each([
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"é":1,"\\u00e9":1}',
    '{"b":{"x":0,"a":1,"y":[],"a":1}}',
    `{${Array.from({ length: 100 }, (_, i) => `"c${i % 99}":${i}`).join(',')}}`,
  ])('members of one name: %s', (text) => {
    expect(scan(text)).toBe('DUPLICATE_MEMBER')
  })

  test('equal names in different objects, and different names of equal hashes, are no duplicates', () => {
    expect(scan('[{"a":1},{"a":1,"b":{"a":1}}]')).toEqual([{ a: 1 }, { a: 1, b: { a: 1 } }])
    // FNV-1a puts these two together.
    expect(scan('{"costarring":1,"liquid":2}')).toEqual({ costarring: 1, liquid: 2 })
    const wide = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`column_${i}`, i]))
    expect(scan(JSON.stringify(wide))).toEqual(wide)
  })

  test('nesting beyond its limit, without a stack overflow', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(scan(nested(JSON_DEPTH_MAX))).toEqual(JSON.parse(nested(JSON_DEPTH_MAX)))
    expect(scan(nested(JSON_DEPTH_MAX + 1))).toBe('TOO_DEEP')
    expect(scan(nested(100_000))).toBe('TOO_DEEP')
    expect(scan('{"a":'.repeat(100_000))).toBe('TOO_DEEP')
  })
})

describe('the last member of an object whose beginning is known', () => {
  const known = '{"schema":{"type":"struct"},"payload":'
  const scanLast = (rest: string): unknown => {
    const json = new JsonScanner()
    return json.scanLastMember(Buffer.from(known + rest), known.length) ?? jsonTree(json)
  }

  test('is read alone', () => {
    expect(scanLast('{"a":[1]} } ')).toEqual({ a: [1] })
  })

  test.each(['{"a":1}', '{"a":1},"x":1}', '{"a":1}}}', '', '1]'])('must be the last: %s', (rest) => {
    expect(scanLast(rest)).toBe('BAD_JSON')
  })
})
