import { describe, expect, test } from 'vitest'
import type { Column } from '../../../schemas/change-event.ts'
import {
  MomentRowsShelf,
  parseMomentRows,
  renderMomentRows,
} from '../../../src/pipeline/moment-rows-shelf.ts'
import type { Answer, Ask, Request } from '../../../src/pipeline/request.ts'
import type { MomentReport, MomentRow } from '../../../writers/moment-rows.ts'
import { rowShape } from '../../../writers/table/table-layout.ts'
import { liveRun, requestBoxOf } from '../../support/live-run.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'
import { testPorts } from '../../support/test-ports.ts'

const HOUR_MS = 3_600_000
const WAIT = () => {}
const SOURCE = { sourceName: 'shop', database: 'cdcdb', schema: 'public', table: 't' }
/** Sees the transaction that topics tell of when nothing else is said. */
const MOMENT = '1000:1000:'

const ID: Column = { name: 'id', type: 'long', hasDefault: false }
const SHAPE = rowShape([ID])

function row(id: number, isThere = true): MomentRow {
  const image = isThere ? { shape: SHAPE, cells: [BigInt(id)] } : null
  return { key: { columns: [ID], values: [BigInt(id)] }, image }
}

/** What a command asks, one after the other, of the process that runs. */
function asking(world: PipelineWorld) {
  const box = requestBoxOf(world)
  const shelf = new MomentRowsShelf({ ...testPorts(world.store), clock: world.clock }, 'default')
  const left: Request[] = []
  const leave = async (ask: Ask) => void left.push(await box.leave(ask, HOUR_MS))
  const answer = async (at: number): Promise<Answer> => (await box.answers(left[at]!))[0]!
  const watch = () => leave({ kind: 'watch', table: 'public.t', source: SOURCE })
  const give = async (rows: readonly MomentRow[]) => {
    const watchName = (await answer(0)).result as string
    const name = await shelf.put(rows)
    await leave({ kind: 'give', table: 'public.t', watch: watchName, snapshot: MOMENT, rows: name })
  }
  return { watch, give, answer, leave, shelf }
}

describe.each([
  ['this thread', {}],
  ['another thread', { workers: 2 }],
])('a process that does its work in %s', (_, options) => {
  test('takes rows of a moment between the batches of the stream, also of a table that is quiet', async () => {
    const world = new PipelineWorld()
    const topics = new MemoryTopics()
    for (const id of [1, 2, 3]) topics.row('c', { id })
    await world.run(topics)
    const { watch, give, answer } = asking(world)
    const rows = [row(1), row(2, false), row(7), row(9)]
    await liveRun(
      world,
      topics,
      [
        watch,
        WAIT,
        () => topics.delete(9, { source: { txId: '1000' } }),
        WAIT,
        WAIT,
        () => give(rows),
        WAIT,
        () => topics.row('c', { id: 4 }),
        WAIT,
      ],
      { ...options, batch: { rows: 1 } },
    )
    expect((await answer(0)).outcome).toBe('done')
    expect((await answer(1)).result).toMatchObject({
      counts: { inserted: 1, updated: 0, deleted: 1 },
      unchanged: 1,
      deferred: [3],
    } satisfies Partial<MomentReport>)
    expect(await world.ids('public/t')).toEqual([1, 3, 4, 7])
    expect((await world.progress('public/t'))['shop.public.t/0']).toBe(5n)
  })
})

describe('a process', () => {
  test('that began later than the watch takes no rows: it does not know what came before', async () => {
    const world = new PipelineWorld()
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 })
    await world.run(topics)
    const { watch, give, answer } = asking(world)
    await liveRun(world, topics, [watch, WAIT])
    await liveRun(world, topics, [() => give([row(7)]), WAIT, WAIT])
    expect((await answer(1)).result).toMatchObject({ deferred: [0], why: expect.any(String) })
    expect(await world.ids('public/t')).toEqual([1])
  })

  test('stops no table for a request that is about another source', async () => {
    const world = new PipelineWorld()
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 })
    await world.run(topics)
    const { leave, answer } = asking(world)
    const source = { ...SOURCE, sourceName: 'another' }
    const report = await liveRun(world, topics, [
      () => leave({ kind: 'watch', table: 'public.t', source }),
      WAIT,
    ])
    expect(await answer(0)).toMatchObject({ outcome: 'refused', message: expect.stringContaining('copy of') })
    expect(stoppedTables(report)).toEqual({})
  })

  test('takes none for a table that stands still, or that is not there', async () => {
    const world = new PipelineWorld()
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 })
    const { watch, answer, leave } = asking(world)
    const absent = { ...SOURCE, table: 'absent' }
    const pause = () => leave({ kind: 'pause', table: 'public.t' })
    const steps = [
      () => leave({ kind: 'watch', table: 'public.absent', source: absent }),
      WAIT,
      pause,
      watch,
      WAIT,
    ]
    await liveRun(world, topics, steps)
    expect(await answer(0)).toMatchObject({ outcome: 'not-mine' })
    expect(await answer(2)).toMatchObject({ outcome: 'refused', message: 'the table is paused' })
  })
})

describe('rows of a moment on their way', () => {
  test('come out as they went in, with every kind of cell', () => {
    const columns: Column[] = [
      { name: 'id', type: 'long', hasDefault: false },
      { name: 'a', type: { kind: 'array', element: 'double', containsNull: true }, hasDefault: false },
      { name: 'b', type: 'binary', hasDefault: false },
      { name: 'd', type: { kind: 'decimal', precision: 38, scale: 2 }, hasDefault: false },
      { name: 't', type: 'string', hasDefault: false },
    ]
    const shape = rowShape(columns)
    const cells = [2n ** 62n, [1.5, Number.NaN, -0, null], Uint8Array.of(0, 255), -(10n ** 37n), 'ü\n"']
    const rows = [
      { key: { columns: columns.slice(0, 1), values: [2n ** 62n] }, image: { shape, cells } },
      { key: { columns: columns.slice(0, 1), values: [5n] }, image: null },
    ]
    expect(parseMomentRows(renderMomentRows(rows))).toEqual(rows)
  })

  test('that are damaged are none', () => {
    expect(parseMomentRows('{"format":1}\n[[')).toBeNull()
    expect(parseMomentRows('')).toBeNull()
  })

  test('are taken away when nobody came for them in a week', async () => {
    const world = new PipelineWorld()
    const { shelf } = asking(world)
    const old = await shelf.put([row(1)])
    world.clock.advance(8 * 24 * HOUR_MS)
    const young = await shelf.put([row(1)])
    await shelf.sweep()
    expect([await shelf.get(old), await shelf.get(young)]).toEqual([null, [row(1)]])
  })
})
