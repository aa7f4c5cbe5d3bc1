import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assignTables, type TopicPartitions, tiedTopics } from '../../../../src/io/kafka-assigner.ts'

const topic = (name: string, count = 1): TopicPartitions => ({
  topic: name,
  partitions: Array.from({ length: count }, (_, i) => i),
})
const own = (name: string) => [name]
const plain = (assigned: ReturnType<typeof assignTables>) =>
  Object.fromEntries([...assigned].map(([member, given]) => [member, [...given.keys()]]))

describe('the assignment of tables', () => {
  test('gives a topic whole to one member, the heaviest first to who has least', () => {
    const topics = [topic('a', 1), topic('b', 6), topic('c', 3), topic('d', 3)]
    expect(plain(assignTables(['m2', 'm1'], topics, own))).toEqual({ m1: ['b', 'a'], m2: ['c', 'd'] })
  })

  test('gives all topics of a table to one member', () => {
    const tables: Record<string, string[]> = { a: ['x'], b: ['y'], c: ['x', 'y'], d: ['z'] }
    const topics = ['a', 'b', 'c', 'd'].map((name) => topic(name))
    expect(plain(assignTables(['m1', 'm2'], topics, (name) => tables[name]!))).toEqual({
      m1: ['a', 'b', 'c'],
      m2: ['d'],
    })
  })

  test('leaves members without work when there are more of them than tables', () => {
    expect(plain(assignTables(['m1', 'm2'], [topic('a', 9)], own))).toEqual({ m1: ['a'], m2: [] })
  })

  test('gives every partition to exactly one member, and no table to two, in whatever order it is asked', () => {
    const tables = fc.array(fc.constantFrom('t1', 't2', 't3', 't4', 't5', 't6'), {
      minLength: 1,
      maxLength: 2,
    })
    const given = fc.array(fc.tuple(fc.nat(5), tables), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(given, fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 }), (list, members) => {
        const topics = list.map(([count], i) => topic(`topic${i}`, count + 1))
        const tablesOf = (name: string) => list[Number(name.slice(5))]![1]
        const assigned = assignTables(members, topics, tablesOf)
        const seen = [...assigned.values()].flatMap((each) => [...each])
        expect(seen.length).toBe(topics.length)
        expect(new Map(seen)).toEqual(new Map(topics.map((each) => [each.topic, each.partitions])))
        const owners = new Map<string, string>()
        for (const [member, each] of assigned) {
          for (const table of [...each.keys()].flatMap(tablesOf)) {
            expect(owners.get(table) ?? member).toBe(member)
            owners.set(table, member)
          }
        }
        expect(assignTables(members.toReversed(), topics.toReversed(), tablesOf)).toEqual(assigned)
      }),
    )
  })
})

test('topics are tied by the tables that they feed, also over a third one', () => {
  const tables: Record<string, string[]> = { a: ['x'], b: ['x', 'y'], c: ['y'], d: ['z'] }
  expect([...tiedTopics(['a'], ['a', 'b', 'c', 'd'], (name) => tables[name]!)].sort()).toEqual([
    'a',
    'b',
    'c',
  ])
})
