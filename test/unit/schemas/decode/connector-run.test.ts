import { expect, test } from 'vitest'
import { DEFAULT_CONTRACT, type TableContract } from '../../../../schemas/contract.ts'
import { createTopicDecoder } from '../../../../schemas/decode/topic-decoder.ts'
import { type EnvelopeParts, envelope } from '../../../support/envelope-records.ts'

const RUN = '__debezium.context.runId'

function runsOf(contract: Partial<TableContract>, ...records: readonly EnvelopeParts[]): unknown[] {
  const decoder = createTopicDecoder({
    contractFor: () => ({ ...DEFAULT_CONTRACT, name: 'public.t', columns: { id: 'bigint' }, ...contract }),
    epoch: 0,
    unavailablePlaceholder: '__debezium_unavailable_value',
  })
  return records.map((parts) => {
    const decoded = decoder.decode(envelope(parts))
    return decoded.kind === 'change' ? decoded.run : decoded
  })
}

const [one, other] = ['01a1fd4a-3543-7162-b3e8-293a58529b5d', '01a1fd4b-0000-7162-b3e8-293a58529b5d'].map(
  (id): EnvelopeParts => ({ headers: [[RUN, id]] }),
)

test('runs of a connector are told apart by numbers that a double can hold, the same in every process', () => {
  const [first, again, second] = runsOf({}, one!, one!, other!)
  expect(first).toBe(2_016_053_579_376_421n)
  expect(again).toBe(first)
  expect(second).not.toBe(first)
  expect(first).toBeLessThan(2n ** 53n)
})

test('the run is told of creates that no key tells apart, and of no others', () => {
  const keyed: EnvelopeParts = { ...one!, key: '{"id":1}' }
  expect(runsOf({}, keyed, {}, { ...one!, op: '"u"', before: '{"id":1}' })).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(runsOf({ mode: 'append' }, keyed)).toEqual(runsOf({}, one!))
})
