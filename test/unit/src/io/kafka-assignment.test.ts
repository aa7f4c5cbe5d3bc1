import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Assignment,
  assignTables,
  type TopicTies,
  tiedTopics,
  type WeighedTopic,
} from '../../../../src/io/kafka-assignment.ts'

const MB = 1024 * 1024
const topic = (name: string, count = 1, bytes = 0): WeighedTopic => ({
  topic: name,
  partitions: Array.from({ length: count }, (_, partition) => ({ partition, bytes })),
})
const tiesOf = (tablesOf: TopicTies['tablesOf'], spread: readonly string[] = []): TopicTies => ({
  tablesOf,
  isSpread: (table) => spread.includes(table),
})
const own = tiesOf((name) => [name])
const plain = (assigned: Assignment) =>
  Object.fromEntries([...assigned].map(([member, given]) => [member, [...given.keys()].sort()]))

describe('the assignment of tables', () => {
  test('gives a topic whole to one member, the heaviest first to who has least', () => {
    const topics = [topic('a', 1), topic('b', 6), topic('c', 3), topic('d', 3)]
    expect(plain(assignTables(['m2', 'm1'], topics, own))).toEqual({ m1: ['a', 'b'], m2: ['c', 'd'] })
  })

  test('weighs by bytes, not by partitions', () => {
    const topics = [topic('small', 12, MB), topic('large', 1, 500 * MB), topic('other', 8, MB)]
    expect(plain(assignTables(['m1', 'm2'], topics, own))).toEqual({ m1: ['large'], m2: ['other', 'small'] })
  })

  test('does not change when topics of about one size grow past each other', () => {
    const before = [topic('a', 1, 300 * MB), topic('b', 1, 310 * MB), topic('c', 1, 290 * MB)]
    const after = [topic('a', 1, 340 * MB), topic('b', 1, 320 * MB), topic('c', 1, 400 * MB)]
    expect(assignTables(['m1', 'm2'], after, own)).toEqual(assignTables(['m1', 'm2'], before, own))
  })

  test('gives all topics of a table to one member', () => {
    const tables: Record<string, string[]> = { a: ['x'], b: ['y'], c: ['x', 'y'], d: ['z'] }
    const topics = ['a', 'b', 'c', 'd'].map((name) => topic(name))
    const ties = tiesOf((name) => tables[name]!)
    expect(plain(assignTables(['m1', 'm2'], topics, ties))).toEqual({ m1: ['a', 'b', 'c'], m2: ['d'] })
  })

  test('leaves members without work when there are more of them than tables', () => {
    expect(plain(assignTables(['m1', 'm2'], [topic('a', 9)], own))).toEqual({ m1: ['a'], m2: [] })
  })

  test('shares out the partitions of a table that is spread', () => {
    const ties = tiesOf((name) => [name], ['a'])
    const assigned = assignTables(['m1', 'm2'], [topic('a', 5, 10 * MB), topic('b', 2, MB)], ties)
    expect(assigned.get('m1')).toEqual(new Map([['a', [0, 2, 4]]]))
    expect(assigned.get('m2')).toEqual(
      new Map([
        ['a', [1, 3]],
        ['b', [0, 1]],
      ]),
    )
  })

  test('keeps a topic whole that feeds a table which is not spread, beside one that is', () => {
    const tables: Record<string, string[]> = { a: ['spread'], b: ['spread', 'whole'], c: ['whole'] }
    const ties = tiesOf((name) => tables[name]!, ['spread'])
    const topics = [topic('a', 2, 8 * MB), topic('b', 3, MB), topic('c', 1, MB)]
    expect(plain(assignTables(['m1', 'm2', 'm3'], topics, ties))).toEqual({
      m1: ['a'],
      m2: ['a'],
      m3: ['b', 'c'],
    })
  })

  test('gives every partition to exactly one member, and no whole table to two, in whatever order it is asked', () => {
    const names = ['t1', 't2', 't3', 't4', 't5', 't6']
    const tables = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 2 })
    const given = fc.array(fc.tuple(fc.nat(5), tables, fc.nat(100 * MB)), { minLength: 1, maxLength: 12 })
    const members = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(given, members, fc.subarray(names), (list, members, spread) => {
        const topics = list.map(([count, , bytes], i) => topic(`topic${i}`, count + 1, bytes))
        const tablesOf = (name: string) => list[Number(name.slice(5))]![1]
        const ties = tiesOf(tablesOf, spread)
        const assigned = assignTables(members, topics, ties)
        const seen = [...assigned.values()].flatMap((each) =>
          [...each].flatMap(([name, numbers]) => numbers.map((n) => `${name}/${n}`)),
        )
        const all = topics.flatMap((each) => each.partitions.map((p) => `${each.topic}/${p.partition}`))
        expect(seen.toSorted()).toEqual(all.toSorted())
        const owners = new Map<string, string>()
        for (const [member, each] of assigned) {
          for (const table of [...each.keys()].flatMap(tablesOf)) {
            if (spread.includes(table)) continue
            expect(owners.get(table) ?? member).toBe(member)
            owners.set(table, member)
          }
        }
        expect(assignTables(members.toReversed(), topics.toReversed(), ties)).toEqual(assigned)
      }),
    )
  })
})

test('topics are tied by the tables that they feed, also over a third one', () => {
  const tables: Record<string, string[]> = { a: ['x'], b: ['x', 'y'], c: ['y'], d: ['z'] }
  const tied = tiedTopics(['a'], ['a', 'b', 'c', 'd'], (name) => tables[name]!)
  expect([...tied].sort()).toEqual(['a', 'b', 'c'])
})
