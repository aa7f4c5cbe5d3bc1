import { describe, expect, test } from 'vitest'
import type { RowKey } from '../../../../schemas/change-event.ts'
import type { TableContract } from '../../../../schemas/contract.ts'
import type { Cell } from '../../../../schemas/delta-types.ts'
import { decoder, PLACEHOLDER } from '../../../support/decoding.ts'
import {
  changeOf,
  type EnvelopeParts,
  envelope,
  reasonOf,
  wrapped,
} from '../../../support/envelope-records.ts'

const keySchema = (...fields: string[]): string =>
  `{"type":"struct","fields":[${fields.join(',')}],"optional":false,"name":"shop.public.t.Key"}`
const INT_ID = '{"type":"int32","optional":false,"default":0,"field":"id"}'

function decode(parts: EnvelopeParts, contract: Partial<TableContract> = {}) {
  return decoder(contract).decode(envelope(parts))
}

function entries(key: RowKey | null): [string, Cell][] | null {
  return key === null ? null : key.columns.map((c, i) => [c.name, key.values[i]!])
}

function keyOf(parts: EnvelopeParts, contract: Partial<TableContract> = {}): [string, Cell][] | null {
  return entries(changeOf(decode(parts, contract)).key)
}

describe('the key of a row', () => {
  test.each<[string, EnvelopeParts, Partial<TableContract>, [string, Cell][] | null]>([
    ['without schemas', { key: '{"id":1}' }, {}, [['id', 1n]]],
    ['with blanks', { key: ' { "id" : 1 }\n' }, {}, [['id', 1n]]],
    ['with its schema', { key: wrapped('{"id":1}', keySchema(INT_ID)), fields: [INT_ID] }, {}, [['id', 1]]],
    [
      'of a column whose type the contract names',
      { key: '{"id":1}' },
      { columns: { id: 'integer' } },
      [['id', 1]],
    ],
    ['written as 1.0', { key: '{"id":1.0}' }, { columns: { id: 'integer' } }, [['id', 1]]],
    [
      'of several columns, in the order of the key',
      { key: '{"b":"x","a":9007199254740993}', after: '{"a":9007199254740993,"b":"x","c":1}' },
      {},
      [
        ['b', 'x'],
        ['a', 9007199254740993n],
      ],
    ],
    [
      'with what a router added to it',
      { key: '{"id":1,"__dbz__sourceIdentifier":"shop.public.t_p1"}' },
      {},
      [['id', 1n]],
    ],
    ['of a table without a key', { key: null }, {}, null],
    ['of a table without a key, as no bytes', { key: '' }, {}, null],
    ['of a table without a key, as the text null', { key: 'null' }, {}, null],
    ['of a table without a key, with a null schema', { key: wrapped('null', 'null') }, {}, null],
    [
      'of a table without a key, but for what a router added',
      { key: '{"__dbz__sourceIdentifier":"x"}' },
      {},
      null,
    ],
    ['that the contract names', { key: null, after: '{"id":1,"v":2}' }, { key: ['v'] }, [['v', 2n]]],
    [
      'that the contract names instead of the record',
      { key: '{"id":1}', after: '{"id":1,"v":2}' },
      { key: ['v'] },
      [['v', 2n]],
    ],
    ['that the contract takes away', { key: '{"id":1}' }, { key: [] }, null],
    [
      'that the contract names where the record key is a bare value',
      { key: '1' },
      { key: ['id'] },
      [['id', 1n]],
    ],
    [
      'that the contract names where the record key is no JSON',
      { key: 'Struct{id=1}' },
      { key: ['id'] },
      [['id', 1n]],
    ],
    [
      'that the contract names where the record key is bytes',
      { key: new Uint8Array([0, 0, 0, 1]) },
      { key: ['id'] },
      [['id', 1n]],
    ],
    ['of a delete without before', { op: '"d"', after: 'null', key: '{"id":1}' }, {}, [['id', 1n]]],
    [
      'of a delete with before',
      { op: '"d"', before: '{"id":1,"v":null}', after: 'null', key: '{"id":1}' },
      {},
      [['id', 1n]],
    ],
    [
      'of a delete, where the contract names it',
      { op: '"d"', before: '{"id":1}', after: 'null' },
      { key: ['id'] },
      [['id', 1n]],
    ],
    [
      'of a delete without before, where the contract names what the record has',
      { op: '"d"', after: 'null', key: '{"id":1}' },
      { key: ['id'] },
      [['id', 1n]],
    ],
    [
      'of a delete with a full before',
      { op: '"d"', before: '{"id":1,"v":2}', after: 'null', key: '{"id":1}' },
      { key: ['v'], replicaIdentity: 'full' },
      [['v', 2n]],
    ],
  ])('%s', (_, parts, contract, expected) => {
    expect(keyOf(parts, contract)).toEqual(expected)
  })

  test('has the very columns of the row', () => {
    const event = changeOf(decode({ key: '{"id":1}' }))
    expect(event.key!.columns[0]).toBe(event.after!.shape.columns[0])
  })

  test('is equal, as a value, to what the row holds, for bytes and decimals too', () => {
    const contract = { columns: { b: 'bytea', n: 'numeric(10,2)', t: 'timestamptz' } }
    const row = '{"b":"AAH/","n":"B88=","t":"2026-03-01T12:30:15.123456Z"}'
    const event = changeOf(decode({ key: row, after: row }, contract))
    expect(event.key!.values).toEqual(event.after!.cells)
  })

  test('lets a key decide the type of a column that rows have not shown', () => {
    const topic = decoder()
    topic.decode(envelope({ op: '"d"', after: 'null', key: '{"id":1}' }))
    expect(reasonOf(topic.decode(envelope({ after: '{"id":"1"}' })))).toBe('TYPE_CLASH')
  })
})

describe('a record is refused', () => {
  test.each<[string, EnvelopeParts, Partial<TableContract>, string]>([
    ['whose key is no JSON', { key: '{"id":1' }, {}, 'BAD_KEY'],
    ['whose key is Java text', { key: 'Struct{id=1}' }, {}, 'BAD_KEY'],
    ['whose key is a bare value', { key: '1' }, {}, 'BAD_KEY'],
    ['whose key is an array', { key: '[1]' }, {}, 'BAD_KEY'],
    ['whose key is bytes', { key: new Uint8Array([0, 0, 0, 0, 1, 2]) }, {}, 'BAD_KEY'],
    ['whose key names a column twice', { key: '{"id":1,"id":1}' }, {}, 'BAD_KEY'],
    ['whose key has a broken schema', { key: wrapped('{"id":1}', '{"type":"struct"}') }, {}, 'BAD_SCHEMA'],
    ['whose key is empty', { key: '{}' }, {}, 'KEY_MISSING'],
    ['whose key is null', { key: '{"id":null}', after: '{"id":null}' }, {}, 'KEY_NULL'],
    ['whose key differs from its row', { key: '{"id":2}' }, {}, 'KEY_MISMATCH'],
    [
      'whose key differs from its row in bytes',
      { key: '{"id":"AAE="}', after: '{"id":"AAH/"}' },
      { columns: { id: 'bytea' } },
      'KEY_MISMATCH',
    ],
    [
      'whose key differs from its before',
      { op: '"d"', after: 'null', before: '{"id":2}', key: '{"id":1}' },
      {},
      'KEY_MISMATCH',
    ],
    ['whose key has a column that its row lacks', { key: '{"no":1}' }, {}, 'KEY_MISSING'],
    [
      'whose key is too large for its column',
      { key: '{"id":2147483648}' },
      { columns: { id: 'integer' } },
      'INTEGER_OUT_OF_RANGE',
    ],
    ['that lacks a key column of its contract', {}, { key: ['no'] }, 'KEY_MISSING'],
    [
      'that is null in a key column of its contract',
      { after: '{"id":null}' },
      { key: ['id'], columns: { id: 'integer' } },
      'KEY_NULL',
    ],
    ['whose key differs from its row, by contract', { key: '{"id":2}' }, { key: ['id'] }, 'KEY_MISMATCH'],
    [
      'that deletes by columns which its before may have filled up',
      { op: '"d"', after: 'null', before: '{"id":1,"v":""}', key: '{"id":1}' },
      { key: ['v'] },
      'KEY_UNTRUSTED',
    ],
    [
      'that deletes without a value for its contract’s key',
      { op: '"d"', after: 'null', key: '{"id":1}' },
      { key: ['v'] },
      'BEFORE_MISSING',
    ],
    [
      'that did not send its contract’s key',
      { op: '"u"', after: `{"id":1,"v":"${PLACEHOLDER}"}`, key: '{"id":1}' },
      { key: ['v'] },
      'KEY_MISSING',
    ],
  ])('%s', (_, parts, contract, reason) => {
    expect(reasonOf(decode(parts, contract))).toBe(reason)
  })

  test('and its message says nothing of the value', () => {
    const decoded = decode({ key: '{"id":4711}' })
    expect(decoded).toMatchObject({
      message: 'The record has different values for key column "id" in its key and in its row.',
    })
  })
})

describe('a change of the key', () => {
  const moved = (name: string, value: string): (readonly [string, string])[] => [
    ['__debezium.context.taskId', '0'],
    [name, value],
  ]

  test('is a delete that names the new key, and a create that names the old one', () => {
    const topic = decoder()
    const gone = changeOf(
      topic.decode(
        envelope({
          op: '"d"',
          before: '{"id":1,"v":""}',
          after: 'null',
          key: '{"id":1}',
          headers: moved('__debezium.newkey', '{"id":2}'),
        }),
      ),
    )
    const come = changeOf(
      topic.decode(
        envelope({
          after: '{"id":2,"v":"x"}',
          key: '{"id":2}',
          headers: moved('__debezium.oldkey', '{"id":1}'),
        }),
      ),
    )
    expect([entries(gone.key), entries(gone.newKey), gone.oldKey]).toEqual([[['id', 1n]], [['id', 2n]], null])
    expect([entries(come.key), entries(come.oldKey), come.newKey]).toEqual([[['id', 2n]], [['id', 1n]], null])
    expect(come.oldKey!.columns[0]).toBe(come.after!.shape.columns[0])
  })

  test('may tell the key with a schema', () => {
    const headers = moved('__debezium.oldkey', wrapped('{"id":1}', keySchema(INT_ID)))
    const event = changeOf(
      decode({ key: wrapped('{"id":2}', keySchema(INT_ID)), after: '{"id":2}', fields: [INT_ID], headers }),
    )
    expect(entries(event.oldKey)).toEqual([['id', 1]])
  })

  test('counts the last header of a name that repeats', () => {
    const headers = [...moved('__debezium.oldkey', '{"id":8}'), ...moved('__debezium.oldkey', '{"id":9}')]
    expect(entries(changeOf(decode({ key: '{"id":1}', headers })).oldKey)).toEqual([['id', 9n]])
  })

  test('is told in the columns that are the table’s key', () => {
    const parts = {
      after: '{"id":2,"v":3}',
      key: '{"id":2}',
      headers: moved('__debezium.oldkey', '{"id":1}'),
    }
    expect(entries(changeOf(decode(parts, { key: ['id'] })).oldKey)).toEqual([['id', 1n]])
    expect(changeOf(decode(parts, { key: ['v'] })).oldKey).toBeNull()
  })

  test('is no key change when an update or a snapshot row carries the header', () => {
    const headers = moved('__debezium.oldkey', '{"id":1}')
    expect(changeOf(decode({ op: '"u"', key: '{"id":1}', headers })).oldKey).toBeNull()
    expect(changeOf(decode({ op: '"r"', key: '{"id":1}', headers })).oldKey).toBeNull()
  })

  test('with a header that cannot be read is refused', () => {
    expect(reasonOf(decode({ key: '{"id":1}', headers: moved('__debezium.oldkey', 'x') }))).toBe('BAD_KEY')
  })
})
