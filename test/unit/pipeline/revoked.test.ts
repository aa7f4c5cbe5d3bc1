import { expect, test } from 'vitest'
import type { ReadOptions, RecordBatch } from '../../../core/ports.ts'
import { MemoryChangeSource, MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'

const PARTITION = { topic: 'shop.public.t', partition: 0 }

/** Hands out the first records of the topic, then gives its partition away, and gets it back when `returns`. */
class RevokingSource extends MemoryChangeSource {
  readonly startedAt: (bigint | null)[] = []
  readonly #topics: MemoryTopics
  readonly #returns: boolean
  /** Whether we hear of it only after we have gone on. */
  readonly #isLate: boolean
  readonly #meanwhile: () => Promise<void>

  constructor(
    topics: MemoryTopics,
    { returns = true, isLate = false },
    meanwhile: () => Promise<void> = async () => {},
  ) {
    super(topics)
    this.#topics = topics
    this.#returns = returns
    this.#isLate = isLate
    this.#meanwhile = meanwhile
  }

  override async *read({ startAt, onRevoked }: ReadOptions): AsyncGenerator<RecordBatch | null> {
    const [range] = await this.partitions()
    const records = this.#topics.partitions.get('shop.public.t/0')!
    const batchOf = (from: bigint, to: bigint) => ({
      ...PARTITION,
      records: records.filter(({ offset }) => offset >= from && offset < to),
      nextOffset: to,
      sizeBytes: 1,
    })
    this.startedAt.push(await startAt(range!))
    yield batchOf(0n, 4n)
    await this.#meanwhile()
    if (this.#isLate) yield batchOf(4n, 6n)
    await onRevoked([PARTITION])
    yield null
    if (!this.#returns) return
    const again = await startAt(range!)
    this.startedAt.push(again)
    yield batchOf(again!, 6n)
  }
}

function sixRows(): MemoryTopics {
  const topics = new MemoryTopics()
  for (let id = 0; id < 6; id++) topics.row('c', { id })
  return topics
}

test('what a table holds of partitions that another member has now is neither written nor acked', async () => {
  const world = new PipelineWorld()
  const topics = sixRows()
  const source = new RevokingSource(topics, { returns: false })
  const report = await world.run(topics, { source })
  expect(report.tally).toMatchObject({ applied: 0, parked: 4 })
  expect(await world.ids('public/t')).toEqual([])
  expect(await world.mark()).toEqual({})
  expect(source.acks.flat()).toEqual([])
})

test('partitions that come back are read from where the other member left their tables', async () => {
  const world = new PipelineWorld()
  const topics = sixRows()
  const others = new MemoryTopics()
  for (let id = 0; id < 2; id++) others.row('c', { id })
  const source = new RevokingSource(topics, {}, async () => {
    world.clock.advance(2000)
    await world.run(others)
  })
  const report = await world.run(topics, { source })
  expect(stoppedTables(report)).toEqual({})
  expect(source.startedAt).toEqual([0n, 1n])
  expect(report.tally).toMatchObject({ applied: 4, parked: 4 })
  expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5])
  expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 6n })
})

test('a table that the other member has written to already is not stopped for it', async () => {
  const world = new PipelineWorld()
  const topics = sixRows()
  const source = new RevokingSource(topics, { isLate: true }, async () => {
    world.clock.advance(2000)
    await world.run(topics)
  })
  // Every record fills a batch: the next one that we commit is fenced.
  const report = await world.run(topics, { source, batch: { rows: 1 } })
  expect(world.logged.map(({ fields }) => fields['code'])).toContain('E_FENCED')
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5])
})
