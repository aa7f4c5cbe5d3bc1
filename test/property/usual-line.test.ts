import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isMalformed, parseLine, placeLine } from '../../src/io/recorded-line.ts'
import { UsualLineReader } from '../../src/io/usual-line.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('{"a":"b\\u0000"}', '\ud800', '\u0000\u001f"\\/', 'ü€\u{1F600}', ''),
)
const headers = fc.array(fc.tuple(anyText, fc.option(anyText)), { maxLength: 3 })
const fields = fc.record({
  partition: fc.nat(),
  offset: fc.nat(),
  timestamp: fc.oneof(fc.nat(), fc.constantFrom(-1, 1.5, 'x')),
  key: fc.option(anyText),
  value: fc.oneof(anyText, fc.constantFrom(null, 5, undefined)),
  headers: fc.oneof(headers, fc.constantFrom(undefined, null, [['one']])),
})

/** As JavaScript writes JSON, and as tools do that escape all but ASCII, or end lines otherwise. */
const writers = [
  (line: string) => line,
  (line: string) =>
    line.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (line: string) => line.replaceAll('/', '\\/'),
  (line: string) => `${line} \r`,
  (line: string) => line.replace('"value"', '"valu\\u0065"'),
  (line: string) => line.slice(0, -3),
]

function line(index: number, record: object): Buffer {
  const { partition, offset, timestamp, ...rest } = record as Record<string, unknown>
  const json = JSON.stringify({
    topic: 'shop.public.t',
    partition,
    offset,
    timestamp,
    timestampType: 'create',
    ...rest,
  })
  return Buffer.from(writers[index]!(json))
}

test('what the quick reader reads, the judge reads the same; what it leaves is left to the judge', () => {
  const quick = new UsualLineReader()
  let readCount = 0
  fc.assert(
    fc.property(fc.nat(writers.length - 1), fields, (writer, record) => {
      const bytes = line(writer, record)
      const place = { topic: 'shop.public.t', partition: record.partition, offset: BigInt(record.offset) }
      quick.begin(bytes.length)
      const read = quick.read(bytes, place)
      const judged = parseLine(bytes, place)
      if (read === null) return
      readCount++
      expect(isMalformed(judged)).toBe(false)
      expect(plain(read)).toEqual(plain(judged))
    }),
    { numRuns: 3000 },
  )
  expect(readCount).toBeGreaterThan(100)
})

test('a line as recorders write it is read quickly', () => {
  const quick = new UsualLineReader()
  const bytes = line(0, {
    partition: 1,
    offset: 7,
    timestamp: 9,
    key: '{"id":1}',
    value: 'ä"\n',
    headers: [['a', 'b']],
  })
  quick.begin(bytes.length)
  const place = placeLine(bytes)
  expect(isMalformed(place)).toBe(false)
  expect(quick.read(bytes, place as never)).toMatchObject({
    offset: 7n,
    timestampMs: 9,
    key: Buffer.from('{"id":1}'),
    value: Buffer.from('ä"\n'),
  })
})

/** Buffers and views of them compare as bytes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item)))
}
