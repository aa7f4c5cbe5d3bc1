import { expect, test } from 'vitest'
import { compareRows } from '../../e2e/compare-rows.ts'

const COLUMNS = ['id', 'v']

test('rows with the same key and cells do not differ, whatever their order and other columns', () => {
  const source = [
    { id: 1, v: null },
    { id: 2, v: 'b' },
  ]
  const lake = [{ id: 2, v: 'b', _cdc_lsn: '7' }, { id: 1 }]
  expect(compareRows(source, lake, ['id'], COLUMNS)).toEqual([])
})

test('a different cell, a missing row, a row too many and a row that stands twice are told apart', () => {
  const source = [
    { id: 1, v: 'a' },
    { id: 2, v: 'b' },
    { id: 3, v: 'c' },
  ]
  const lake = [
    { id: 1, v: 'x' },
    { id: 3, v: 'c' },
    { id: 3, v: 'c' },
    { id: 4, v: 'd' },
  ]
  expect(compareRows(source, lake, ['id'], COLUMNS)).toEqual([
    { key: { id: 1 }, column: 'v', source: 'a', lake: 'x' },
    { key: { id: 2 }, onlyIn: 'source' },
    { key: { id: 3 }, onlyIn: 'lake' },
    { key: { id: 4 }, onlyIn: 'lake' },
  ])
})

test('rows without a key are compared as a bag', () => {
  const twice = [
    { id: 1, v: 'a' },
    { id: 1, v: 'a' },
  ]
  expect(compareRows(twice, twice, [], COLUMNS)).toEqual([])
  expect(compareRows(twice, twice.slice(1), [], COLUMNS)).toEqual([
    { key: { id: 1, v: 'a' }, onlyIn: 'source' },
  ])
})
