import { expect, test } from 'vitest'
import type { ObjectStore, PartitionRange } from '../../../core/ports.ts'
import { GatedStore } from '../../support/gated-store.ts'
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

/** Something happens before the log of a table is looked at for the first time. */
class InterruptedStore extends GatedStore {
  readonly #path: string
  #interrupt: (() => Promise<void>) | null

  constructor(store: ObjectStore, path: string, interrupt: () => Promise<void>) {
    super(store)
    this.#path = path
    this.#interrupt = interrupt
  }

  override async list(...args: Parameters<ObjectStore['list']>): ReturnType<ObjectStore['list']> {
    if (args[1].startsWith(this.#path)) {
      const interrupt = this.#interrupt
      this.#interrupt = null
      await interrupt?.()
    }
    return super.list(...args)
  }
}

// Found by the simulation, seed 113831: a look at the second table's log took 20 s.
test('a table that others wrote on since its log was read, and retention followed them, has no gap', async () => {
  const tables = { 'public.a': { topics: ['mixed'] }, 'public.b': { topics: ['mixed'] } }
  const [a, b] = ['"a"', '"b"'].map((table) => ({ topic: 'mixed', source: { schema: '"public"', table } }))
  const world = new PipelineWorld()
  const topics = new MemoryTopics()
  const grow = (from: number, to: number): void => {
    for (let id = from; id < to; id++) for (const place of [a!, b!]) topics.row('c', { id }, place)
  }
  grow(0, 3)
  await world.run(topics, { tables })
  grow(3, 4)
  const store = new InterruptedStore(world.store, 'public/b/_delta_log', async () => {
    grow(4, 8)
    await world.run(topics, { tables })
    topics.cutBefore(14n, a!)
  })
  const report = await world.run(topics, { tables, store })
  expect(stoppedTables(report)).toEqual({})
  for (const path of ['public/a', 'public/b']) expect(await world.ids(path)).toHaveLength(8)
})
