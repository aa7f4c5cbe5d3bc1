import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RawRecord } from '../../core/ports.ts'
import type { ChangeEvent, Decoded } from '../../schemas/change-event.ts'
import { createTopicDecoder, type TopicDecoder } from '../../schemas/decode/topic-decoder.ts'
import { UNDECODABLE_REASONS } from '../../schemas/decode/undecodable-reasons.ts'
import { type Cell, type DeltaType, UNAVAILABLE } from '../../schemas/delta-types.ts'
import { contract, decoder, PLACEHOLDER, recordedContracts, recordingFolder } from '../support/decoding.ts'
import { afterOf, envelope, record } from '../support/envelope-records.ts'
import { readRecording } from '../support/recorded-topics.ts'

const recorded = ['envelope', 'envelope-schema'].flatMap((name) =>
  [...readRecording(recordingFolder(name)).values()].flat().filter((r) => r.value !== null),
)
const contracts = recordedContracts()

function freshDecoder(hasContract: boolean): TopicDecoder {
  const contractFor = hasContract ? contracts : () => contract()
  return createTopicDecoder({ contractFor, epoch: 0, unavailablePlaceholder: PLACEHOLDER })
}

/** What a cell of each type is, by the seam's own words. */
function isCellOf(type: DeltaType, cell: Cell): boolean {
  if (cell === null) return true
  if (typeof type !== 'string') {
    if (type.kind === 'decimal') return typeof cell === 'bigint'
    if (!Array.isArray(cell)) return false
    const parts = cell as readonly Cell[]
    if (type.kind === 'array') return parts.every((part) => isCellOf(type.element, part))
    if (type.kind === 'struct') return type.fields.every((f, i) => isCellOf(f.type, parts[i]!))
    return parts.every(
      (pair) => isCellOf(type.key, (pair as Cell[])[0]!) && isCellOf(type.value, (pair as Cell[])[1]!),
    )
  }
  switch (type) {
    case 'boolean':
      return typeof cell === 'boolean'
    case 'long':
    case 'timestamp':
    case 'timestamp_ntz':
      return typeof cell === 'bigint' && BigInt.asIntN(64, cell) === cell
    case 'string':
      return typeof cell === 'string' && cell.isWellFormed()
    case 'binary':
      return cell instanceof Uint8Array
    case 'float':
    case 'double':
      return typeof cell === 'number'
    default:
      return Number.isInteger(cell)
  }
}

function expectSound(event: ChangeEvent): void {
  for (const image of [event.before, event.after]) {
    if (image === null) continue
    expect(image.cells.length).toBe(image.shape.columns.length)
    for (const [i, { type }] of image.shape.columns.entries()) {
      const cell = image.cells[i]!
      if (cell !== UNAVAILABLE) expect(isCellOf(type, cell)).toBe(true)
    }
  }
  for (const key of [event.key, event.newKey, event.oldKey]) expect(key?.values ?? []).not.toContain(null)
  if (event.op !== 'r') expect(event.position).not.toBeNull()
}

function expectAnswer(decoded: Decoded): void {
  if (decoded.kind === 'change') expectSound(decoded)
  if (decoded.kind === 'undecodable') expect(UNDECODABLE_REASONS).toContain(decoded.reason)
}

/** Bytes overwritten, cut, doubled, or put in from elsewhere in the record. */
const mutation = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    at: fc.nat(),
    byte: fc.constantFrom(...Buffer.from('{}[]",:\\0919-.eE nt_A='), 0xff, 0),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), length: fc.nat(40) }),
  fc.record({ kind: fc.constant('copy' as const), at: fc.nat(), from: fc.nat(), length: fc.nat(40) }),
)

type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

function mutate(bytes: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  let now = Buffer.from(bytes)
  for (const m of mutations) {
    const at = m.at % (now.length + 1)
    if (m.kind === 'set' && at < now.length) now[at] = m.byte
    if (m.kind === 'cut') now = Buffer.concat([now.subarray(0, at), now.subarray(at + m.length)])
    if (m.kind === 'copy') {
      const from = m.from % (now.length + 1)
      now = Buffer.concat([now.subarray(0, at), now.subarray(from, from + m.length), now.subarray(at)])
    }
  }
  return now
}

describe('the decoder gives one sound answer', () => {
  test('to records that were damaged on their way', () => {
    // The same decoders throughout: what they remember must not be harmed either.
    const decoders = [freshDecoder(true), freshDecoder(false)]
    fc.assert(
      fc.property(
        fc.constantFrom(...recorded),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (original, mutations, isKey) => {
          const damaged: RawRecord = isKey
            ? { ...original, key: original.key === null ? null : mutate(original.key, mutations) }
            : { ...original, value: mutate(original.value!, mutations) }
          for (const topic of decoders) expectAnswer(topic.decode(damaged))
        },
      ),
      { numRuns: 1500 },
    )
    for (const original of recorded) expect(decoders[0]!.decode(original).kind).not.toBe('undecodable')
  })

  test('to any bytes', () => {
    const topic = decoder()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 20 }), (value, key) => {
        expectAnswer(topic.decode({ ...record(value), key }))
      }),
      { numRuns: 1000 },
    )
  })

  test('to any JSON in the place of rows, source and key', () => {
    const topic = decoder()
    const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value))
    fc.assert(
      fc.property(json, json, json, fc.constantFrom('"c"', '"u"', '"d"', '"r"', '"t"'), (a, b, key, op) => {
        expectAnswer(topic.decode(envelope({ op, before: a, after: b, key })))
        expectAnswer(topic.decode(envelope({ op, source: a, after: '{"id":1}' })))
      }),
      { numRuns: 500 },
    )
  })
})

describe('values come through exactly', () => {
  const readBack = (type: string, wire: string): unknown =>
    afterOf(decoder({ columns: { a: type } }).decode(envelope({ after: `{"a":${wire}}` })))['a']

  test('integers of 64 bits', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (n) => {
        expect(readBack('bigint', `${n}`)).toBe(n)
      }),
    )
  })

  test('decimals of any length', () => {
    const limit = 10n ** 38n - 1n
    fc.assert(
      fc.property(fc.bigInt(-limit, limit), (n) => {
        let bits = 8
        while (BigInt.asIntN(bits, n) !== n) bits += 8
        const hex = BigInt.asUintN(bits, n)
          .toString(16)
          .padStart(bits / 4, '0')
        expect(readBack('numeric(38,5)', `"${Buffer.from(hex, 'hex').toString('base64')}"`)).toBe(n)
      }),
    )
  })

  test('doubles, to the bit', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        expect(readBack('double precision', Object.is(n, -0) ? '-0.0' : String(n))).toBe(n)
      }),
    )
  })

  test('bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        expect(readBack('bytea', `"${Buffer.from(bytes).toString('base64')}"`)).toEqual(bytes)
      }),
    )
  })

  test('bit strings', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('0', '1'), { minLength: 2, maxLength: 40 }), (digits) => {
        const bits = digits.join('')
        // Java's BitSet.toByteArray: little-endian, without leading zeros.
        const bytes: number[] = []
        for (let n = BigInt(`0b${bits}`); n > 0n; n >>= 8n) bytes.push(Number(n & 255n))
        expect(readBack(`bit(${bits.length})`, `"${Buffer.from(bytes).toString('base64')}"`)).toBe(bits)
      }),
    )
  })

  test('texts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(readBack('text', JSON.stringify(text))).toBe(text)
      }),
    )
  })

  test('timestamps that JavaScript knows too', () => {
    const date = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(date, fc.nat(999), (at, micros) => {
        const text = at.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`)
        expect(readBack('timestamptz', `"${text}"`)).toBe(BigInt(at.getTime()) * 1000n + BigInt(micros))
      }),
    )
  })
})
