import { describe, expect, test } from 'vitest'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'

const FULL = { 'public.t': { replicaIdentity: 'full' as const } }

/** One record for each thing that can become of one. */
function allKinds(): MemoryTopics {
  const topics = new MemoryTopics()
  const first = topics.row('c', { id: 1, v: 'a' })
  topics.row('u', { id: 1, v: 'b' }, { before: '{"id":1,"v":"a"}' })
  const last = topics.row('u', { id: 1, v: 'c' }, { before: '{"id":1,"v":"b"}' })
  topics.row('c', { id: 2, v: 'x' })
  topics.resend(first)
  topics.resend(last)
  topics.row('u', { id: 2, v: 'x' }, { before: '{"id":2,"v":"x"}' })
  topics.delete(77, { before: '{"id":77,"v":"?"}' })
  topics.tombstone(77)
  topics.heartbeat()
  topics.raw('{"op":')
  topics.row('c', { id: 1, a: 1, A: 2 }, { topic: 'shop.public.clash' })
  return topics
}

describe('every record that is read is counted once', () => {
  test('in one batch', async () => {
    const report = await new PipelineWorld().run(allKinds(), { tables: FULL })
    expect(report.records).toBe(12)
    expect(report.tally).toEqual({
      applied: 3,
      superseded: 2,
      stale: 1,
      duplicates: 1,
      ignored: 1,
      tombstones: 1,
      control: 1,
      parked: 1,
      deadLetters: 1,
    })
    expect(stoppedTables(report)).toEqual({ 'public.clash': 'E_COLUMN_NAME' })
    expect(report.deadLetterReasons).toEqual(new Map([['BAD_JSON', 1]]))
  })

  test.each([1, 2, 3, 5])('in batches of %i', async (rows) => {
    const report = await new PipelineWorld().run(allKinds(), { tables: FULL, batch: { rows } })
    const { applied, superseded, ...others } = report.tally
    expect(applied + superseded).toBe(5)
    expect(others).toEqual({
      stale: 1,
      duplicates: 1,
      ignored: 1,
      tombstones: 1,
      control: 1,
      parked: 1,
      deadLetters: 1,
    })
  })

  test('a table that stops while events wait in its buffer parks them', async () => {
    const topics = new MemoryTopics()
    for (let id = 0; id < 5; id++) topics.row('c', { id, v: 1 })
    topics.row('c', { id: 6, v: 1, V: 2 })
    for (let id = 7; id < 10; id++) topics.row('c', { id, v: 1 })
    const world = new PipelineWorld()
    const report = await world.run(topics, { batch: { rows: 4 } })
    expect(report.tally).toMatchObject({ applied: 4, parked: 5 })
    expect(await world.ids('public/t')).toEqual([0, 1, 2, 3])
    expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 4n })
  })

  test('nothing at all is nothing', async () => {
    const world = new PipelineWorld()
    const report = await world.run(new MemoryTopics())
    expect(report).toMatchObject({ records: 0, tables: [] })
    expect(world.store.objects.size).toBe(0)
  })
})

/** `n` times the keys of two rows are swapped, and no event tells the whole row before. */
function keySwaps(n: number): MemoryTopics {
  const topics = new MemoryTopics()
  topics.row('c', { id: 1, v: 'a' })
  topics.row('c', { id: 2, v: 'b' })
  for (let i = 1; i <= n; i++) {
    const source = { txId: String(1000 + i), sequence: JSON.stringify(`["${1000 * (i + 1)}","1"]`) }
    const moves = (id: number, to: number): void => {
      topics.delete(id, { source, headers: [['__debezium.newkey', `{"id":${to}}`]] })
      topics.row('c', { id: to, v: 'x' }, { source, headers: [['__debezium.oldkey', `{"id":${id}}`]] })
    }
    moves(1, 2)
    moves(2, 1)
  }
  return topics
}

test('what was in doubt is told once a flush, with an example and the setting that tells it apart', async () => {
  const world = new PipelineWorld()
  const report = await world.run(keySwaps(3))
  const warnings = world.logged.filter(({ message }) => message.includes('ambiguous key moves'))
  expect(report.tables[0]!.ambiguousKeyMoves).toBe(warnings[0]!.fields['count'])
  expect(warnings).toMatchObject([
    {
      level: 'warn',
      message: expect.stringContaining('tables.public.t.replicaIdentity: full'),
      fields: { table: 'public.t', count: expect.toSatisfy((count) => count >= 2), example: { key: ['2'] } },
    },
  ])
})
