import { describe, expect, test } from 'vitest'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables, tableOf } from '../../support/pipeline-world.ts'

const A = { topic: 'mixed', source: { schema: '"public"', table: '"a"' } }
const B = { topic: 'mixed', source: { schema: '"public"', table: '"b"' } }
const MIXED = { 'public.a': { topics: ['mixed'] }, 'public.b': { topics: ['mix?d', 'else-*'] } }

describe('a record that tells of a table of another topic', () => {
  function topicsWithAStray(): MemoryTopics {
    const topics = new MemoryTopics()
    for (let id = 0; id < 3; id++) topics.row('c', { id })
    topics.row('c', { id: 3 }, { source: { table: '"orders"' } })
    for (let id = 4; id < 6; id++) topics.row('c', { id })
    return topics
  }

  test('stops that table, names the key to set, and is neither lost nor passed', async () => {
    const topics = topicsWithAStray()
    const world = new PipelineWorld()
    for (let run = 0; run < 2; run++) {
      const report = await world.run(topics)
      expect(stoppedTables(report)).toEqual({ 'public.orders': 'E_TABLE_OF_ANOTHER_TOPIC' })
      const { message } = tableOf(report, 'public.orders').stopped!
      expect(message).toContain('tables.public.orders.topics: ["shop.public.t", …]')
      expect(report.tally).toMatchObject({ parked: 1, deadLetters: 0 })
      expect(await world.ids('public/t')).toEqual([0, 1, 2, 4, 5])
      expect(await world.mark()).toEqual({ 'shop.public.t/0': 3n })
    }
  })

  test('lands there once the key is set', async () => {
    const topics = topicsWithAStray()
    const world = new PipelineWorld()
    await world.run(topics)
    const report = await world.run(topics, { tables: { 'public.orders': { topics: ['shop.public.t'] } } })
    expect(stoppedTables(report)).toEqual({})
    expect(await world.ids('public/orders')).toEqual([3])
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 6n })
  })

  test('stops the table also for the topic that is its own', async () => {
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 }, { topic: 'shop.public.orders' })
    topics.row('c', { id: 2 }, { source: { table: '"orders"' } })
    topics.row('c', { id: 3 }, { topic: 'shop.public.orders' })
    const world = new PipelineWorld()
    const report = await world.run(topics, { batchRecords: 1 })
    expect(stoppedTables(report)).toEqual({ 'public.orders': 'E_TABLE_OF_ANOTHER_TOPIC' })
    expect(await world.ids('public/orders')).toEqual([1])
    expect(report.tally).toMatchObject({ applied: 1, parked: 2 })
    expect(await world.mark()).toEqual({ 'shop.public.orders/0': 1n })
  })
})

describe('tables.<name>.topics', () => {
  test('globs feed a table from topics of other names, and no longer from the one it is named for', async () => {
    const topics = new MemoryTopics()
    const source = { schema: '"public"', table: '"b"' }
    topics.row('c', { id: 1 }, { topic: 'else-1', source })
    topics.row('c', { id: 2 }, { topic: 'else-2.x', source })
    const world = new PipelineWorld()
    expect(stoppedTables(await world.run(topics, { tables: MIXED }))).toEqual({})
    expect(await world.ids('public/b')).toEqual([1, 2])
    expect(await world.progress('public/b')).toEqual({ 'else-1/0': 1n, 'else-2.x/0': 1n })
    topics.row('c', { id: 3 }, { topic: 'shop.public.b' })
    const second = await world.run(topics, { tables: MIXED })
    expect(stoppedTables(second)).toEqual({ 'public.b': 'E_TABLE_OF_ANOTHER_TOPIC' })
  })

  test('of "*" let one topic feed tables that nobody named', async () => {
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 }, A)
    topics.row('c', { id: 2 }, B)
    const world = new PipelineWorld()
    const report = await world.run(topics, { tables: { '*': { topics: ['mixed'] } } })
    expect(stoppedTables(report)).toEqual({})
    expect(await world.ids('public/a')).toEqual([1])
    expect(await world.ids('public/b')).toEqual([2])
  })

  test('a glob matches whole names, and its other characters stand for themselves', async () => {
    for (const topic of ['mixedx', 'xmixed', 'mixxed', 'Mixed']) {
      const topics = new MemoryTopics()
      topics.row('c', { id: 1 }, { ...B, topic })
      const report = await new PipelineWorld().run(topics, { tables: MIXED })
      expect(stoppedTables(report), topic).toEqual({ 'public.b': 'E_TABLE_OF_ANOTHER_TOPIC' })
    }
    const dotted = new MemoryTopics()
    dotted.row('c', { id: 1 }, { ...B, topic: 'aXc' })
    const report = await new PipelineWorld().run(dotted, { tables: { 'public.b': { topics: ['a.c'] } } })
    expect(Object.keys(stoppedTables(report))).toEqual(['public.b'])
  })

  test.each([
    { name: 'named by its table alone', place: { ...A, topic: 'a' }, tables: {} },
    { name: 'that a glob names', place: A, tables: MIXED },
  ])('unreadable records of a topic $name count for the table that it feeds', async ({ place, tables }) => {
    const topics = new MemoryTopics()
    for (let id = 0; id < 1200; id++) {
      if (id % 10 === 5) topics.raw('{', place)
      else topics.row('c', { id }, place)
    }
    const report = await new PipelineWorld().run(topics, { tables })
    expect(stoppedTables(report)).toEqual({})
    expect(report.tally).toMatchObject({ applied: 1080, deadLetters: 120 })
  })
})

describe('one topic that feeds two tables', () => {
  test('each goes on where it was, whatever the other has passed', async () => {
    const topics = new MemoryTopics()
    for (let id = 0; id < 9; id++) topics.row('c', { id }, id % 3 === 0 ? B : A)
    const world = new PipelineWorld()
    const dies = { rows: 4 }
    const stopsAtEnd = async () => {
      throw new Error('power cut')
    }
    const source = {
      batchRecords: 4,
      beforeBatch: (batch: number) => (batch === 2 ? stopsAtEnd() : undefined),
    }
    await expect(world.run(topics, { tables: MIXED, batch: dies, ...source })).rejects.toThrow('power cut')
    expect(await world.progress('public/a')).toEqual({ 'mixed/0': 6n })
    expect(await world.progress('public/b')).toEqual({})
    const report = await world.run(topics, { tables: MIXED })
    expect(report.tally).toMatchObject({ applied: 5, duplicates: 4 })
    expect(await world.ids('public/a')).toEqual([1, 2, 4, 5, 7, 8])
    expect(await world.ids('public/b')).toEqual([0, 3, 6])
  })

  test('also where only records tell which tables these are', async () => {
    const topics = new MemoryTopics()
    for (let id = 0; id < 9; id++) topics.row('c', { id }, id % 3 === 0 ? B : A)
    const tables = { 'public.a': { topics: ['mixed'] }, '*': { topics: ['mixed'] } }
    const world = new PipelineWorld()
    const beforeBatch = (batch: number) => {
      if (batch === 2) throw new Error('power cut')
    }
    const dying = world.run(topics, { tables, batch: { rows: 4 }, batchRecords: 4, beforeBatch })
    await expect(dying).rejects.toThrow('power cut')
    await world.run(topics, { tables })
    expect(await world.ids('public/a')).toEqual([1, 2, 4, 5, 7, 8])
    expect(await world.ids('public/b')).toEqual([0, 3, 6])
  })

  test('one that stopped does not hold up the other, but holds the mark', async () => {
    const topics = new MemoryTopics()
    for (let id = 0; id < 4; id++) topics.row('c', { id }, id % 2 === 0 ? A : B)
    topics.row('c', { id: 4, x: 1, X: 1 }, B)
    for (let id = 5; id < 9; id++) topics.row('c', { id }, id % 2 === 0 ? A : B)
    const world = new PipelineWorld()
    for (let run = 0; run < 3; run++) {
      const report = await world.run(topics, { tables: MIXED, batch: { rows: 2 } })
      expect(stoppedTables(report)).toEqual({ 'public.b': 'E_COLUMN_NAME' })
      expect(report.tally.parked).toBe(3)
      expect(await world.ids('public/a')).toEqual([0, 2, 6, 8])
      expect(await world.ids('public/b')).toEqual([1, 3])
      expect(await world.mark()).toEqual({ 'mixed/0': 4n })
    }
  })

  test('what was parked lands when the table may go on', async () => {
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 }, A)
    topics.row('c', { id: 2 }, B)
    topics.row('c', { id: 3, added: 'x' }, B)
    topics.row('c', { id: 4 }, A)
    topics.row('c', { id: 5 }, B)
    const tables = { ...MIXED, 'public.b': { ...MIXED['public.b'], schemaChanges: 'stop' as const } }
    const world = new PipelineWorld()
    const first = await world.run(topics, { tables, batch: { rows: 1 } })
    expect(stoppedTables(first)).toEqual({ 'public.b': 'E_SCHEMA_CHANGED' })
    expect(first.tally.parked).toBe(2)
    expect(await world.ids('public/a')).toEqual([1, 4])
    const second = await world.run(topics, { tables: MIXED })
    expect(stoppedTables(second)).toEqual({})
    expect(await world.ids('public/a')).toEqual([1, 4])
    expect(await world.ids('public/b')).toEqual([2, 3, 5])
    expect(await world.mark()).toEqual({ 'mixed/0': 5n })
  })
})

describe('two sources with tables of one name', () => {
  test('are not mixed: the table stops with what it had', async () => {
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 }, { topic: 'one.public.t', source: { name: '"one"' } })
    topics.row('c', { id: 2 }, { topic: 'two.public.t', source: { name: '"two"' } })
    const world = new PipelineWorld()
    const report = await world.run(topics)
    expect(stoppedTables(report)).toEqual({ 'public.t': 'E_TABLE_IDENTITY' })
    expect(await world.ids('public/t')).toEqual([1])
    expect(report.tally).toMatchObject({ applied: 1, parked: 1 })
    expect(stoppedTables(await world.run(topics))).toEqual({ 'public.t': 'E_TABLE_IDENTITY' })
    expect(await world.ids('public/t')).toEqual([1])
  })

  test('two topics of one source feed one table', async () => {
    const topics = new MemoryTopics()
    for (const topic of ['mixed', 'else-1']) topics.row('c', { id: topic.length }, { ...B, topic })
    const world = new PipelineWorld()
    expect(stoppedTables(await world.run(topics, { tables: MIXED }))).toEqual({})
    expect(await world.ids('public/b')).toEqual([5, 6])
  })
})
