import { expect, test } from 'vitest'
import type { PartitionRange } from '../../../core/ports.ts'
import { MemoryChangeSource, MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'

/** A broker that was asked for its ranges before somebody else read the last records of the topic. */
class SlowlyAskedSource extends MemoryChangeSource {
  asked = 0

  override async partitions(): Promise<readonly PartitionRange[]> {
    const ranges = await super.partitions()
    return this.asked++ > 0 ? ranges : ranges.map((range) => ({ ...range, endOffset: 4n }))
  }
}

// Found by the simulation, seed 29: a process that was paused between the question and its use.
test('a table that others wrote on since the range was asked for is no topic that got shorter', async () => {
  const world = new PipelineWorld()
  const topics = new MemoryTopics()
  for (let id = 0; id < 10; id++) topics.row('c', { id })
  await world.run(topics)
  topics.row('c', { id: 10 })
  const report = await world.run(topics, { source: new SlowlyAskedSource(topics) })
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toHaveLength(11)
})

// Found by the simulation, seed 89: who had the partition before was in the middle of a commit.
test('a table that others wrote on between the start and its first record is none either', async () => {
  const world = new PipelineWorld()
  const topics = new MemoryTopics()
  for (let id = 0; id < 4; id++) topics.row('c', { id })
  await world.run(topics)
  for (let id = 4; id < 6; id++) topics.row('c', { id })
  const beforeBatch = async (batch: number) => {
    if (batch > 0) return
    for (let id = 6; id < 10; id++) topics.row('c', { id })
    await world.run(topics)
  }
  const report = await world.run(topics, { beforeBatch })
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toHaveLength(10)
})
