import { describe, expect, test } from 'vitest'
import { type ChangeEvent, type RowImage, type RowKey, tableName } from '../../schemas/change-event.ts'
import { type DeltaType, UNAVAILABLE } from '../../schemas/delta-types.ts'
import { contract, decodeTopics, isChange, recordedContracts, recordingFolder } from '../support/decoding.ts'
import { readRecording } from '../support/recorded-topics.ts'

const bare = decodeTopics(readRecording(recordingFolder('envelope')), recordedContracts()).filter(isChange)
const told = decodeTopics(readRecording(recordingFolder('envelope-schema')), () => contract()).filter(
  isChange,
)

/**
 * Where an inline schema says less than a contract: the schema of `varbit(16)` is that of `bit(16)`, so it is padded;
 * `evolving.v` was an int before it became a bigint.
 */
const DIFFERENT = new Set([
  'inventory.all_types.c_varbit',
  'inventory.all_types_full.c_varbit',
  'inventory.evolving.v',
])

function cellText(cell: unknown): string {
  if (cell === UNAVAILABLE) return 'unavailable'
  return JSON.stringify(cell, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value,
  )
}

function imageText(table: string, image: RowImage | null): unknown {
  if (image === null) return null
  return image.shape.columns.map((column, i) => {
    const name = `${table}.${column.name}`
    return DIFFERENT.has(name) ? [column.name] : [column.name, column.type, cellText(image.cells[i])]
  })
}

function keyText(key: RowKey | null): unknown {
  return key === null ? null : key.columns.map((c, i) => [c.name, c.type, cellText(key.values[i])])
}

/** All that an event says but for its place: the two recordings differ in that. */
function eventText(event: ChangeEvent): string {
  const table = tableName(event.table)
  return JSON.stringify([
    table,
    event.op,
    keyText(event.key),
    imageText(table, event.before),
    imageText(table, event.after),
    keyText(event.newKey),
    keyText(event.oldKey),
  ])
}

describe('the same changes recorded without schemas and with them', () => {
  test('are the same events, cell by cell and type by type', () => {
    expect(bare.length).toBe(159)
    expect(bare.map(eventText).sort()).toEqual(told.map(eventText).sort())
  })

  test('differ where a schema says less than a contract, in just this way', () => {
    const cellsOf = (events: readonly ChangeEvent[], column: string): unknown[] =>
      events
        .filter((e) => e.table.table === 'all_types')
        .flatMap((e) => {
          const at = e.after?.shape.indexOf.get(column)
          return at === undefined ? [] : [e.after!.cells[at]]
        })
        .filter((cell) => cell !== null)
    expect(cellsOf(bare, 'c_varbit').sort()).toEqual(['', '1011', '1011'])
    expect(cellsOf(told, 'c_varbit').sort()).toEqual(['0'.repeat(16), '0000000000001011', '0000000000001011'])
  })

  test('a column that was widened has both its types, in the order of the stream', () => {
    const types = told
      .filter((e) => e.table.table === 'evolving' && e.after !== null)
      .map((e): DeltaType => e.after!.shape.columns[1]!.type)
    expect([...new Set(types)]).toEqual(['integer', 'long'])
  })
})

describe('positions of the recorded events', () => {
  test.each([
    ['without schemas', bare],
    ['with schemas', told],
  ])('%s: streamed ones have one, snapshot rows have none but an LSN', (_, events) => {
    for (const event of events) {
      expect(event.position === null).toBe(event.op === 'r')
      expect(event.lsn).not.toBeNull()
      expect(event.sourceTimeUs).toBeGreaterThan(1_700_000_000_000_000n)
    }
  })

  test('an unchanged TOAST value is not sent, and only there', () => {
    const lacking = bare.filter((e) => e.after?.cells.includes(UNAVAILABLE))
    expect(lacking.map((e) => [e.table.table, e.op])).toEqual([['toasted', 'u']])
  })

  test('a key change is told by both its halves', () => {
    const halves = bare.filter((e) => e.newKey !== null || e.oldKey !== null)
    const told = halves.map((e) => [
      e.table.table,
      e.op,
      cellText(e.key!.values),
      cellText((e.newKey ?? e.oldKey)!.values),
    ])
    expect(told.sort()).toEqual([
      ['by_index', 'c', '["Z","eu"]', '["A","eu"]'],
      ['by_index', 'd', '["A","eu"]', '["Z","eu"]'],
      ['customers', 'c', '[5000]', '[1004]'],
      ['customers', 'd', '[1004]', '[5000]'],
      ['order_lines', 'c', '["10002n",9]', '["10002n",2]'],
      ['order_lines', 'd', '["10002n",2]', '["10002n",9]'],
    ])
  })
})
