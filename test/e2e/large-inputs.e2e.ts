import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeLongRows, writeManyTables, writeTransaction, writeWideRows } from '../support/large-topics.ts'
import { recordsAccountedFor, runIngest } from './run-ingest.ts'

/** `LARGE=full`: the sizes that are promised, for the night; else a part of them that takes seconds. */
const IS_FULL = process.env['LARGE'] === 'full'
const TIMEOUT_MS = IS_FULL ? 7_200_000 : 120_000

const RSS_MB_MAX = 512
const TELL_RSS = 'process.on("exit", () => console.error(`maxRSS=${process.resourceUsage().maxRSS}`))'

interface LargeInput {
  readonly what: string
  /** @returns how many records were written */
  readonly write: (directory: string) => number
  readonly heapMb: number
  /** Default: what a process with the default settings lives in. */
  readonly rssMb?: number
  readonly tables: number
  readonly rows: number
}

const TRANSACTION_ROWS = 10_000_000
const longRows = IS_FULL ? 500 : 80
const wideRows = IS_FULL ? 20_000 : 200
const tables = IS_FULL ? 1000 : 300

const INPUTS: readonly LargeInput[] = [
  {
    what: `${longRows} rows of 1 MB`,
    write: (directory) => writeLongRows(directory, 'documents', longRows, 1_000_000),
    heapMb: 192,
    tables: 1,
    rows: longRows,
  },
  {
    what: `${wideRows} rows of 2,000 columns`,
    write: (directory) => writeWideRows(directory, 'wide', wideRows, 2000),
    heapMb: 192,
    tables: 1,
    rows: wideRows,
  },
  {
    what: `${tables} tables of a few rows`,
    write: (directory) => writeManyTables(directory, tables, 5),
    heapMb: 192,
    tables,
    rows: 5 * tables,
  },
]

/** A small one: `large-transaction.e2e.ts`. */
const TRANSACTION: LargeInput = {
  what: `one transaction of ${TRANSACTION_ROWS} rows`,
  write: (directory) => writeTransaction(directory, 'ledger', TRANSACTION_ROWS, 'silt '),
  heapMb: 384,
  rssMb: 1024,
  tables: 1,
  rows: TRANSACTION_ROWS - TRANSACTION_ROWS / 10,
}

describe('a process with a small heap takes in', () => {
  test.each(IS_FULL ? [...INPUTS, TRANSACTION] : INPUTS)(
    '$what',
    async ({ write, heapMb, rssMb = RSS_MB_MAX, tables, rows }) => {
      const directory = mkdtempSync(join(tmpdir(), 'alluvium-large-'))
      try {
        const from = join(directory, 'topics')
        mkdirSync(from)
        const records = write(from)
        const nodeArguments = [
          `--max-old-space-size=${heapMb}`,
          '--import',
          `data:text/javascript,${TELL_RSS}`,
        ]
        const { exitCode, stderr, summary } = await runIngest({
          from,
          lake: join(directory, 'lake'),
          nodeArguments,
        })
        expect(exitCode, stderr).toBe(0)
        expect(summary!.records).toBe(records)
        expect(recordsAccountedFor(summary!)).toBe(records)
        expect(summary!.tables).toHaveLength(tables)
        expect(summary!.tables.reduce((sum, table) => sum + table.rows, 0)).toBe(rows)
        const peakMb = Number(/maxRSS=(\d+)/.exec(stderr)?.[1]) / 1024
        console.log(`${records} records, ${peakMb.toFixed(0)} MB at most`)
        expect(peakMb).toBeLessThan(rssMb)
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    },
    TIMEOUT_MS,
  )
})
