import { expect, test } from 'vitest'
import type { PartitionRange } from '../../../core/ports.ts'
import { MemoryChangeSource, MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'

/** One member of a group: some partitions of the topics, all of which the others have too. */
class MemberSource extends MemoryChangeSource {
  readonly #partition: number

  constructor(topics: MemoryTopics, partition: number) {
    const own = new MemoryTopics()
    for (const [name, records] of topics.partitions) {
      if (name.endsWith(`/${partition}`)) own.partitions.set(name, records)
    }
    super(own, { batchRecords: 1 })
    this.#partition = partition
  }

  override async partitions(): Promise<readonly PartitionRange[]> {
    return (await super.partitions()).filter(({ partition }) => partition === this.#partition)
  }
}

const SPREAD = { 'public.t': { spread: 'partitions' } } as const

function bothAtOnce(world: PipelineWorld, topics: MemoryTopics) {
  const members = [0, 1].map((partition) =>
    world.run(topics, { source: new MemberSource(topics, partition), batch: { rows: 2 }, tables: SPREAD }),
  )
  return Promise.all(members)
}

test('two writers of one table, each with its own partitions, lose nothing and do nothing twice', async () => {
  const world = new PipelineWorld()
  const topics = new MemoryTopics()
  for (let id = 0; id < 20; id++) topics.row('c', { id, v: 0 }, { partition: id % 2 })
  for (let id = 0; id < 20; id++) topics.row('u', { id, v: 1 }, { partition: id % 2 })
  for (let id = 0; id < 6; id++) topics.delete(id, { partition: id % 2 })
  const reports = await bothAtOnce(world, topics)
  for (const report of reports) expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toEqual(Array.from({ length: 14 }, (_, i) => i + 6))
  expect(new Set((await world.data('public/t')).map((row) => Number(row['v'])))).toEqual(new Set([1]))
  expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 23n, 'shop.public.t/1': 23n })
  const again = await bothAtOnce(world, topics)
  expect(again.map(({ tally }) => tally.applied)).toEqual([0, 0])
})

test('what one writer truncates is truncated for the other', async () => {
  const world = new PipelineWorld()
  const first = new MemoryTopics()
  for (let id = 0; id < 4; id++) first.row('c', { id }, { partition: id % 2 })
  await bothAtOnce(world, first)
  // The other partition has events from before the truncate that are read after it.
  for (let id = 4; id < 6; id++) first.row('c', { id }, { partition: 1 })
  const at = (lsn: number) => ({
    source: { lsn: String(lsn), sequence: JSON.stringify(`["${lsn}","${lsn}"]`) },
  })
  first.truncate({ partition: 0, ...at(5000) })
  first.row('c', { id: 9 }, { partition: 0, ...at(6000) })
  await bothAtOnce(world, first)
  expect(await world.ids('public/t')).toEqual([9])
})
