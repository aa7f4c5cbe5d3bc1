import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../core/errors.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'

const BATCH = { rows: 3 }

/** Rows that come, change and go, and a record that becomes a letter. */
function sixRecords(): MemoryTopics {
  const topics = new MemoryTopics()
  topics.row('c', { id: 1, v: 'a' })
  topics.row('c', { id: 2, v: 'b' })
  topics.row('c', { id: 3, v: 'c' })
  topics.row('u', { id: 1, v: 'A' })
  topics.raw('{')
  topics.delete(2)
  return topics
}

/** The disk takes nothing at paths like this, `times` times. @returns how often it still will not */
function fill(world: PipelineWorld, paths: RegExp, times: number): () => number {
  let left = times
  world.store.before = (operation, _, path) => {
    if (!operation.startsWith('put') || !paths.test(path) || left === 0) return
    left--
    throw new EngineError(
      'E_DISK_FULL',
      'retry',
      `cannot write ${path}: the disk or the quota is full (ENOSPC)`,
    )
  }
  return () => left
}

async function expectWhole(world: PipelineWorld): Promise<void> {
  expect(await world.data('public/t')).toEqual([
    { id: 1n, v: 'A' },
    { id: 3n, v: 'c' },
  ])
  expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 6n })
  expect(await world.mark()).toEqual({ 'shop.public.t/0': 6n })
  expect(await world.letters()).toHaveLength(1)
}

describe('a disk that is full', () => {
  test.each([
    ['a data file is staged', /public\/t\/.*\.parquet$/],
    ['deletion vectors are staged', /public\/t\/.*\.bin$/],
    ['a log entry is put', /public\/t\/_delta_log\//],
    ['a letter is kept', /^_dlq\//],
    ['the mark is written', /^_alluvium\/default\/_delta_log\//],
  ])('when %s is waited for, and nothing is lost or half there', async (_, paths) => {
    const world = new PipelineWorld()
    const left = fill(world, paths, 7)
    const report = await world.run(sixRecords(), { batch: BATCH })
    expect(stoppedTables(report)).toEqual({})
    await expectWhole(world)
    expect(left()).toBe(0)
  })

  test('for longer than a commit is tried ends the run by its name, and the next run goes on', async () => {
    const world = new PipelineWorld()
    await world.run(sixRecords(), { batch: { rows: 1000 } })
    const before = await world.rows('public/t')
    const topics = sixRecords()
    topics.row('c', { id: 4, v: 'd' })
    fill(world, /^public\/t\//, Number.POSITIVE_INFINITY)
    await expect(world.run(topics, { batch: BATCH })).rejects.toMatchObject({ code: 'E_DISK_FULL' })
    expect(await world.rows('public/t')).toEqual(before)
    expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 6n })
    fill(world, /^$/, 0)
    await world.run(topics, { batch: BATCH })
    expect(await world.ids('public/t')).toEqual([1, 3, 4])
  })
})
