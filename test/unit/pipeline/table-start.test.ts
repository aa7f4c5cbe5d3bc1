import { describe, expect, test } from 'vitest'
import type { TableConfig } from '../../../src/config/config.ts'
import { TablePatterns } from '../../../src/pipeline/table-patterns.ts'
import { DyingStore } from '../../support/dying-store.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'

const A = { topic: 'mixed', source: { schema: '"public"', table: '"a"' } }
const B = { topic: 'mixed', source: { schema: '"public"', table: '"b"' } }
const TOPICS = { topics: ['mixed'] }

/** Both tables are fed by one topic; `b` as given. */
function tables(b: Partial<TableConfig>) {
  return { tables: { 'public.a': TOPICS, 'public.b': { ...TOPICS, ...b } } }
}

const SKIPPED = tables({ skip: true })

function both(topics: MemoryTopics, first: number, last: number, partition = 0): MemoryTopics {
  for (let id = first; id < last; id++) {
    topics.row('c', { id }, { ...A, partition })
    topics.row('c', { id }, { ...B, partition })
  }
  return topics
}

async function patterns(world: PipelineWorld): Promise<unknown> {
  const snapshot = await world.snapshot('_alluvium/default')
  return JSON.parse(snapshot!.metadata.configuration['alluvium.tables']!)
}

describe('a table that is skipped', () => {
  test('is read past: its records are ignored, and the mark remembers for which tables it holds', async () => {
    const world = new PipelineWorld()
    const topics = both(new MemoryTopics(), 0, 3)
    topics.raw('{ a letter of it', B)
    const report = await world.run(topics, SKIPPED)
    expect(report.tally).toMatchObject({ applied: 3, ignored: 4, deadLetters: 0 })
    expect(Object.keys(world.versions())).toEqual(['_alluvium/default', 'public/a'])
    expect(await world.mark()).toEqual({ 'mixed/0': 7n })
    expect(await patterns(world)).toEqual(['*', '!public.b'])
  })

  test('may be all but those that are named', async () => {
    const world = new PipelineWorld()
    const only = { tables: { '*': { skip: true }, 'public.a': { ...TOPICS, skip: false } } }
    await world.run(both(new MemoryTopics(), 0, 3), only)
    expect(Object.keys(world.versions())).toEqual(['_alluvium/default', 'public/a'])
    expect(await patterns(world)).toEqual(['public.a'])
  })
})

describe('a table whose records were skipped until now', () => {
  async function skippedTen() {
    const world = new PipelineWorld()
    const topics = both(new MemoryTopics(), 0, 10)
    await world.run(topics, SKIPPED)
    both(topics, 10, 14)
    return { world, topics }
  }

  test('is refused until somebody says where it begins, also after a restart', async () => {
    const { world, topics } = await skippedTen()
    for (let run = 0; run < 2; run++) {
      const report = await world.run(topics, tables({}))
      expect(stoppedTables(report)).toEqual({ 'public.b': 'E_START_UNNAMED' })
      expect(report.tables.find(({ name }) => name === 'public.b')!.stopped!.message).toMatch(
        /tables\.public\.b\.start: earliest .* mark \(offset \d+\) or latest/,
      )
      expect(await world.ids('public/b')).toEqual([])
      expect(await patterns(world)).toEqual(['*', '!public.b'])
    }
    expect(await world.ids('public/a')).toHaveLength(14)
    expect((await world.mark())['mixed/0']).toBe(21n)
  })

  test.each([
    { start: 'earliest' as const, ids: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13] },
    { start: 'mark' as const, ids: [10, 11, 12, 13] },
    { start: 'latest' as const, ids: [] },
  ])('begins at $start when told so, and needs not be told again', async ({ start, ids }) => {
    const { world, topics } = await skippedTen()
    const report = await world.run(topics, { ...tables({ start }), batch: { rows: 3 }, batchRecords: 5 })
    expect(stoppedTables(report)).toEqual({})
    expect(await world.ids('public/b')).toEqual(ids)
    expect(await world.ids('public/a')).toHaveLength(14)
    expect(await patterns(world)).toEqual(['*'])
    both(topics, 14, 16)
    expect(stoppedTables(await world.run(topics, tables({})))).toEqual({})
    expect(await world.ids('public/b')).toEqual([...ids, 14, 15])
  })

  test('begins there also when its process dies on the way', async () => {
    for (let at = 1; at < 40; at++) {
      const { world, topics } = await skippedTen()
      const store = new DyingStore(world.store, at, 'fails after')
      const options = { ...tables({ start: 'earliest' }), batch: { rows: 3 }, batchRecords: 5 }
      const dying = world.run(topics, { ...options, store }).catch(() => {})
      await dying
      await world.run(topics, options)
      expect(await world.ids('public/b'), `death at change ${at}`).toHaveLength(14)
      expect(await patterns(world)).toEqual(['*'])
      if (!store.isDead) return
    }
  })

  test('goes on where its own log stands when it was skipped for a while', async () => {
    const world = new PipelineWorld()
    const topics = both(new MemoryTopics(), 0, 4)
    await world.run(topics, tables({}))
    both(topics, 4, 8)
    await world.run(topics, SKIPPED)
    expect(await world.ids('public/b')).toHaveLength(4)
    both(topics, 8, 10)
    const report = await world.run(topics, tables({}))
    expect(stoppedTables(report)).toEqual({})
    expect(await world.ids('public/b')).toEqual([...Array(10).keys()])
    expect(await patterns(world)).toEqual(['*'])
  })

  test('does not go on over records that are gone', async () => {
    const world = new PipelineWorld()
    const topics = both(new MemoryTopics(), 0, 4)
    await world.run(topics, tables({}))
    both(topics, 4, 8)
    await world.run(topics, SKIPPED)
    topics.cutBefore(12n, A)
    const report = await world.run(topics, tables({}))
    expect(stoppedTables(report)).toEqual({ 'public.b': 'E_OFFSET_GAP' })
    expect(await world.ids('public/b')).toEqual([0, 1, 2, 3])
  })

  test('takes all partitions from their beginning, and each record once', async () => {
    const world = new PipelineWorld()
    const topics = both(both(new MemoryTopics(), 0, 6), 6, 12, 1)
    await world.run(topics, SKIPPED)
    both(both(topics, 12, 14), 14, 16, 1)
    const report = await world.run(topics, {
      ...tables({ start: 'earliest' }),
      batch: { rows: 4 },
      batchRecords: 3,
    })
    expect(await world.ids('public/b')).toEqual([...Array(16).keys()])
    expect(report.tally).toMatchObject({ parked: 0, duplicates: 0, applied: 4 + 16 })
    expect(await world.progress('public/b')).toEqual({ 'mixed/0': 16n, 'mixed/1': 16n })
  })

  test('that only its first record shows begins where `start` of all tables says', async () => {
    const world = new PipelineWorld()
    const template = { tablePath: '{sourceName}/{schema}/{table}' }
    const topics = both(new MemoryTopics(), 0, 4)
    const only = { tables: { '*': { ...TOPICS, skip: true }, 'public.a': { ...TOPICS, skip: false } } }
    await world.run(topics, { ...template, ...only })
    both(topics, 4, 6)
    const all = { tables: { '*': { ...TOPICS, start: 'earliest' as const } } }
    const report = await world.run(topics, { ...template, ...all })
    expect(stoppedTables(report)).toEqual({})
    expect(await world.ids('shop/public/b')).toEqual([0, 1, 2, 3, 4, 5])
    expect(await world.ids('shop/public/a')).toEqual([0, 1, 2, 3, 4, 5])
    expect(await patterns(world)).toEqual(['public.a', 'public.b'])
  })
})

test('a table of a topic that nobody has read begins at its beginning, whatever `start` says', async () => {
  const world = new PipelineWorld()
  const topics = both(new MemoryTopics(), 0, 3)
  await world.run(topics, tables({ start: 'latest' }))
  expect(await world.ids('public/b')).toEqual([0, 1, 2])
})

test('a table that had no record until the mark begins at it', async () => {
  const world = new PipelineWorld()
  const topics = new MemoryTopics()
  topics.row('c', { id: 0 }, A)
  await world.run(topics, tables({}))
  both(topics, 1, 3)
  await world.run(topics, tables({ start: 'latest' }))
  expect(await world.ids('public/b')).toEqual([1, 2])
})

describe('the tables of a mark', () => {
  const listed = (...patterns: string[]) => TablePatterns.of(patterns)

  test.each([
    [['*'], ['*'], ['*']],
    [
      ['*', '!a'],
      ['*', '!b'],
      ['*', '!a', '!b'],
    ],
    [['*', '!a'], ['a', 'b'], ['b']],
    [['a', 'b'], ['*', '!a'], ['b']],
    [['a', 'b'], ['b', 'c'], ['b']],
  ])('that both %j and %j cover are %j', (one, other, expected) => {
    expect(
      listed(...one)
        .and(listed(...other))
        .list(),
    ).toEqual(expected)
  })

  test('take one more', () => {
    expect(listed('*', '!a', '!b').with('a').list()).toEqual(['*', '!b'])
    expect(listed('a').with('b').list()).toEqual(['a', 'b'])
    expect(listed('*').with('b').list()).toEqual(['*'])
  })
})
