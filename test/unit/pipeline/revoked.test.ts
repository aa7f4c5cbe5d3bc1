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

function codes(world: PipelineWorld): unknown[] {
  return world.logged.map(({ fields }) => fields['code'])
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
  expect(codes(world)).toContain('E_FENCED')
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5])
})

/** Hands out all there is; somebody else is at work between the first records and the last. */
class DisturbedSource extends MemoryChangeSource {
  readonly #topics: MemoryTopics
  readonly #steps: readonly (() => Promise<void>)[]

  constructor(topics: MemoryTopics, steps: readonly (() => Promise<void>)[]) {
    super(topics)
    this.#topics = topics
    this.#steps = steps
  }

  override async *read({ startAt }: ReadOptions): AsyncGenerator<RecordBatch | null> {
    const [range] = await this.partitions()
    await startAt(range!)
    const records = this.#topics.partitions.get('shop.public.t/0')!
    for (const [i, record] of records.entries()) {
      yield { ...PARTITION, records: [record], nextOffset: record.offset + 1n, sizeBytes: 1 }
      await this.#steps[i]?.()
      for (let turn = 0; turn < 20; turn++) yield null
    }
  }
}

test('a commit that the former owner had under way is gone on from, with nothing lost or twice', async () => {
  const world = new PipelineWorld()
  const others = new MemoryTopics()
  for (let id = 0; id < 2; id++) others.row('c', { id })
  const source = new DisturbedSource(sixRows(), [() => world.run(others).then(() => {})])
  const report = await world.run(sixRows(), { source, batch: { rows: 3 } })
  expect(codes(world)).toContain('E_FENCED')
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5])
  expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 6n })
})

/** Somebody else takes in the first `count` records of the topic. */
function upTo(world: PipelineWorld, count: number): () => Promise<void> {
  const others = new MemoryTopics()
  for (let id = 0; id < count; id++) others.row('c', { id })
  return () => world.run(others).then(() => {})
}

test('a former owner that is not told for some commits is gone on from again and again', async () => {
  const world = new PipelineWorld()
  const steps = [1, 2, 3, 4, 5].map((count) => upTo(world, count))
  const source = new DisturbedSource(sixRows(), steps)
  const report = await world.run(sixRows(), { source, batch: { rows: 2 } })
  expect(codes(world).filter((code) => code === 'E_FENCED').length).toBeGreaterThan(1)
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5])
})

test('a writer that never ends to commit under our assignment is a stranger, and stops the table', async () => {
  const world = new PipelineWorld()
  const rows = Array.from({ length: 30 }, (_, id) => id)
  const topics = new MemoryTopics()
  for (const id of rows) topics.row('c', { id })
  const source = new DisturbedSource(
    topics,
    rows.map((id) => upTo(world, id + 1)),
  )
  const report = await world.run(topics, { source, batch: { rows: 2 } })
  expect(codes(world).filter((code) => code === 'E_FENCED').length).toBeGreaterThan(5)
  expect(stoppedTables(report)).toEqual({ 'public.t': 'E_FENCED' })
})

/** A member that sleeps while another one does `meanwhile` in its place, and hears of it only after some time awake. */
class SleepySource extends MemoryChangeSource {
  readonly #topics: MemoryTopics
  readonly #meanwhile: () => Promise<void>
  readonly #beforeItHears: () => Promise<void>
  /** It ends and hears nothing any more. */
  readonly #told: AbortSignal | null
  #isCountedIn = true

  constructor(
    topics: MemoryTopics,
    meanwhile: () => Promise<void>,
    beforeItHears: () => Promise<void>,
    told: AbortSignal | null = null,
  ) {
    super(topics)
    this.#told = told
    this.#topics = topics
    this.#meanwhile = meanwhile
    this.#beforeItHears = beforeItHears
  }

  override async stillHolds(): Promise<boolean> {
    return this.#isCountedIn
  }

  override async *read({ startAt, onRevoked }: ReadOptions): AsyncGenerator<RecordBatch | null> {
    const [range] = await this.partitions()
    const records = this.#topics.partitions.get('shop.public.t/0')!
    const batchesFrom = (from: bigint) =>
      records
        .filter(({ offset }) => offset >= from)
        .map((record) => ({ ...PARTITION, records: [record], nextOffset: record.offset + 1n, sizeBytes: 1 }))
    await startAt(range!)
    for (const batch of batchesFrom(0n)) {
      yield batch
      if (batch.nextOffset !== 3n) continue
      this.#isCountedIn = false
      await this.#meanwhile()
    }
    for (let turn = 0; turn < 40; turn++) yield null
    await this.#beforeItHears()
    if (this.#told?.aborted === true) return
    await onRevoked([PARTITION])
    this.#isCountedIn = true
    yield* batchesFrom((await startAt(range!))!)
  }
}

test('a member that was counted out in its sleep writes nothing more before its tables are given to it anew', async () => {
  const world = new PipelineWorld()
  const others = new MemoryTopics()
  for (let id = 0; id < 5; id++) others.row('c', { id })
  const seen: unknown[] = []
  const source = new SleepySource(
    sixRows(),
    () => world.run(others).then(() => {}),
    async () => void seen.push(await world.progress('public/t')),
  )
  const report = await world.run(sixRows(), { source, batch: { rows: 1 } })
  expect(codes(world)).toContain('E_FENCED')
  expect(seen).toEqual([{ 'shop.public.t/0': 5n }])
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5])
  expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 6n })
})

test('a member that is told to end before it hears whose a table is now ends well: nothing stopped it', async () => {
  const world = new PipelineWorld()
  const told = new AbortController()
  const source = new SleepySource(sixRows(), upTo(world, 5), async () => told.abort(), told.signal)
  const report = await world.run(sixRows(), { source, batch: { rows: 1 }, signal: told.signal })
  expect(codes(world)).toContain('E_FENCED')
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4])
  expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 5n })
})
