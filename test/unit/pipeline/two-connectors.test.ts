import { describe, expect, test } from 'vitest'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, tableOf } from '../../support/pipeline-world.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

/** What one connector sends: inserts, updates and deletes of a few keys. */
function connector(): MemoryTopics {
  const topics = new MemoryTopics()
  for (const id of [1, 2, 3]) topics.row('c', { id, v: 'new' })
  topics.row('u', { id: 1, v: 'changed' })
  topics.delete(2)
  topics.row('c', { id: 4, v: 'new' })
  topics.row('c', { id: 2, v: 'again' })
  topics.delete(4)
  topics.row('u', { id: 3, v: 'changed' })
  return topics
}

/** Two connectors on two slots of one database write the same changes to one topic, each in order. */
function bothOf(seed: number): MemoryTopics {
  const random = new SeededRandom(seed)
  const records = [...connector().partitions.values()].flat()
  const topics = new MemoryTopics()
  let [first, second] = [0, 0]
  while (first < records.length || second < records.length) {
    const takesFirst = second === records.length || (first < records.length && random.below(2) === 0)
    topics.append(records[takesFirst ? first++ : second++]!, {})
  }
  return topics
}

describe('a database that two connectors read into one topic', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('has every change once (order %i)', async (seed) => {
    const alone = new PipelineWorld()
    await alone.run(connector())
    for (const rows of [1, 4, 1000]) {
      const world = new PipelineWorld()
      const report = await world.run(bothOf(seed), { batch: { rows } })
      expect(await world.data('public/t'), `batches of ${rows}`).toEqual(await alone.data('public/t'))
      expect(report.records).toBe(18)
      const { inserts, deletes } = tableOf(report, 'public.t')
      expect(inserts - deletes).toBe(3)
    }
  })
})
