import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Clock, PartitionPosition, RawRecord, ReadOptions, RecordBatch } from '../../../../core/ports.ts'
import { FileSource } from '../../../../src/io/file-source.ts'

const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes))

interface LineFields {
  readonly topic?: string
  readonly partition?: number
  readonly offset: number | string
  readonly [name: string]: unknown
}

function line(fields: LineFields): string {
  const whole = {
    topic: 't',
    partition: 0,
    timestamp: 7,
    timestampType: 'create',
    key: 'k',
    value: 'v',
    headers: [],
    ...fields,
  }
  const { topic, partition, offset, ...rest } = whole
  return `${JSON.stringify({ topic, partition, offset, ...rest })}\n`
}

/** Sleeps not at all, and lets the test do something while the source believes to sleep. */
class PollClock implements Clock {
  onSleep: () => Promise<void> = async () => {}
  nowMs = () => 0
  monotonicMs = () => 0
  sleep = () => this.onSleep()
}

/** Partitions that are not named start at their first record. */
function startingAt(from: readonly PartitionPosition[], untilEnd: boolean): ReadOptions {
  return {
    untilEnd,
    startAt: async ({ topic, partition, startOffset }) =>
      from.find((at) => at.topic === topic && at.partition === partition)?.nextOffset ?? startOffset,
    onRevoked: async () => {},
  }
}

describe('FileSource', () => {
  let directory: string
  let clock: PollClock
  let source: FileSource

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alluvium-recording-'))
    clock = new PollClock()
    source = new FileSource(directory, clock)
  })
  afterEach(async () => {
    await source.close()
    await rm(directory, { recursive: true, force: true })
  })

  const write = (name: string, ...lines: string[]) => writeFile(join(directory, name), lines.join(''))
  const append = (name: string, ...lines: string[]) => appendFile(join(directory, name), lines.join(''))

  async function readAll(from: readonly PartitionPosition[] = []): Promise<RecordBatch[]> {
    const batches: RecordBatch[] = []
    for await (const batch of source.read(startingAt(from, true))) batches.push(batch!)
    return batches
  }
  const recordsOf = (batches: readonly RecordBatch[]): RawRecord[] =>
    batches.flatMap((batch) => batch.records)
  const malformed = (message: RegExp) =>
    expect.objectContaining({ code: 'E_RECORDING', remedy: 'stop', message: expect.stringMatching(message) })

  test('reads every field of a record as bytes', async () => {
    await write(
      'shop.jsonl',
      line({
        topic: 'shop',
        partition: 2,
        offset: 5,
        timestamp: 1795249774917,
        key: '{"id":"ä"}',
        value: null,
        headers: [
          ['a', 'x'],
          ['a', null],
          ['b', { base64: '/wA=' }],
        ],
      }),
      line({
        topic: 'shop',
        partition: 2,
        offset: 6,
        key: undefined,
        keyBase64: '/wA=',
        value: undefined,
        valueBase64: 'AAEC',
      }),
      line({ topic: 'shop', partition: 2, offset: 7, key: undefined, headers: undefined }),
    )
    const [first, second, third] = recordsOf(await readAll())
    expect(first).toMatchObject({
      topic: 'shop',
      partition: 2,
      offset: 5n,
      timestampMs: 1795249774917,
      value: null,
    })
    expect(text(first!.key)).toBe('{"id":"ä"}')
    expect(first!.headers.map(([name, value]) => [name, value && [...value]])).toEqual([
      ['a', [120]],
      ['a', null],
      ['b', [255, 0]],
    ])
    expect([...second!.key!]).toEqual([255, 0])
    expect([...second!.value!]).toEqual([0, 1, 2])
    expect(third).toMatchObject({ key: null, headers: [] })
  })

  test('tells partitions, and yields runs of one partition in file order', async () => {
    await write(
      'b.jsonl',
      line({ topic: 'b', offset: 10 }),
      line({ topic: 'b', partition: 1, offset: 3 }),
      line({ topic: 'b', partition: 1, offset: 9 }),
      line({ topic: 'b', offset: 11 }),
    )
    await write('a.jsonl', line({ topic: 'a', offset: 0 }))
    expect(await source.partitions()).toEqual([
      { topic: 'a', partition: 0, startOffset: 0n, endOffset: 1n },
      { topic: 'b', partition: 0, startOffset: 10n, endOffset: 12n },
      { topic: 'b', partition: 1, startOffset: 3n, endOffset: 10n },
    ])
    const runs = (await readAll()).map((batch) => [
      batch.topic,
      batch.partition,
      batch.records.length,
      batch.nextOffset,
    ])
    expect(runs).toEqual([
      ['a', 0, 1, 1n],
      ['b', 0, 1, 11n],
      ['b', 1, 2, 10n],
      ['b', 0, 1, 12n],
    ])
  })

  test('starts each partition where it is told, others at their first record', async () => {
    await write('a.jsonl', ...[0, 1, 2, 3].map((offset) => line({ topic: 'a', offset })))
    await write(
      'b.jsonl',
      ...[0, 1].map((offset) => line({ topic: 'b', offset })),
      line({ topic: 'b', partition: 1, offset: 0 }),
    )
    const from = [
      { topic: 'a', partition: 0, nextOffset: 3n },
      { topic: 'b', partition: 0, nextOffset: 2n },
    ]
    const read = recordsOf(await readAll(from)).map((record) => [
      record.topic,
      record.partition,
      record.offset,
    ])
    expect(read).toEqual([
      ['a', 0, 3n],
      ['b', 1, 0n],
    ])
  })

  test('keeps offsets beyond 2^53 exact, as numbers and as text, in any field order', async () => {
    await write(
      'a.jsonl',
      '{"topic":"t","partition":0,"offset":9007199254740993,"timestamp":1,"value":"x"}\n',
      '{"value":"{\\"offset\\":1}","timestamp":1,"offset": 9007199254740995 ,"partition":0,"topic":"t"}\n',
      line({ offset: '9223372036854775807' }),
    )
    expect(recordsOf(await readAll()).map((record) => record.offset)).toEqual([
      9007199254740993n,
      9007199254740995n,
      9223372036854775807n,
    ])
  })

  test('ignores folders, other files and blank lines', async () => {
    await mkdir(join(directory, '_final'))
    await writeFile(join(directory, '_final', 't.jsonl'), 'not a record\n')
    await writeFile(join(directory, 'connector.json'), '{}')
    await write(
      't.jsonl',
      '\n',
      line({ offset: 0 }),
      '  \r\n',
      line({ offset: 1 }).replace('\n', '\r\n'),
      '\n',
    )
    expect(recordsOf(await readAll())).toHaveLength(2)
  })

  test('bounds batches by bytes and by records, and holds lines longer than a block', async () => {
    const big = 'ü'.repeat(3_000_000)
    await write(
      't.jsonl',
      ...Array.from({ length: 9000 }, (_, offset) => line({ offset })),
      line({ offset: 9000, value: big }),
      line({ offset: 9001 }),
    )
    const batches = await readAll()
    const records = recordsOf(batches)
    expect(records.map((record) => record.offset)).toEqual(
      Array.from({ length: 9002 }, (_, offset) => BigInt(offset)),
    )
    expect(text(records[9000]!.value)).toBe(big)
    for (const batch of batches) {
      expect(batch.records.length).toBeLessThanOrEqual(4096)
      const last = batch.records.at(-1)!
      expect(batch.sizeBytes - (last.key!.length + last.value!.length)).toBeLessThan(1024 * 1024)
    }
  })

  test('reads a last line without a newline', async () => {
    await write('t.jsonl', line({ offset: 0 }), line({ offset: 1 }).trimEnd())
    expect(recordsOf(await readAll())).toHaveLength(2)
  })

  test('ends at the ends it told, though the files have grown', async () => {
    await write('t.jsonl', line({ offset: 0 }))
    expect(await source.partitions()).toMatchObject([{ endOffset: 1n }])
    await append('t.jsonl', line({ offset: 1 }))
    await write('u.jsonl', line({ topic: 'u', offset: 0 }))
    expect(recordsOf(await readAll())).toHaveLength(1)
    expect(await source.partitions()).toMatchObject([{ endOffset: 2n }, { topic: 'u' }])
    expect(recordsOf(await readAll())).toHaveLength(3)
  })

  test('follows growing and new files, waits for the rest of a line, and ends when closed', async () => {
    await write('t.jsonl', line({ offset: 0 }))
    const half = line({ offset: 1, value: 'vä' })
    const cut = Buffer.from(half).indexOf(0xc3) + 1
    const steps = [
      () => appendFile(join(directory, 't.jsonl'), Buffer.from(half).subarray(0, cut)),
      () => appendFile(join(directory, 't.jsonl'), Buffer.from(half).subarray(cut)),
      () => write('u.jsonl', line({ topic: 'u', offset: 4 }).trimEnd()),
      () => append('u.jsonl', '\n', line({ topic: 'u', offset: 5 })),
      () => source.close(),
    ]
    clock.onSleep = async () => steps.shift()?.()
    const seen: (string | null)[] = []
    for await (const batch of source.read(
      startingAt([{ topic: 't', partition: 0, nextOffset: 1n }], false),
    )) {
      seen.push(
        batch === null ? null : batch.records.map((record) => `${record.topic}${record.offset}`).join(),
      )
    }
    expect(seen).toEqual([null, null, 't1', null, 'u4', null, 'u5', null])
    expect(steps).toEqual([])
  })

  test.each([
    ['{"topic":"t","partition":0,"offset":1,"timestamp":1,"value":"cut o\n', /t\.jsonl:2 .*not JSON/],
    ['nonsense\n', /t\.jsonl:2 .*not JSON/],
    ['[1]\n', /t\.jsonl:2 .*not an object/],
    [line({ offset: 1, value: undefined }), /t\.jsonl:2 .*neither `value` nor/],
    [line({ offset: 1, value: 5 }), /t\.jsonl:2 .*`value` is neither text nor null/],
    [line({ offset: 1, valueBase64: 'AAAA' }), /t\.jsonl:2 .*both `value` and/],
    [line({ offset: 1, key: undefined, keyBase64: 'A-A=' }), /t\.jsonl:2 .*not base64/],
    [line({ offset: 1, timestamp: '1' }), /t\.jsonl:2 .*`timestamp`/],
    [line({ offset: 1, headers: [['a']] }), /t\.jsonl:2 .*header/],
    [line({ offset: 1, value: '\ud800' }), /t\.jsonl:2 .*surrogate/],
    [line({ offset: -1 }), /t\.jsonl:2 .*`offset`/],
    [line({ offset: 1.5 }), /t\.jsonl:2 .*`offset`/],
    [line({ offset: '9223372036854775808' }), /t\.jsonl:2 .*`offset`/],
    [line({ offset: 1, partition: -1 }), /t\.jsonl:2 .*`partition`/],
    [line({ offset: 0 }), /t\.jsonl:2 .*offset 0 .* comes after 0/],
    [line({ offset: 1 }).slice(0, 30), /t\.jsonl:2 .*cut off/],
  ])('names file and line of %j', async (bad, message) => {
    await write('t.jsonl', line({ offset: 0 }), bad)
    await expect(readAll()).rejects.toEqual(malformed(message))
  })

  test('refuses text that is not UTF-8', async () => {
    await writeFile(join(directory, 't.jsonl'), Buffer.from(line({ offset: 0, value: 'é' }), 'latin1'))
    await expect(readAll()).rejects.toEqual(malformed(/t\.jsonl:1 .*not UTF-8/))
  })

  test('refuses a file that shrinks while it is followed', async () => {
    await write('t.jsonl', line({ offset: 0 }), line({ offset: 1 }))
    clock.onSleep = () => write('t.jsonl', line({ offset: 0 }))
    const reading = (async () => {
      for await (const _ of source.read(startingAt([], false)));
    })()
    await expect(reading).rejects.toEqual(malformed(/became shorter/))
  })

  test('says so when the directory is missing, a file, or only holds folders of recordings', async () => {
    const refusal = (message: RegExp) =>
      expect.objectContaining({
        code: 'E_NO_RECORDING',
        remedy: 'usage',
        message: expect.stringMatching(message),
      })
    await expect(new FileSource(join(directory, 'nothing'), clock).partitions()).rejects.toEqual(
      refusal(/nothing is not a directory/),
    )
    await writeFile(join(directory, 'file'), '')
    await expect(new FileSource(join(directory, 'file'), clock).partitions()).rejects.toEqual(
      refusal(/not a directory/),
    )
    await mkdir(join(directory, 'envelope'))
    await expect(source.partitions()).rejects.toEqual(refusal(/only folders; name one of them: envelope/))
  })

  test('an empty directory is a source with nothing in it', async () => {
    expect(await source.partitions()).toEqual([])
    expect(await readAll()).toEqual([])
  })
})
