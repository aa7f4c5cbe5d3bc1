import { describe, expect, test } from 'vitest'
import { formatTable, printable, toJson } from '../../../../src/cli/output.ts'

describe('formatTable', () => {
  const columns = [{ title: 'table' }, { title: 'rows', align: 'right' as const }]

  test('aligns texts left and counts right', () => {
    expect(
      formatTable(
        columns,
        [
          ['public.orders', 1234567n],
          ['a', 5],
        ],
        80,
      ),
    ).toBe('table               rows\npublic.orders  1,234,567\na                      5\n')
  })

  test('cuts the widest column to the width of the terminal', () => {
    const lines = formatTable(columns, [['a'.repeat(100), 5]], 40).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBe(40)
    expect(lines[1]).toContain('a…')
  })

  test('leaves out what no row has anything for', () => {
    const rare = [...columns, { title: 'marks', isRare: true }]
    expect(formatTable(rare, [['a', 5, '']], 80)).toBe('table  rows\na         5\n')
    expect(formatTable(rare, [['a', 5, 'x']], 80)).toBe('table  rows  marks\na         5  x\n')
  })

  test('leaves out details before it cuts, the last one first, and says that there are more', () => {
    const detailed = [
      { title: 'size', isDetail: true },
      ...columns,
      { title: 'mode', isDetail: true },
      { title: 'feed', isDetail: true },
    ]
    const at = (width: number) => formatTable(detailed, [['1 KB', 'orders', 5, 'upsert', 'rows']], width)
    expect(at(80)).toBe('size  table   rows  mode    feed\n1 KB  orders     5  upsert  rows\n')
    expect(at(31)).toBe('size  table   rows  mode    …\n1 KB  orders     5  upsert\n')
    expect(at(17)).toBe('table   rows  …\norders     5\n')
  })

  test('a name cannot colour the screen or break the line', () => {
    expect(printable('a\u001b[31mb\r\nc\u202e')).toBe('a\\x1b[31mb\\x0d\\x0ac\\u202e')
  })
})

test('toJson keeps integers exact: as numbers while that is possible, then as text', () => {
  expect(toJson({ a: 5n, b: 9007199254740993n })).toBe('{"a":5,"b":"9007199254740993"}')
})
