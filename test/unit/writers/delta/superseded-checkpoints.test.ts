import { beforeEach, expect, test } from 'vitest'
import { checkpointPath } from '../../../../writers/delta/log-path.ts'
import { SupersededCheckpoints } from '../../../../writers/delta/superseded-checkpoints.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

const HOUR_MS = 3_600_000

let store: MemoryStore
let superseded: SupersededCheckpoints

beforeEach(() => {
  store = new MemoryStore()
  superseded = new SupersededCheckpoints(store, 't')
})

async function write(version: number, nowMs: number): Promise<void> {
  store.seed(checkpointPath('t', version), 'a checkpoint')
  await superseded.deleteBefore(version, nowMs)
}

function versions(): number[] {
  return [...store.objects.keys()].map((path) => Number(/(\d{20})\.checkpoint/.exec(path)![1]))
}

test('of checkpoints that were replaced more than an hour ago one in five hundred commits is kept', async () => {
  for (let i = 0; i < 40; i++) await write(100 * i, i * 0.25 * HOUR_MS)
  expect(versions()).toEqual([0, 500, 1000, 1500, 2000, 2500, 3000, 3500, 3600, 3700, 3800, 3900])
})

test('a quiet table keeps its checkpoints', async () => {
  for (let i = 0; i < 5; i++) await write(1000 * i, i * 24 * HOUR_MS)
  expect(versions()).toEqual([0, 1000, 2000, 3000, 4000])
})

test('what others wrote, or a process before this one, stays', async () => {
  for (let version = 0; version < 500; version += 100) store.seed(checkpointPath('t', version), 'of another')
  await write(500, 100 * HOUR_MS)
  await write(600, 200 * HOUR_MS)
  expect(versions()).toEqual([0, 100, 200, 300, 400, 500, 600])
})

test('a checkpoint that cannot be deleted stays, and the next ones go', async () => {
  for (let i = 0; i < 8; i++) await write(100 * i, i * 0.25 * HOUR_MS)
  store.before = () => {
    throw new Error('denied')
  }
  await expect(write(800, 3 * HOUR_MS)).rejects.toThrow('denied')
  store.before = () => {}
  await write(900, 4 * HOUR_MS)
  expect(versions()).toContain(900)
  expect(versions().length).toBeLessThan(7)
})
