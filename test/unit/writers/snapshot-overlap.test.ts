import { describe, expect, test } from 'vitest'
import type { ChangeEvent } from '../../../schemas/change-event.ts'
import { changeEvent } from '../../support/change-event.ts'
import { TestTable, textOf } from '../../support/test-table.ts'

/** Rows that a snapshot read at LSN 100. */
const SNAPSHOT = [
  changeEvent({ op: 'r', after: { id: 1n, v: 'read' }, position: null, lsn: 100 }),
  changeEvent({ op: 'r', after: { id: 2n, v: 'read' }, position: null, lsn: 100 }),
]
const STREAM = [
  changeEvent({ after: { id: 1n, v: 'updated' }, op: 'u', position: 110 }),
  changeEvent({ after: { id: 3n, v: 'inserted' }, position: 120 }),
  changeEvent({ before: { id: 2n }, position: 130 }),
  changeEvent({ after: { id: 2n, v: 'again' }, position: 140 }),
]
const AFTER = ['1 updated', '2 again', '3 inserted']

/** As Kafka has them: in order, each at its own offset. */
function inOrder(events: readonly ChangeEvent[]): ChangeEvent[] {
  return events.map((event, i) => ({ ...event, at: { ...event.at, offset: BigInt(i) } }))
}

async function rowsOf(events: readonly ChangeEvent[], size: number, restarts: boolean): Promise<string[]> {
  const table = await TestTable.open()
  const sent = inOrder(events)
  for (let at = 0; at < sent.length; at += size) {
    await table.apply(...sent.slice(at, at + size))
    if (restarts) await table.reopen()
  }
  return (await table.rows()).map(({ id, v }) => `${id} ${v}`).sort()
}

const CUTS = [1, 2, 3, 100].flatMap((size) => [true, false].map((restarts) => ({ size, restarts })))

describe.each(CUTS)('in batches of $size, with restarts: $restarts', ({ size, restarts }) => {
  test('a stream after its snapshot has the last word', async () => {
    expect(await rowsOf([...SNAPSHOT, ...STREAM], size, restarts)).toEqual(AFTER)
  })

  test('a snapshot that breaks off after any row and starts over has every row once', async () => {
    for (let done = 1; done <= SNAPSHOT.length; done++) {
      const broken = SNAPSHOT.slice(0, done)
      expect(await rowsOf([...broken, ...SNAPSHOT, ...STREAM], size, restarts), `${done}`).toEqual(AFTER)
    }
  })

  test('a stream whose tail is sent again, from any of its events on, leaves the same rows', async () => {
    for (let from = 0; from < STREAM.length; from++) {
      const again = STREAM.slice(from)
      expect(await rowsOf([...SNAPSHOT, ...STREAM, ...again], size, restarts), `${from}`).toEqual(AFTER)
    }
  })

  test('rows read anew between any two events of the stream never beat a later one', async () => {
    for (const at of STREAM.keys()) {
      // What a snapshot of this very moment reads.
      const now = await rowsOf([...SNAPSHOT, ...STREAM.slice(0, at)], 100, false)
      const chunk = now.map((row) => {
        const [id, v] = row.split(' ') as [string, string]
        const lsn = 100 + 10 * at
        return changeEvent({ op: 'r', after: { id: BigInt(id), v }, position: null, lsn })
      })
      const events = [...SNAPSHOT, ...STREAM.slice(0, at), ...chunk, ...STREAM.slice(at)]
      expect(await rowsOf(events, size, restarts), `${at}`).toEqual(AFTER)
    }
  })
})

test('any five changes of one key, in any batches, leave what the last one says, and a feed that adds up', async () => {
  const histories = possibleHistories(5)
  expect(histories).toHaveLength(8)
  for (const history of histories) {
    const last = history.at(-1)!
    const rows = last.after === null ? [] : [textOf({ id: 1n, v: last.after.cells[1]! as string })]
    for (const size of [1, 2, 5]) {
      const table = await TestTable.open()
      for (let at = 0; at < history.length; at += size) await table.apply(...history.slice(at, at + size))
      expect((await table.rows()).map(textOf), history.map(({ op }) => op).join('')).toEqual(rows)
      const counts = table.reports.map((report) => report.counts)
      const net = counts.reduce((sum, { inserted, deleted }) => sum + inserted - deleted, 0)
      expect(net).toBe(rows.length)
    }
  }
})

/** All that can happen to a key that does not exist yet: an insert, then updates, deletes and inserts as they may follow. */
function possibleHistories(length: number): ChangeEvent[][] {
  let histories: ChangeEvent[][] = [[]]
  for (let at = 0; at < length; at++) {
    histories = histories.flatMap((history) => {
      const position = 10 * (at + 1)
      const row = { id: 1n, v: `v${at}` }
      const exists = history.at(-1)?.after != null
      if (!exists) return [[...history, changeEvent({ op: 'c', after: row, position, offset: at })]]
      return [
        [...history, changeEvent({ op: 'u', after: row, position, offset: at })],
        [...history, changeEvent({ op: 'd', before: { id: 1n }, position, offset: at })],
      ]
    })
  }
  return histories
}
