import { describe, expect, test } from 'vitest'
import type { Fact } from '../../../core/fact.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, type WorldRun } from '../../support/pipeline-world.ts'

function topicsOfTwoTables(): MemoryTopics {
  const topics = new MemoryTopics()
  for (let id = 0; id < 10; id++) {
    topics.row('c', { id })
    topics.row('c', { id }, { topic: 'shop.public.u', source: { table: '"u"' } })
  }
  topics.row('u', { id: 3 })
  topics.event({ op: '"x"' })
  return topics
}

async function factsOf(options: WorldRun = {}) {
  const world = new PipelineWorld()
  await world.run(topicsOfTwoTables(), { batch: { rows: 4 }, ...options })
  const of = <Kind extends Fact['kind']>(kind: Kind) =>
    world.facts.filter((fact): fact is Extract<Fact, { kind: Kind }> => fact.kind === kind)
  return { world, of }
}

describe.each([0, 2])('what is told of a run with %i threads', (workers) => {
  test('counts each event of a table once, by its operation, when it is durable', async () => {
    const { of } = await factsOf({ workers })
    const sums: Record<string, number> = {}
    for (const { table, operations, events } of of('batch-committed')) {
      expect(Object.values(operations).reduce((a, b) => a + b)).toBe(events)
      for (const [op, count] of Object.entries(operations)) {
        if (count > 0) sums[`${table} ${op}`] = (sums[`${table} ${op}`] ?? 0) + count
      }
    }
    expect(sums).toEqual({ 'public.t c': 10, 'public.t u': 1, 'public.u c': 10 })
  })

  test('says where the time of a batch went, no more than all of it', async () => {
    const { of } = await factsOf({ workers })
    for (const { phases, durationMs, rows, version } of of('batch-committed')) {
      const sum = Object.values(phases).reduce((a, b) => a + b)
      expect(sum).toBeGreaterThanOrEqual(0)
      expect(sum).toBeLessThanOrEqual(durationMs)
      expect(rows.inserted + rows.updated).toBeGreaterThan(0)
      expect(version).not.toBeNull()
    }
  })

  test('names every batch of records that was read', async () => {
    const { of } = await factsOf({ workers, batchRecords: 5 })
    const read = of('batch-read')
    expect(read.reduce((sum, { records }) => sum + records, 0)).toBe(22)
    expect(new Set(read.map(({ topic }) => topic))).toEqual(new Set(['shop.public.t', 'shop.public.u']))
  })
})

test('a table that stops is told once, with its code', async () => {
  const topics = new MemoryTopics()
  topics.row('c', { id: 1 }, { topic: 'shop.public.u', source: { table: '"t"' } })
  topics.row('c', { id: 2 }, { topic: 'shop.public.u', source: { table: '"t"' } })
  const world = new PipelineWorld()
  await world.run(topics)
  expect(world.facts.filter(({ kind }) => kind === 'table-stopped')).toEqual([
    { kind: 'table-stopped', table: 'public.t', code: 'E_TABLE_OF_ANOTHER_TOPIC' },
  ])
})
