import { gzipSync } from 'node:zlib'
import { wrapped } from './envelope-records.ts'
import type { MemoryTopics } from './memory-topics.ts'

/** What must become of a record: a dead letter, a stopped table, or a count with no trace in any table. */
export type Fate =
  | { readonly letter: string }
  | { readonly stops: string; readonly table?: string }
  | { readonly counted: 'tombstones' | 'control' | 'applied' }
  /** Stored, in a row with this `id`, under these other columns. */
  | { readonly stored: Readonly<Record<string, unknown>>; readonly path?: string }

export interface HostileRecord {
  readonly name: string
  readonly fate: Fate
  /** Sends it to `shop.public.t`, as key 66 where it has one. */
  readonly send: (topics: MemoryTopics) => unknown
}

const KEY = '{"id":66}'

function value(name: string, bytes: string | Uint8Array, letter: string): HostileRecord {
  return { name, fate: { letter }, send: (topics) => topics.raw(bytes, { key: KEY }) }
}

function row(name: string, after: string, fate: Fate): HostileRecord {
  return { name, fate, send: (topics) => topics.event({ after, key: KEY }) }
}

function source(
  name: string,
  part: Readonly<Record<string, string | null>> | string | null,
  letter: string,
): HostileRecord {
  return { name, fate: { letter }, send: (topics) => topics.event({ after: KEY, key: KEY, source: part }) }
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

function nested(depth: number, open: string, close: string): string {
  return open.repeat(depth) + close.repeat(depth)
}

const ENVELOPE = `{"op":"c","before":null,"after":${KEY},"source":null}`
const LONG_TEXT = 'x'.repeat(1 << 20)

const BYTES: readonly HostileRecord[] = [
  value('blanks alone', ' \n\t ', 'UNKNOWN_ENCODING'),
  value('JSON that is cut off', '{"op":"c","after":{"id":66', 'BAD_JSON'),
  value('something behind the JSON', `${ENVELOPE}x`, 'BAD_JSON'),
  value('two documents', `${ENVELOPE}\n${ENVELOPE}`, 'BAD_JSON'),
  value('an array', '[1]', 'UNRECOGNISED_SHAPE'),
  value('a number', '66', 'UNRECOGNISED_SHAPE'),
  value('JSON in a JSON string', JSON.stringify(ENVELOPE), 'UNRECOGNISED_SHAPE'),
  value('a byte order mark', `\ufeff${ENVELOPE}`, 'UNKNOWN_ENCODING'),
  value('UTF-16', Buffer.from(ENVELOPE, 'utf16le'), 'BAD_JSON'),
  value('invalid UTF-8', bytes('{"op":"c","after":{"id":66,"v":"\xff\xfe"}}'), 'BAD_UTF8'),
  value('overlong UTF-8', bytes('{"op":"c","after":{"id":66,"v":"\xc0\xaf"}}'), 'BAD_UTF8'),
  value('a raw control character', '{"op":"c","after":{"id":66,"v":"\u0001"}}', 'BAD_JSON'),
  value('100,000 arrays inside one another', nested(100_000, '[', ']'), 'TOO_DEEP'),
  value('100,000 objects inside one another', nested(100_000, '{"a":', '}').replace('}', '1}'), 'TOO_DEEP'),
  value('gzip', gzipSync(Buffer.alloc(1 << 20)), 'UNKNOWN_ENCODING'),
  value('Avro of a registry', bytes('\0\0\0\0\x2a\x02\x04'), 'REGISTRY_FRAMED'),
  value('snappy with a great length', bytes('\xff\xff\xff\xff\x0f\0'), 'UNKNOWN_ENCODING'),
  value('a member twice', `{"op":"c","op":"d","after":${KEY}}`, 'DUPLICATE_MEMBER'),
  value('a literal NaN', '{"op":"c","after":{"id":66,"v":NaN}}', 'BAD_JSON'),
  { name: 'an empty value', fate: { counted: 'tombstones' }, send: (topics) => topics.raw('', { key: KEY }) },
  { name: 'neither key nor value', fate: { counted: 'tombstones' }, send: (topics) => topics.raw(null) },
  {
    name: 'the text null',
    fate: { counted: 'tombstones' },
    send: (topics) => topics.raw('null', { key: KEY }),
  },
  {
    name: 'a payload of null',
    fate: { counted: 'tombstones' },
    send: (topics) => topics.raw(wrapped('null', '{"type":"struct"}'), { key: KEY }),
  },
  row('a lone surrogate', '{"id":66,"v":"\\ud800"}', { letter: 'BAD_JSON' }),
  row('an escaped NUL', '{"id":66,"v":"a\\u0000b"}', { stored: { v: 'a\0b' } }),
  row('terminal colours and line breaks', '{"id":66,"v":"\\u001b[31m\\r\\n"}', {
    stored: { v: '\u001b[31m\r\n' },
  }),
  row('a megabyte of text', `{"id":66,"v":"${LONG_TEXT}"}`, { stored: { v: LONG_TEXT } }),
]

const ENVELOPES: readonly HostileRecord[] = [
  ...['"x"', '"__proto__"', '"constructor"', 'null', '1', '{}', '"C"', '""'].map((op) => ({
    name: `op ${op}`,
    fate: { letter: 'UNKNOWN_OP' },
    send: (topics: MemoryTopics) => topics.event({ op, after: KEY, key: KEY }),
  })),
  source('no source', null, 'NO_SOURCE'),
  source('a source that is a text', '"postgresql"', 'NO_SOURCE'),
  source('a source that is an array', '[]', 'NO_SOURCE'),
  source('no connector', { connector: null }, 'BAD_SOURCE'),
  source('another connector', { connector: '"mysql"' }, 'UNSUPPORTED_CONNECTOR'),
  source('no table', { table: null }, 'BAD_SOURCE'),
  source('an empty table', { table: '""' }, 'BAD_SOURCE'),
  source('a table that is a number', { table: '7' }, 'BAD_SOURCE'),
  source('no lsn', { lsn: null }, 'NO_POSITION'),
  source('an lsn that is a text', { lsn: '"100"' }, 'BAD_POSITION'),
  source('an lsn beyond int64', { lsn: '9223372036854775808' }, 'BAD_POSITION'),
  source('a fraction of an lsn', { lsn: '1.5' }, 'BAD_POSITION'),
  source('a sequence that is no pair', { sequence: '"[\\"x\\"]"' }, 'BAD_POSITION'),
  source('a time beyond int64', { ts_us: '99999999999999999999' }, 'BAD_SOURCE'),
  row('a create without after', 'null', { letter: 'AFTER_MISSING' }),
  row('an after that is a text', '"{}"', { letter: 'BAD_ROW' }),
  row('an after that is an array', '[66]', { letter: 'BAD_ROW' }),
  row('a column without a name', '{"id":66,"":1}', { letter: 'EMPTY_COLUMN_NAME' }),
  row('2,001 columns', manyColumns(2001), { letter: 'TOO_MANY_COLUMNS' }),
  row('columns that differ in case', '{"id":66,"v":"a","V":"b"}', { stops: 'E_COLUMN_NAME' }),
  row('a column _change_type', '{"id":66,"_change_type":"x"}', { stops: 'E_COLUMN_NAME' }),
  row('a column _CDC_LSN', '{"id":66,"_CDC_LSN":1}', { stops: 'E_COLUMN_NAME' }),
  row(
    'columns named like members of every object',
    '{"id":66,"__proto__":"a","constructor":"b","toString":"c","hasOwnProperty":"d"}',
    {
      stored: JSON.parse('{"__proto__":"a","constructor":"b","toString":"c","hasOwnProperty":"d"}'),
    },
  ),
  row('an object that would be a prototype', '{"id":66,"o":{"__proto__":{"polluted":true}}}', {
    stored: { o: [[true]] },
  }),
  row('columns that Delta cannot hold', '{"id":66,"a b":1,"c,d;{}()=\\n\\t":2}', {
    stored: { a_u0020b: 1n, c_u002Cd_u003B_u007B_u007D_u0028_u0029_u003D_u000A_u0009: 2n },
  }),
  row('another type than before', '{"id":66,"v":1}', { letter: 'TYPE_CLASH' }),
  row('an integer beyond int64', '{"id":66,"n":9223372036854775808}', { letter: 'TYPE_CLASH' }),
  row('2^53 + 1', '{"id":66,"n":9007199254740993}', { stored: { n: 9007199254740993n } }),
  row('400 digits', `{"id":66,"n":${'9'.repeat(400)}}`, { letter: 'TYPE_CLASH' }),
  row('1e400', '{"id":66,"n":1e400}', { letter: 'TYPE_CLASH' }),
  row('minus zero', '{"id":66,"n":-0.0}', { stored: { n: -0 } }),
  {
    name: 'a logical message',
    fate: { counted: 'control' },
    send: (topics) => topics.event({ op: '"m"', after: null, source: { schema: '""', table: '""' } }),
  },
  {
    name: 'DDL, which is never executed',
    fate: { counted: 'control' },
    send: (topics) => topics.raw('{"source":{},"ddl":"DROP TABLE t"}', { key: KEY }),
  },
  {
    name: 'a broken inline schema',
    fate: { letter: 'BAD_SCHEMA' },
    send: (topics) => topics.raw(wrapped(ENVELOPE, '{"type":"struct","fields":7}'), { key: KEY }),
  },
  {
    name: 'a delete of a key that nobody knows',
    fate: { counted: 'applied' },
    send: (topics) => topics.delete(66, { before: 'null' }),
  },
]

const KEYS: readonly HostileRecord[] = [
  ...(
    [
      ['a key that is not JSON', '{"id"', 'BAD_KEY'],
      ['a key that is a number', '66', 'BAD_KEY'],
      ['a key without columns', '{}', 'KEY_MISSING'],
      ['a key of null', '{"id":null}', 'KEY_NULL'],
      ['a key of another column', '{"other":66}', 'KEY_MISSING'],
      ['a key that is not the row', '{"id":67}', 'KEY_MISMATCH'],
      ['a key of another type', '{"id":"66"}', 'TYPE_CLASH'],
      ['a key named __proto__', '{"__proto__":66}', 'KEY_MISSING'],
    ] as const
  ).map(([name, key, letter]) => ({
    name,
    fate: { letter },
    send: (topics: MemoryTopics) => topics.event({ after: KEY, key }),
  })),
  {
    name: 'no key, where the table has one',
    fate: { stops: 'E_KEY_CHANGED' },
    send: (topics) => topics.event({ after: KEY, key: null }),
  },
  {
    name: 'a key of more columns than before',
    fate: { stops: 'E_KEY_CHANGED' },
    send: (topics) => topics.event({ after: '{"id":66,"v":"a"}', key: '{"id":66,"v":"a"}' }),
  },
]

function manyColumns(count: number): string {
  const columns = Array.from({ length: count - 1 }, (_, i) => `"c${i}":${i}`)
  return `{"id":66,${columns.join(',')}}`
}

/** Records of `reliability` classes that reach the pipeline, and what must become of each. */
export const HOSTILE_RECORDS: readonly HostileRecord[] = [...BYTES, ...ENVELOPES, ...KEYS]

/** Names that would lead out of a lake, or into its log, if a path were made of them as they are. */
export const HOSTILE_NAMES: readonly string[] = [
  '../../x',
  '/abs',
  '..\\..\\x',
  '_delta_log',
  '_dlq',
  '_alluvium',
  '..',
  '.',
  '%2e%2e%2f',
  '%252e',
  'a\0b',
  'a\nb',
  's3://other/x',
  `'; DROP TABLE x; --"}`,
  '__proto__',
  'constructor',
  '~2E~2E',
  'ünïcode ☃',
]
