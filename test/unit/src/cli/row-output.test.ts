import { describe, expect, test } from 'vitest'
import { field, struct } from '../../../../schemas/delta-types.ts'
import { shownColumns, writeRows } from '../../../../src/cli/row-output.ts'
import { memoryTerminal } from '../../../support/cli-run.ts'

const FIELDS = [field('id', 'long'), field('name', 'string')]

async function* rows(count: number, onRow: () => void = () => {}) {
  for (let i = 0; i < count; i++) {
    onRow()
    yield [BigInt(i), i === 0 ? null : `name ${i}`]
  }
}

describe('writeRows', () => {
  test('aligns numbers right and texts left, and tells null from nothing', async () => {
    const terminal = memoryTerminal()
    expect(await writeRows(rows(2), FIELDS, false, terminal)).toBe(2)
    expect(terminal.text()).toBe('id  name\n 0  NULL\n 1  name 1\n')
  })

  test('writes every row, in blocks under a heading each, or a line each in JSON', async () => {
    const text = memoryTerminal()
    expect(await writeRows(rows(1001), FIELDS, false, text)).toBe(1001)
    expect(text.text().split('\n')).toHaveLength(1001 + 3 + 1)
    const json = memoryTerminal()
    expect(await writeRows(rows(1001), FIELDS, true, json)).toBe(1001)
    const lines = json.text().trimEnd().split('\n')
    expect(lines).toHaveLength(1001)
    expect(lines[1000]).toBe('{"id":1000,"name":"name 1000"}')
  })

  test('makes no more rows once nobody reads them', async () => {
    let made = 0
    const gone = { ...memoryTerminal(), isOpen: false }
    await writeRows(
      rows(100_000, () => made++),
      FIELDS,
      true,
      gone,
    )
    expect(made).toBeLessThan(1000)
  })

  test('writes nothing for no rows', async () => {
    const terminal = memoryTerminal()
    expect(await writeRows(rows(0), FIELDS, false, terminal)).toBe(0)
    expect(terminal.text()).toBe('')
  })
})

test('our own columns are shown when they are asked for', () => {
  const schema = struct([field('id', 'long'), field('_cdc_lsn', 'long')])
  expect(shownColumns(schema, {})).toEqual(['id'])
  expect(shownColumns(schema, { allColumns: true })).toEqual(['id', '_cdc_lsn'])
  expect(shownColumns(schema, { columns: ['_cdc_lsn'] })).toEqual(['_cdc_lsn'])
})
