import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ObjectInfo } from '../../../core/ports.ts'
import type { StoreSite } from '../../../core/store-sites.ts'
import { GatedStore } from '../../support/gated-store.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld } from '../../support/pipeline-world.ts'

const MARK_EVERY_MS = 30_000

/** Takes its time to list requests: flushes come to their end meanwhile. */
class SlowRequests extends GatedStore {
  override async list(site: StoreSite, ...rest: [string, string?, number?]): Promise<readonly ObjectInfo[]> {
    if (site === 'request.list') for (let i = 0; i < 50; i++) await turn()
    return super.list(site, ...rest)
  }
}

test('the mark does not pass what a flush lost that ends the run', async () => {
  const world = new PipelineWorld()
  const topics = new MemoryTopics()
  for (let id = 0; id < 4; id++) topics.row('c', { id })
  world.store.before = (operation, _, path) => {
    if (operation === 'put' && path.startsWith('public/t/')) throw new Error('our own bug')
  }
  const store = new SlowRequests(world.store)
  const beforeBatch = () => world.clock.advance(MARK_EVERY_MS)
  const run = world.run(topics, { store, beforeBatch, batch: { rows: 1 }, batchRecords: 1 })
  await expect(run).rejects.toThrow('our own bug')
  world.store.before = () => {}
  expect(await world.mark()).toEqual({})
  await world.run(topics)
  expect(await world.ids('public/t')).toEqual([0, 1, 2, 3])
})
