import { describe, expect, test } from 'vitest'
import type { ChangeEvent } from '../../../../schemas/change-event.ts'
import { createTopicDecoder } from '../../../../schemas/decode/topic-decoder.ts'
import { MadeUpOrders, ORDERS_COLUMNS } from '../../../../src/bench/made-up-orders.ts'
import { defaultTable } from '../../../../src/config/default-config.ts'

const contract = {
  ...defaultTable('public.orders'),
  columns: ORDERS_COLUMNS,
  decimalHandling: 'string' as const,
}

function changesOf(orders: MadeUpOrders, fetches: number): readonly ChangeEvent[] {
  const decoder = createTopicDecoder({
    contractFor: () => contract,
    epoch: 0,
    unavailablePlaceholder: '__debezium_unavailable_value',
  })
  return Array.from({ length: fetches }, () => orders.nextFetch().records)
    .flat()
    .map((record) => decoder.decode(record))
    .filter((decoded) => {
      expect(decoded).toMatchObject({ kind: 'change' })
      return decoded.kind === 'change'
    })
}

describe('made-up orders', () => {
  test('are changes that a table could have had: a row comes once, and only what is there changes or goes', () => {
    const orders = new MadeUpOrders({ initialRows: 500 })
    const live = new Set<bigint>()
    const counts = { c: 0, u: 0, d: 0 }
    for (const { op, key } of changesOf(orders, 5)) {
      const id = key!.values[0] as bigint
      expect(live.has(id)).toBe(op !== 'c')
      if (op === 'd') live.delete(id)
      else live.add(id)
      counts[op as 'c' | 'u' | 'd']++
    }
    expect(orders.rowCount).toBe(live.size)
    expect(counts).toEqual({ c: 500 + 900, u: 3150, d: 450 })
  })

  test('for appends are inserts alone', () => {
    expect(new Set(changesOf(new MadeUpOrders({ initialRows: null }), 2).map(({ op }) => op))).toEqual(
      new Set(['c']),
    )
  })

  test('are the same each time', () => {
    const texts = () =>
      new MadeUpOrders({ initialRows: 100 }).nextFetch().records.map(({ value }) => String(value))
    expect(texts()).toEqual(texts())
  })
})
