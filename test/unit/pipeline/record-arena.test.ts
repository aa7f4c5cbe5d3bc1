import { expect, test } from 'vitest'
import type { RecordBatch } from '../../../core/ports.ts'
import { packBatch, unpackBatch } from '../../../src/pipeline/record-arena.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

const BATCH: RecordBatch = {
  topic: 'shop.public.größe',
  partition: 7,
  nextOffset: 9_007_199_254_740_999n,
  sizeBytes: 123,
  records: [
    { offset: 9_007_199_254_740_993n, key: bytes('k'), value: bytes('{"a":"日本"}'), headers: [] },
    { offset: 9_007_199_254_740_994n, key: null, value: null, headers: [] },
    { offset: 9_007_199_254_740_997n, key: bytes(''), value: bytes(''), headers: [['', bytes('')]] },
    {
      offset: 9_007_199_254_740_998n,
      key: bytes('last'),
      value: null,
      headers: [
        ['ä', bytes('1')],
        ['twice', null],
        ['twice', bytes('2')],
      ],
    },
  ].map((record, i) => ({
    ...record,
    topic: 'shop.public.größe',
    partition: 7,
    timestampMs: 1_772_368_215_500 + i,
    headers: record.headers as [string, Uint8Array | null][],
  })),
}

/** Buffers and plain arrays of bytes are equal when their bytes are. */
function plain(batch: RecordBatch): unknown {
  const hex = (value: Uint8Array | null) => (value === null ? null : Buffer.from(value).toString('hex'))
  const records = batch.records.map((record) => ({
    ...record,
    key: hex(record.key),
    value: hex(record.value),
    headers: record.headers.map(([name, value]) => [name, hex(value)]),
  }))
  return { ...batch, records }
}

test('a batch that was handed over is what it was', () => {
  const packed = packBatch(BATCH)
  const received = structuredClone(packed, { transfer: [packed.arena] })
  expect(packed.arena.byteLength).toBe(0)
  expect(plain(unpackBatch(received))).toEqual(plain(BATCH))
})

test('a batch without records keeps its place', () => {
  const empty = { ...BATCH, records: [] }
  expect(unpackBatch(packBatch(empty))).toEqual(empty)
})

test('records look into the arena, they do not copy it', () => {
  const packed = packBatch(BATCH)
  expect(unpackBatch(packed).records[0]!.value!.buffer).toBe(packed.arena)
})
