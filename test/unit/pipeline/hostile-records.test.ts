import { describe, expect, test } from 'vitest'
import type { RawRecord } from '../../../core/ports.ts'
import type { Cell } from '../../../schemas/delta-types.ts'
import type { RunReport } from '../../../src/pipeline/pipeline.ts'
import { type Fate, HOSTILE_NAMES, HOSTILE_RECORDS } from '../../support/hostile-records.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables, tableOf } from '../../support/pipeline-world.ts'

const SIBLING = { topic: 'shop.public.sibling' }

/** Paths that a run may touch: those of tables, and our own. */
const INSIDE =
  /^(?:(?:[A-Za-z0-9~-][A-Za-z0-9~_.-]*\/[A-Za-z0-9~-][A-Za-z0-9~_.-]*|_dlq|_alluvium\/default)\/)(?:_delta_log\/|_change_data\/|processes\/|requests\/)?[A-Za-z0-9._-]*$/

function expectInside(world: PipelineWorld): void {
  for (const call of world.store.calls) {
    const path = call.slice(call.indexOf(' ') + 1)
    expect(path).toMatch(INSIDE)
    expect(path.split('/')).not.toContain('..')
  }
}

describe.each(HOSTILE_RECORDS)('$name', ({ fate, send }) => {
  test.each([1, 1000])('lands where it should, and what follows lands too (batches of %i)', async (rows) => {
    const topics = new MemoryTopics()
    topics.row('c', { id: 1, v: 'before' })
    const hostile = sentBy(topics, send)
    topics.row('c', { id: 2, v: 'after' })
    topics.row('c', { id: 3, v: 'beside' }, SIBLING)
    const world = new PipelineWorld()
    const report = await world.run(topics, { batch: { rows } })

    expect(report.records).toBe(4)
    expect(await world.ids('public/sibling')).toEqual([3])
    expectInside(world)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    await expectFate(fate, hostile, report, world, rows)
  })
})

async function expectFate(
  fate: Fate,
  hostile: RawRecord,
  report: RunReport,
  world: PipelineWorld,
  rows: number,
): Promise<void> {
  const letters = await world.letters()
  if ('letter' in fate) {
    const { topic, partition, offset } = hostile
    expect(letters.map(({ reason }) => reason)).toEqual([fate.letter])
    expect(letters).toMatchObject([{ topic, partition, offset }])
    // Not by `toEqual`: it takes seconds to show how two megabytes differ.
    expect(isSameBytes(letters[0]!['value'], hostile.value)).toBe(true)
    expect(isSameBytes(letters[0]!['key'], hostile.key)).toBe(true)
    expect(report.tally).toMatchObject({ applied: 3, deadLetters: 1 })
    expect(await world.ids('public/t')).toEqual([1, 2])
    return
  }
  expect(letters).toEqual([])
  if ('stops' in fate) {
    expect(stoppedTables(report)).toEqual({ 'public.t': fate.stops })
    const applied = rows === 1 ? 2 : 1
    expect(report.tally).toMatchObject({ applied, parked: 4 - applied })
    return
  }
  expect(stoppedTables(report)).toEqual({})
  if ('counted' in fate) {
    expect(report.tally[fate.counted]).toBe(fate.counted === 'applied' ? 4 : 1)
    expect(await world.ids('public/t')).toEqual([1, 2])
    return
  }
  expect(await world.ids('public/t')).toEqual([1, 2, 66])
  const stored = (await world.rows('public/t')).find((row) => row['id'] === 66n)!
  for (const [name, cell] of Object.entries(fate.stored)) {
    expect(Object.hasOwn(stored, name), name).toBe(true)
    expect(stored[name]).toEqual(cell)
  }
}

describe('a table named like a path', () => {
  test.each(HOSTILE_NAMES)('%j on a topic of its own lies inside the lake', async (name) => {
    const topics = new MemoryTopics()
    const topic = `shop.public.${name.replace(/[^A-Za-z0-9._-]/g, '_')}`
    topics.row('c', { id: 1 }, { topic, source: { schema: '"public"', table: JSON.stringify(name) } })
    topics.row('c', { id: 2 }, SIBLING)
    const world = new PipelineWorld()
    const report = await world.run(topics)
    expect(stoppedTables(report)).toEqual({})
    expectInside(world)
    const { path } = tableOf(report, `public.${name}`)
    expect(await world.ids(path!)).toEqual([1])
    expect(path!.split('/')).toHaveLength(2)
    const again = await world.run(topics)
    expect(again.records).toBe(0)
  })

  test.each(HOSTILE_NAMES)('the schema %j lies inside the lake', async (name) => {
    const topics = new MemoryTopics()
    const topic = `shop.${name.replace(/[^A-Za-z0-9._-]/g, '_')}.t`
    topics.row('c', { id: 1 }, { topic, source: { schema: JSON.stringify(name), table: '"t"' } })
    const world = new PipelineWorld()
    const { path } = tableOf(await world.run(topics), `${name}.t`)
    expect(path).toMatch(/^[A-Za-z0-9~-][A-Za-z0-9~_.-]*\/t$/)
    expect(path).not.toContain('..')
    expect(await world.ids(path!)).toEqual([1])
  })

  test.each(HOSTILE_NAMES)('%j on the topic of another table makes no table', async (name) => {
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 })
    topics.row('c', { id: 66 }, { source: { table: JSON.stringify(name) } })
    topics.row('c', { id: 2 })
    const world = new PipelineWorld()
    const report = await world.run(topics)
    expect(stoppedTables(report)).toEqual({ [`public.${name}`]: 'E_TABLE_OF_ANOTHER_TOPIC' })
    expect(Object.keys(world.versions())).toEqual(['_alluvium/default', 'public/t'])
    expect(await world.ids('public/t')).toEqual([1, 2])
    expectInside(world)
  })

  test.each([230, 5000])('of %i characters stops, and its siblings go on', async (length) => {
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 }, { topic: `shop.public.${'x'.repeat(length)}` })
    topics.row('c', { id: 2 }, SIBLING)
    const world = new PipelineWorld()
    const report = await world.run(topics)
    expect(Object.values(stoppedTables(report))).toEqual(['E_TABLE_PATH'])
    expect(report.tally).toMatchObject({ applied: 1, parked: 1 })
    expect(await world.ids('public/sibling')).toEqual([2])
    expectInside(world)
  })
})

function sentBy(topics: MemoryTopics, send: (topics: MemoryTopics) => unknown): RawRecord {
  send(topics)
  return topics.partitions.get('shop.public.t/0')!.at(-1)!
}

function isSameBytes(cell: Cell | undefined, bytes: Uint8Array | null): boolean {
  if (bytes === null) return cell === null
  return cell instanceof Uint8Array && Buffer.compare(cell, bytes) === 0
}
