import { describe, expect, test } from 'vitest'
import type { ChangeSource, PartitionRange, RawRecord, SourceDatabase } from '../../../core/ports.ts'
import { LiveStream, parseLsn } from '../../../dq/stream-barrier.ts'
import type { TableSnapshot } from '../../../writers/delta/snapshot.ts'

const TOPIC = 'shop.public.t'

interface World {
  /** What the connector has confirmed. */
  readonly confirmed: string
  readonly partitions: readonly (readonly [partition: number, endOffset: bigint])[]
  /** Values behind the table's position. */
  readonly behind?: readonly (string | null)[]
  /** Offset that the pipeline has noted of partition 0. */
  readonly passed?: bigint
}

function barrier({ confirmed, partitions, behind = [], passed = 0n }: World): LiveStream {
  const query: SourceDatabase['query'] = async (site) =>
    site === 'dq.slot' ? [{ lsn: confirmed }] : [{ lsn: '0/3E8' }]
  const database = { query, session: (work: (session: object) => unknown) => work({ query }) }
  const ranges = partitions.map(
    ([partition, endOffset]): PartitionRange => ({ topic: TOPIC, partition, startOffset: 0n, endOffset }),
  )
  const topics = {
    partitions: async () => ranges,
    readRange: async function* () {
      const records = behind.map(
        (value) => ({ value: value === null ? null : Buffer.from(value) }) as RawRecord,
      )
      yield { topic: TOPIC, partition: 0, records, nextOffset: 0n, sizeBytes: 0 }
    },
  }
  return new LiveStream({
    database: database as unknown as SourceDatabase,
    topics: topics as unknown as ChangeSource,
    routes: { feeds: (topic) => topic === TOPIC, passed: async () => new Map([[`${TOPIC}/0`, passed]]) },
    pipeline: 'p',
    slot: 's',
  })
}

/** A table that has come to an offset, and applied an event of a transaction after a position, of one partition. */
function table(partition: number, next: bigint, seq: bigint): TableSnapshot {
  const name = `alluvium/p/${TOPIC}/${partition}`
  const values = { '': next, '/mark.epoch': 0n, '/mark.seq': seq, '/mark.lsn': seq + 1n, '/mark.count': 1n }
  const txns = Object.entries(values).map(([suffix, version]) => [name + suffix, { version }] as const)
  return { txns: new Map(txns) } as unknown as TableSnapshot
}

describe('a live stream', () => {
  test('is beyond a place that somebody names once the connector has confirmed it, or a later event was applied', async () => {
    const stream = barrier({ confirmed: '0/3E8', partitions: [[0, 9n]] })
    const at = async (lsn: bigint, seq: bigint) =>
      stream.isPassed(await stream.markAt(lsn), table(0, 9n, seq))
    expect([await at(1000n, 1n), await at(1001n, 1n), await at(1001n, 1001n)]).toEqual([true, false, true])
  })

  test.each([
    ['an event of a later transaction was applied', table(0, 5n, 1000n), [[0, 9n]], '0/0', [], true],
    ['nothing tells that the connector has sent all', table(0, 9n, 999n), [[0, 9n]], '0/3E7', [], false],
    [
      'the table came to the end after the connector had confirmed',
      table(0, 9n, 1n),
      [[0, 9n]],
      '0/3E8',
      [],
      true,
    ],
    ['a change is still to come', table(0, 5n, 1n), [[0, 9n]], '0/3E8', [null, '{}'], false],
    ['only Kafka tombstones are still to come', table(0, 5n, 1n), [[0, 9n]], '0/3E8', [null, null], true],
    [
      'another partition has something',
      table(0, 5n, 1000n),
      [
        [0, 9n],
        [1, 2n],
      ],
      '0/3E8',
      ['{}'],
      false,
    ],
    [
      'another partition is empty',
      table(0, 5n, 1000n),
      [
        [0, 9n],
        [1, 0n],
      ],
      '0/0',
      [],
      true,
    ],
  ] as const)('is passed or not when %s', async (_, snapshot, partitions, confirmed, behind, expected) => {
    const stream = barrier({ confirmed, partitions, behind })
    expect(await stream.isPassed(await stream.mark(), snapshot)).toBe(expected)
  })

  test('has not reached a table that was laid down without it, until it is noted to have passed', async () => {
    const world = { confirmed: '0/3E8', partitions: [[0, 9n]], behind: ['{}'] } as const
    const laidDown = { txns: new Map() } as unknown as TableSnapshot
    const isPassed = async (passed: bigint) => {
      const stream = barrier({ ...world, passed })
      const mark = await stream.mark()
      return [await stream.isPassed(mark, laidDown), await stream.isPassed(mark, laidDown)]
    }
    expect(await isPassed(8n)).toEqual([false, false])
    // The version that is looked at first may be older than the note.
    expect(await isPassed(9n)).toEqual([false, true])
  })

  test('reads positions of the log as numbers', () => {
    expect(parseLsn('16/B374D848')).toBe(0x16_b374_d848n)
  })
})
