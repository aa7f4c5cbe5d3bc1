import { describe, expect, test } from 'vitest'
import { decodePathPart, encodePathPart, tablePath } from '../../../schemas/table-path.ts'

const table = (schema: string, name: string) => ({ sourceName: 'shop', database: 'db', schema, table: name })

describe('encodePathPart', () => {
  test.each([
    ['order_items', 'order_items'],
    ['Order Items', 'Order~20Items'],
    ['größe', 'gr~C3~B6~C3~9Fe'],
    ['_delta_log', '~5Fdelta_log'],
    ['..', '~2E.'],
    ['.', '~2E'],
    ['a...b', 'a.~2E.b'],
    ['', '~'],
    ['a/b', 'a~2Fb'],
    ['a\\b', 'a~5Cb'],
    ['a~2Fb', 'a~7E2Fb'],
    ['100%', '100~25'],
    ['a\0\n', 'a~00~0A'],
    ['\u{1F600}', '~F0~9F~98~80'],
    ['\ud83d', '~ED~A0~BD'],
  ])('%j becomes %j', (name, encoded) => {
    expect(encodePathPart(name)).toBe(encoded)
    expect(decodePathPart(encoded)).toBe(name.isWellFormed() ? name : '\ufffd\ufffd\ufffd')
  })
})

describe('tablePath', () => {
  test('fills the template, part by part', () => {
    expect(tablePath('{schema}/{table}', table('public', 'orders'))).toBe('public/orders')
    expect(tablePath('raw-{sourceName}/{database}/x.{table}', table('a', 'b'))).toBe('raw-shop/db/x.b')
  })

  test('names of attackers stay inside', () => {
    expect(tablePath('{schema}/{table}', table('..', '../../x'))).toBe('~2E./~2E.~2F.~2E~2Fx')
    expect(tablePath('{schema}/{table}', table('s3:', '/abs'))).toBe('s3~3A/~2Fabs')
  })

  test('a name that is too long for a store stops its table', () => {
    expect(tablePath('{schema}/{table}', table('s', 'x'.repeat(200)))).toHaveLength(202)
    expect(() => tablePath('{schema}/{table}', table('s', 'ü'.repeat(34)))).toThrow(
      expect.objectContaining({ code: 'E_TABLE_PATH', remedy: 'stop-table' }),
    )
  })

  test.each([
    '',
    '{schema}',
    '/{table}',
    '{table}/',
    '../{table}',
    '_x/{table}',
    '.{table}',
    '{tabel}',
    '{schema}{table}',
    '{schema}.{table}',
    'a b/{table}',
    'a..b/{table}',
  ])('refuses the template %j', (template) => {
    expect(() => tablePath(template, table('s', 't'))).toThrow(
      expect.objectContaining({ code: 'E_TABLE_PATH', remedy: 'usage' }),
    )
  })
})
