import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { GatedStore } from '../../support/gated-store.ts'
import { PipelineWorld } from '../../support/pipeline-world.ts'
import { turns, twoTables } from '../../support/two-tables.ts'

test('a run that is told to end leaves what the store does not take in time, and nothing is lost', async () => {
  const world = new PipelineWorld()
  const store = new GatedStore(world.store)
  store.close('public/slow/')
  const stop = new AbortController()
  const topics = twoTables(5)
  const run = world.run(topics, { store, batch: { rows: 2 }, signal: stop.signal })
  await turns(50)
  const toldMs = world.clock.ranMs
  stop.abort()
  const report = await run
  expect(world.clock.ranMs - toldMs).toBe(30_000)
  expect(report.tally).toMatchObject({ applied: 5, parked: 5 })
  expect(world.logged.map(({ message }) => message)).toEqual([
    expect.stringMatching(/took too long at the end/),
  ])
  expect(await world.mark()).toEqual({})
  store.close()
  await turns(50)
  const next = await world.run(topics)
  expect(next.tally.applied + next.tally.duplicates).toBe(next.records)
  expect(await world.ids('public/slow')).toEqual([0, 1, 2, 3, 4])
  expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4])
})

test('a run that waits for the store hears that it is to end', async () => {
  const world = new PipelineWorld()
  const store = new GatedStore(world.store)
  store.close('public/slow/')
  const stop = new AbortController()
  const run = world.run(twoTables(20), { store, batch: { rows: 1 }, batchRecords: 1, signal: stop.signal })
  await turns(50)
  stop.abort()
  store.close()
  const report = await run
  expect(report.records).toBeLessThan(20)
  expect(report.tally.applied).toBe(report.records)
})

test('a run that goes on for long leaves nothing behind with each round', async () => {
  const world = new PipelineWorld()
  const stop = new AbortController()
  const listeners: number[] = []
  const beforeBatch = (round: number) => {
    listeners.push(getEventListeners(stop.signal, 'abort').length)
    if (round === 200) stop.abort()
  }
  await world.run(twoTables(50), { batchRecords: 1, beforeBatch, signal: stop.signal })
  expect(Math.max(...listeners)).toBeLessThanOrEqual(1)
})
