import { type Context, type Span, type SpanOptions, type Tracer, trace } from '@opentelemetry/api'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { spansOf } from '../../../../src/ops/spans.ts'

interface SeenSpan {
  readonly name: string
  readonly parent: string | null
  readonly startMs: number
  endMs: number
  readonly attributes: SpanOptions['attributes']
}

/** As little of an SDK as the interface asks for. */
class SeenSpans {
  readonly all: SeenSpan[] = []
  readonly #names = new Map<Span, string>()

  readonly tracer = {
    startSpan: (name: string, options: SpanOptions = {}, context?: Context): Span => {
      const over = context === undefined ? undefined : trace.getSpan(context)
      const parent = over === undefined ? null : this.#names.get(over)!
      const { startTime, attributes } = options
      const seen: SeenSpan = { name, parent, startMs: Number(startTime), endMs: 0, attributes }
      this.all.push(seen)
      const end = (atMs: number) => {
        seen.endMs = atMs
      }
      const span = { end } as unknown as Span
      this.#names.set(span, name)
      return span
    },
  } as Tracer
}

const seen = new SeenSpans()
beforeEach(() => {
  seen.all.length = 0
  trace.setGlobalTracerProvider({ getTracer: () => seen.tracer })
})
afterEach(() => trace.disable())

const times = () => seen.all.map(({ name, parent, startMs, endMs }) => [name, parent, startMs, endMs])

test('a batch of records is a span of waiting and decoding', () => {
  spansOf(
    'shop',
    '1',
  )({
    ...{ kind: 'batch-read', topic: 'shop.public.t', partition: 2, records: 5, sizeBytes: 90 },
    ...{ startedMs: 1000, waitedMs: 30, takenMs: 12, heldMs: 0 },
  })
  expect(times()).toEqual([
    ['alluvium.read', null, 1000, 1042],
    ['poll', 'alluvium.read', 1000, 1030],
    ['decode', 'alluvium.read', 1030, 1042],
  ])
  expect(seen.all[0]!.attributes).toMatchObject({ 'messaging.destination.name': 'shop.public.t' })
})

test('a flush is a span of its steps, in their order', () => {
  spansOf(
    'shop',
    '1',
  )({
    ...{ kind: 'batch-committed', table: 'public.t', version: 7, operations: {}, events: 3, sizeBytes: 30 },
    ...{ rows: { inserted: 3, updated: 0, deleted: 0 }, stale: 0, duplicates: 0, ambiguousKeyMoves: 0 },
    ...{ oldestMs: 0, startedMs: 5000, durationMs: 100 },
    phases: { planMs: 10, encodeMs: 20, putMs: 30, commitMs: 40 },
  })
  expect(times()).toEqual([
    ['alluvium.flush', null, 5000, 5100],
    ['merge', 'alluvium.flush', 5000, 5010],
    ['encode', 'alluvium.flush', 5010, 5030],
    ['put', 'alluvium.flush', 5030, 5060],
    ['commit', 'alluvium.flush', 5060, 5100],
  ])
  expect(seen.all[0]!.attributes).toMatchObject({ 'alluvium.table': 'public.t', 'alluvium.version': 7 })
})

test('what is neither a read nor a flush is no span', () => {
  spansOf('shop', '1')({ kind: 'upkeep-ended', table: 'public.t', failure: null })
  expect(seen.all).toEqual([])
})
