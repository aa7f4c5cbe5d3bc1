import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { PutIfAbsentOutcome, ReadOptions, RecordBatch } from '../../../core/ports.ts'
import type { StoreSite } from '../../../core/store-sites.ts'
import { GatedStore } from '../../support/gated-store.ts'
import { MemoryChangeSource, MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'

const LOG = 'public/t/_delta_log/'
const PARTITION = { topic: 'shop.public.t', partition: 0 }

function sixRows(): MemoryTopics {
  const topics = new MemoryTopics()
  for (let id = 0; id < 6; id++) topics.row('c', { id })
  return topics
}

/** Log entries of the table arrive at once; that they did is told when `answer` is called. */
class LateAnswers extends GatedStore {
  answer!: () => void
  readonly #answered = new Promise<void>((resolve) => {
    this.answer = resolve
  })

  override async putIfAbsent(site: StoreSite, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    const outcome = await super.putIfAbsent(site, path, bytes)
    if (path.startsWith(LOG)) await this.#answered
    return outcome
  }
}

/** Hands out all records, and gives their partition away while the first of them are being committed. */
class LeavingSource extends MemoryChangeSource {
  hasLeft = false
  readonly #meanwhile: () => Promise<void>

  constructor(topics: MemoryTopics, meanwhile: () => Promise<void>) {
    super(topics, { batchRecords: 4 })
    this.#meanwhile = meanwhile
  }

  override async *read(options: ReadOptions): AsyncGenerator<RecordBatch | null> {
    yield* super.read(options)
    const left = options.onRevoked([PARTITION]).then(() => {
      this.hasLeft = true
    })
    await this.#meanwhile()
    await left
    yield null
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

describe('a partition that goes while a commit of it is under way', () => {
  test('between its arrival and its answer: the next owner goes on behind it, and we ack nothing', async () => {
    const world = new PipelineWorld()
    const store = new LateAnswers(world.store)
    const source = new LeavingSource(sixRows(), async () => {
      await turns(50)
      expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 4n })
      expect(source.hasLeft).toBe(false)
      world.clock.advance(2000)
      const next = await world.run(sixRows())
      expect(next.tally).toMatchObject({ applied: 2 })
      store.answer()
    })
    const report = await world.run(sixRows(), { source, store, batch: { rows: 4 } })
    expect(report.tally).toMatchObject({ applied: 4, parked: 2 })
    expect(stoppedTables(report)).toEqual({})
    expect(source.acks.flat()).toEqual([])
    expect(world.versions()['public/t']).toBe(1)
    expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5])
    expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 6n })
  })

  test('before its arrival: the next owner is first, ours is refused, and nothing of it is seen', async () => {
    const world = new PipelineWorld()
    const store = new GatedStore(world.store)
    store.close(LOG)
    const source = new LeavingSource(sixRows(), async () => {
      await turns(50)
      expect(store.inFlight).toEqual([`${LOG}00000000000000000000.json`])
      expect(source.hasLeft).toBe(false)
      world.clock.advance(2000)
      await world.run(sixRows())
      store.close()
    })
    const report = await world.run(sixRows(), { source, store, batch: { rows: 4 } })
    expect(world.logged.map(({ fields }) => fields['code'])).toContain('E_FENCED')
    expect(report.tally).toMatchObject({ applied: 0, parked: 6 })
    expect(source.acks.flat()).toEqual([])
    expect(world.versions()['public/t']).toBe(0)
    expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5])
    expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 6n })
  })
})
