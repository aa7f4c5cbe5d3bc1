import { expect, test } from 'vitest'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld } from '../../support/pipeline-world.ts'

const BATCH_BYTES = 1 << 20
const LARGE = 24 * BATCH_BYTES

test('a record that is far larger than a batch is stored whole, in a commit that it does not share with what follows', async () => {
  const world = new PipelineWorld()
  const topics = new MemoryTopics()
  const text = 'silt '.repeat(LARGE / 5)
  topics.row('c', { id: 1, text: 'before' })
  topics.row('c', { id: 2, text })
  topics.row('c', { id: 3, text: 'after' })
  const report = await world.run(topics, { batch: { bytes: BATCH_BYTES }, batchRecords: 1 })
  expect(report.tally).toMatchObject({ applied: 3, deadLetters: 0 })
  expect(await world.ids('public/t')).toEqual([1, 2, 3])
  const stored = (await world.data('public/t')).find(({ id }) => id === 2n)
  expect(stored!['text'] === text).toBe(true)
  expect(world.versions()['public/t']).toBe(1)
})
