import { describe, expect, test } from 'vitest'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables, tableOf } from '../../support/pipeline-world.ts'

const SIBLING = { topic: 'shop.public.sibling' }

/** Topics from a text: `.` a row, `x` a record that cannot be read. A sibling gets a row in the end. */
function topicsOf(records: string): MemoryTopics {
  const topics = new MemoryTopics()
  for (const [id, record] of [...records].entries()) {
    if (record === 'x') topics.raw('{', { key: `{"id":${id}}` })
    else topics.row('c', { id })
  }
  topics.row('c', { id: 1 }, SIBLING)
  return topics
}

const STORM = { 'public.t': 'E_DEAD_LETTER_STORM' }

describe('a storm of dead letters', () => {
  test.each([1, 7, 1000])('stops the table at the hundredth of a hundred (batches of %i)', async (rows) => {
    const topics = topicsOf(`${'x'.repeat(150)}${'.'.repeat(10)}`)
    const world = new PipelineWorld()
    const report = await world.run(topics, { batch: { rows }, batchRecords: rows })
    expect(stoppedTables(report)).toEqual(STORM)
    expect(report.tally).toMatchObject({ deadLetters: 100, parked: 60, applied: 1 })
    expect(await world.letters()).toHaveLength(100)
    expect(await world.ids('public/sibling')).toEqual([1])
    expect(await world.ids('public/t')).toEqual([])
    expect(tableOf(report, 'public.t').stopped!.message).toMatch(/offset 99/)
  })

  test('stops it again when nothing was changed, and adds nothing', async () => {
    const topics = topicsOf('x'.repeat(150))
    const world = new PipelineWorld()
    await world.run(topics)
    const versions = world.versions()
    const report = await world.run(topics)
    expect(stoppedTables(report)).toEqual(STORM)
    expect(world.versions()).toEqual(versions)
    expect((await world.mark())['shop.public.t/0']).toBeUndefined()
  })

  test('what came before it is durable, and the mark stands there', async () => {
    const topics = topicsOf(`${'.'.repeat(50)}${'x'.repeat(200)}`)
    const world = new PipelineWorld()
    const report = await world.run(topics)
    expect(stoppedTables(report)).toEqual(STORM)
    expect(await world.ids('public/t')).toHaveLength(50)
    expect(report.tally).toMatchObject({ applied: 51, deadLetters: 100, parked: 100 })
  })

  test('goes on when it is allowed', async () => {
    const topics = topicsOf(`${'x'.repeat(150)}..`)
    const world = new PipelineWorld()
    await world.run(topics)
    const tables = { 'public.t': { deadLetters: { maxShare: 1 } } }
    const report = await world.run(topics, { tables })
    expect(stoppedTables(report)).toEqual({})
    expect(await world.letters()).toHaveLength(150)
    expect(await world.ids('public/t')).toEqual([150, 151])
  })

  test.each([
    ['99 letters and nothing else', 'x'.repeat(99)],
    ['half of all', '.x'.repeat(400)],
    ['half of the last thousand', `${'.'.repeat(500)}${'x'.repeat(500)}`],
    ['much, but long ago', `${'.'.repeat(100)}${'x'.repeat(99)}${'.'.repeat(2000)}${'x'.repeat(99)}`],
  ])('is not %s', async (_, records) => {
    const report = await new PipelineWorld().run(topicsOf(records))
    expect(stoppedTables(report)).toEqual({})
    expect(report.tally.parked).toBe(0)
  })

  test.each([
    ['one more than half of the last thousand', `${'.'.repeat(3000)}${'x'.repeat(501)}`, 501],
    ['one more than half of all', `${'.x'.repeat(100)}x`, 101],
    ['after a long calm, counted in the last thousand alone', `${'.'.repeat(5000)}${'x'.repeat(600)}`, 501],
  ])('is %s', async (_, records, letters) => {
    const report = await new PipelineWorld().run(topicsOf(records))
    expect(stoppedTables(report)).toEqual(STORM)
    expect(report.tally.deadLetters).toBe(letters)
  })

  test.each([
    [0, 100],
    [0.1, 100],
    [0.9, 100],
  ])('with a share of %f of letters alone comes at the %ith', async (maxShare, letters) => {
    const tables = { '*': { deadLetters: { maxShare } } }
    const report = await new PipelineWorld().run(topicsOf('x'.repeat(300)), { tables })
    expect(report.tally.deadLetters).toBe(letters)
  })

  test('never comes with a share of 1', async () => {
    const tables = { 'public.t': { deadLetters: { maxShare: 1 } } }
    const report = await new PipelineWorld().run(topicsOf('x'.repeat(3000)), { tables })
    expect(stoppedTables(report)).toEqual({})
    expect(report.tally.deadLetters).toBe(3000)
  })

  test('is not made by reading again after a crash what was good before', async () => {
    const topics = topicsOf(`${'.........x'.repeat(150)}`)
    const world = new PipelineWorld()
    await world.run(topics, { batch: { rows: 100 } })
    for (const path of world.store.objects.keys())
      if (path.startsWith('_alluvium/')) world.store.objects.delete(path)
    const report = await world.run(topics)
    expect(stoppedTables(report)).toEqual({})
    expect(await world.letters()).toHaveLength(150)
  })
})
