import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tallyTotal } from '../../writers/tally.ts'
import { MemoryTopics } from '../support/memory-topics.ts'
import { PipelineWorld } from '../support/pipeline-world.ts'
import { replayAll } from '../support/replay.ts'

/** A number that the first configuration takes for too great to be read. */
const TOO_GREAT = 70_000

interface Step {
  readonly act: 'put' | 'delete' | 'read' | 'truncate'
  readonly id: number
  readonly isLetter: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom('put', 'put', 'put', 'delete', 'delete', 'read', 'truncate'),
  id: fc.integer({ min: 1, max: 4 }),
  isLetter: fc.boolean(),
})

/** @returns the rows that there are in the end, by id */
function play(steps: readonly Step[], topics: MemoryTopics): Map<number, number> {
  const rows = new Map<number, number>()
  let n = 0
  for (const { act, id, isLetter } of steps) {
    const known = rows.get(id)
    if (act === 'truncate') {
      topics.truncate()
      rows.clear()
    } else if (act === 'delete' && known !== undefined) {
      topics.delete(id)
      rows.delete(id)
    } else if (act === 'read' && known !== undefined) topics.row('r', { id, n: known })
    else if (act === 'put') {
      rows.set(id, ++n + (isLetter ? TOO_GREAT : 0))
      topics.row(known === undefined ? 'c' : 'u', { id, n: rows.get(id)! })
    }
  }
  return rows
}

const tables = (type: string) => ({
  'public.t': { columns: { id: 'bigint', n: type }, deadLetters: { maxShare: 1 } },
})

test('letters that are replayed leave the rows that there were if all had been read at once', async () => {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 16, size: 'max' }),
    fc.integer({ min: 1, max: 5 }),
    fc.boolean(),
    async (steps, rows, restarts) => {
      const topics = new MemoryTopics()
      const wanted = play(steps, topics)
      const world = new PipelineWorld()
      const report = await world.run(topics, { tables: tables('smallint'), batch: { rows } })
      if (restarts) await world.run(topics, { tables: tables('smallint') })
      const { letters, tally, stay } = await replayAll(world.store, topics, tables('integer'))
      expect(letters).toBe(report.tally.deadLetters)
      expect(stay).toEqual([])
      expect(tallyTotal(tally)).toBe(letters)
      const data = await world.data('public/t')
      expect(new Map(data.map(({ id, n }) => [Number(id), Number(n)]))).toEqual(new Map([...wanted].sort()))
      const again = await replayAll(world.store, topics, tables('integer'))
      expect(again.letters).toBe(0)
      await world.run(topics, { tables: tables('integer') })
      expect(await world.data('public/t')).toEqual(data)
    },
  )
  await fc.assert(property, { numRuns: 60 })
})
