import { describe, expect, test } from 'vitest'
import { type ReplayOptions, replayChanges } from '../../e2e/replay-changes.ts'

const KEYED: ReplayOptions = {
  columns: ['id', 'v', '_cdc_lsn', '_change_type', '_commit_version'],
  key: ['id'],
  fullVersions: new Set([2]),
}

function change(version: number, type: string, id: number, v: string, lsn = '1') {
  return { id, v, _cdc_lsn: lsn, _change_type: type, _commit_version: version }
}

describe('replaying the feed of a keyed table', () => {
  test('derived and net changes lead to the last state of each key, whatever the order of the feed', () => {
    const feed = [
      change(2, 'update_postimage', 1, 'c', '3'),
      change(2, 'update_preimage', 1, 'b', '9'),
      change(1, 'insert', 1, 'b', '2'),
      change(1, 'delete', 1, 'a'),
      change(0, 'insert', 1, 'a'),
      change(0, 'insert', 2, 'x'),
      change(2, 'delete', 2, 'x'),
    ]
    expect(replayChanges(feed, KEYED)).toEqual({ rows: [{ id: 1, v: 'c', _cdc_lsn: '3' }], violations: [] })
  })

  test.each([
    [
      'two changes of a key in a full version',
      [change(0, 'insert', 1, 'a'), change(2, 'insert', 1, 'a'), change(2, 'delete', 1, 'a')],
      'changes delete, insert',
    ],
    [
      'an insert of a key that is there',
      [change(0, 'insert', 1, 'a'), change(1, 'insert', 1, 'b')],
      'inserted while',
    ],
    ['a delete of a key that is not there', [change(0, 'delete', 1, 'a')], 'not there'],
    [
      'an old image that was never stored',
      [change(0, 'insert', 1, 'a'), change(2, 'delete', 1, 'b')],
      'old image',
    ],
    [
      'a derived image with other bookkeeping',
      [change(0, 'insert', 1, 'a'), change(1, 'delete', 1, 'a', '7')],
      'old image',
    ],
  ])('finds %s', (_, feed, sentence) => {
    expect(replayChanges(feed, KEYED).violations).toEqual([expect.stringContaining(sentence)])
  })
})

test('the feed of a keyless table is replayed as a bag', () => {
  const options = { ...KEYED, key: [] }
  const feed = [
    change(0, 'insert', 1, 'a', '1'),
    change(0, 'insert', 1, 'a', '2'),
    change(1, 'delete', 1, 'a', '9'),
  ]
  expect(replayChanges(feed, options).rows).toHaveLength(1)
  expect(replayChanges(feed, options).violations).toEqual([])
  expect(replayChanges([...feed, change(2, 'delete', 1, 'b')], options).violations).toHaveLength(1)
})

test('a feed that begins later is replayed onto the rows of that version', () => {
  const onto = [{ id: 1, v: 'a', _cdc_lsn: '1' }]
  expect(replayChanges([change(1, 'delete', 1, 'a')], { ...KEYED, onto })).toEqual({
    rows: [],
    violations: [],
  })
})
