import { describe, expect, test } from 'vitest'
import type { ChangeEvent, TableId } from '../../../schemas/change-event.ts'
import { parseConfig } from '../../../src/config/parse-config.ts'
import { EventRoutes } from '../../../src/pipeline/event-routes.ts'
import { pipelineOptions } from '../../../src/pipeline-options.ts'

const TABLES = {
  'public.orders': { topics: ['orders-*'] },
  'public.audit': { skip: true },
  '*': {},
}

function routes(): { readonly routes: EventRoutes; readonly asked: string[] } {
  const text = JSON.stringify({
    lake: './lake',
    pipelines: { p: { source: { files: '.' }, tables: TABLES } },
  })
  const options = pipelineOptions(parseConfig(text, 'test', () => undefined).pipelines[0]!)
  const asked: string[] = []
  const contractFor = (name: string) => {
    asked.push(name)
    return options.contractFor(name)
  }
  return { routes: new EventRoutes({ ...options, contractFor }), asked }
}

function tableId(table: string): TableId {
  return { sourceName: 'shop', database: 'shop', schema: 'public', table }
}

function event(table: TableId, topic: string): ChangeEvent {
  return { table, at: { topic, partition: 0, offset: 0n, timestampMs: 0 } } as ChangeEvent
}

describe('event routes', () => {
  test('tell of each topic whether it feeds the table, also when two decoders share its name', () => {
    const orders = tableId('orders')
    const { routes: known } = routes()
    expect(known.of(event(orders, 'orders-1')).isFed).toBe(true)
    expect(known.of(event(orders, 'shop.public.orders')).isFed).toBe(false)
    expect(known.of(event(orders, 'orders-2')).isFed).toBe(true)
  })

  test('are worked out once for the events of a table that come one after another', () => {
    const items = tableId('items')
    const { routes: known, asked } = routes()
    for (let i = 0; i < 5; i++) known.of(event(items, 'shop.public.items'))
    expect(asked).toEqual(['public.items'])
  })

  test('know the tables that the pipeline leaves out', () => {
    const { routes: known } = routes()
    expect(known.of(event(tableId('audit'), 'shop.public.audit')).isTaken).toBe(false)
    expect(known.of(event(tableId('items'), 'shop.public.items'))).toMatchObject({
      isTaken: true,
      isFed: true,
    })
  })
})
