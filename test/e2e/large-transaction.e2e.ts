import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyJson } from '../support/account.ts'
import { RecordedTopicWriter } from '../support/recorded-topic-writer.ts'
import { logVersions } from './delta-log.ts'
import { recordsAccountedFor, runIngest } from './run-ingest.ts'

const TABLE = 'public.ledger'
/** Inserted, then every tenth of them changed and every tenth deleted, in one transaction of some 140 MB. */
const ROWS = 150_000
const TEXT = 'silt '.repeat(100)
const FIRST_LSN = 32_097_480
/** The transaction alone would not fit in it. */
const HEAP_MB = 192
/** In which a process with the default settings lives. */
const RSS_MB_MAX = 512
const TELL_RSS = 'process.on("exit", () => console.error(`maxRSS=${process.resourceUsage().maxRSS}`))'
const NODE_ARGUMENTS = [`--max-old-space-size=${HEAP_MB}`, '--import', `data:text/javascript,${TELL_RSS}`]

describe('one transaction that is larger than the memory', () => {
  const directory = mkdtempSync(join(tmpdir(), 'alluvium-transaction-'))
  const from = join(directory, 'topics')
  let records = 0
  beforeAll(() => {
    mkdirSync(from)
    records = writeTransaction(from)
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('is taken in parts by a process with a small heap, and every row is there in the end', async () => {
    const lake = join(directory, 'lake')
    const { exitCode, stderr, summary } = await runIngest({ from, lake, nodeArguments: NODE_ARGUMENTS })
    expect(exitCode, stderr).toBe(0)
    expect(summary!.records).toBe(records)
    expect(recordsAccountedFor(summary!)).toBe(records)
    expect(summary!.tables).toMatchObject([{ name: TABLE, rows: ROWS - ROWS / 10 }])
    expect(logVersions(join(lake, 'public', 'ledger')).length).toBeGreaterThan(3)
    const rssKb = Number(/maxRSS=(\d+)/.exec(stderr)?.[1])
    expect(rssKb).toBeGreaterThan(0)
    expect(rssKb / 1024).toBeLessThan(RSS_MB_MAX)
  })
})

/** @returns how many records it has */
function writeTransaction(directory: string): number {
  const writer = new RecordedTopicWriter(directory, `shop.${TABLE}`)
  let lsn = FIRST_LSN
  const change = (op: string, id: number, text: string | null) => {
    lsn += 160
    const after = text === null ? null : `{"id":${id},"text":${JSON.stringify(text)}}`
    const before = op === 'd' ? `{"id":${id},"text":null}` : null
    const value =
      `{"before":${before},"after":${after},"source":{"version":"3.7.0.Final","connector":"postgresql","name":"shop",` +
      `"ts_ms":1795249774180,"snapshot":"false","db":"shop","sequence":"[\\"${FIRST_LSN}\\",\\"${lsn}\\"]",` +
      `"ts_us":1795249774180146,"schema":"public","table":"ledger","txId":789,"lsn":${lsn},"xmin":null},` +
      `"transaction":null,"op":"${op}","ts_ms":1795249774500}`
    const key = keyJson(BigInt(id))
    writer.append({ partition: 0, timestampMs: 1_795_249_774_510, key, value, headers: [] })
    if (op === 'd')
      writer.append({ partition: 0, timestampMs: 1_795_249_774_510, key, value: null, headers: [] })
  }
  for (let id = 0; id < ROWS; id++) change('c', id, `${TEXT}${id}`)
  for (let id = 0; id < ROWS; id += 10) change('u', id, `changed ${id}`)
  for (let id = 5; id < ROWS; id += 10) change('d', id, null)
  writer.close()
  return writer.records
}
