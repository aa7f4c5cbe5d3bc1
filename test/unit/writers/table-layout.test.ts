import { describe, expect, test } from 'vitest'
import type { Column } from '../../../schemas/change-event.ts'
import { type DeltaType, decimal, UNAVAILABLE } from '../../../schemas/delta-types.ts'
import { RowMapper } from '../../../writers/table/row-mapper.ts'
import { mergeShapes, rowShape, TableLayout } from '../../../writers/table/table-layout.ts'
import { rowImage } from '../../support/change-event.ts'

const PLAIN = { withOperation: false, withDeleted: false }

function column(name: string, type: DeltaType = 'long', hasDefault = false): Column {
  return { name, type, hasDefault }
}

function shape(...columns: readonly Column[]) {
  return rowShape(columns)
}

describe('a layout', () => {
  test("has the source's columns first, then ours, and is read back from its schema", () => {
    const options = { withOperation: true, withDeleted: true }
    const layout = new TableLayout(
      [column('id'), column('a b', 'string'), column('d', 'date', true)],
      options,
      't',
    )
    expect(layout.schema.fields.map(({ name }) => name)).toEqual([
      ...[
        'id',
        'a_u0020b',
        'd',
        '_cdc_epoch',
        '_cdc_seq',
        '_cdc_lsn',
        '_cdc_txid',
        '_cdc_ts',
        '_cdc_op',
        '_cdc_deleted',
      ],
    ])
    const again = TableLayout.of(layout.schema, new Set(['d']), options, 't')
    expect(again.shape.columns).toEqual(layout.shape.columns)
    expect(again.schema).toEqual(layout.schema)
    expect(layout.fieldOf('a b')!.name).toBe('a_u0020b')
    expect(layout.fieldOf('a_u0020b')).toBeUndefined()
  })

  test('refuses columns that would be one column, also after renaming', () => {
    const clash = (...names: readonly string[]) =>
      new TableLayout(
        names.map((name) => column(name)),
        PLAIN,
        't',
      )
    expect(() => clash('id', 'ID')).toThrow('differ only in case')
    expect(() => clash('a b', 'A B')).toThrow('differ only in case')
    expect(() => clash('a b', 'a_u0020b')).not.toThrow()
    expect(() => clash('_CDC_lsn')).toThrow('has a name that')
  })
})

describe('columns of a batch', () => {
  const current = [column('id'), column('v', 'integer')]

  test('that the table has ask for nothing', () => {
    expect(mergeShapes(current, [shape(column('v', 'short'), column('id', 'integer'))], 't')).toBeNull()
    expect(mergeShapes(current, [], 't')).toBeNull()
  })

  test('that are new are added at the end, each once, as wide as the batch needs', () => {
    const change = mergeShapes(
      current,
      [shape(column('w', 'short')), shape(column('x'), column('w', 'long'))],
      't',
    )!
    expect(change.columns).toEqual([...current, column('w', 'long'), column('x')])
    expect(change.added.map(({ name }) => name)).toEqual(['w', 'x'])
    expect(change.widened).toEqual([])
  })

  test('that are wider widen the table', () => {
    const change = mergeShapes(current, [shape(column('v', 'long'))], 't')!
    expect(change.columns).toEqual([column('id'), column('v', 'long')])
    expect(change.widened).toEqual([{ name: 'v', from: 'integer', to: 'long' }])
  })

  test('that contradict the table, or each other, are refused by name and type', () => {
    expect(() => mergeShapes(current, [shape(column('v', 'string'))], 't')).toThrow(
      /column v is integer in the table and string in the topic/,
    )
    expect(() => mergeShapes([], [shape(column('a', 'date')), shape(column('a', 'string'))], 't')).toThrow(
      expect.objectContaining({ code: 'E_SCHEMA_INCOMPATIBLE' }),
    )
  })
})

describe('a row', () => {
  const layout = new TableLayout(
    [column('id'), column('price', decimal(10, 3)), column('v', 'string')],
    PLAIN,
    't',
  )

  test('of another shape is put in order, widened, and null where it says nothing', () => {
    const image = rowImage(shape(column('price', decimal(4, 1)), column('id', 'integer'), column('gone')), {
      price: 15n,
      id: 7,
      gone: 1n,
    })
    expect(new RowMapper(layout).cells(image)).toEqual([7n, 1500n, null])
  })

  test('with a gap is a bug of ours', () => {
    const image = rowImage(shape(column('v', 'string')), { v: UNAVAILABLE })
    expect(() => new RowMapper(layout).cells(image)).toThrow('a gap was left')
  })
})
