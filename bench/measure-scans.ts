import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './contestant.ts'
import { linkedCopy } from './input.ts'
import { PYTHON, SPARK_JARS, SPARK_PYTHON, script, WORK } from './places.ts'
import type { ScanResult } from './results.ts'
import { spreadOf } from './statistics.ts'

const TABLE = 'public/orders'

interface Printed {
  readonly reader: string
  readonly version: string
  readonly tables: readonly { readonly rows: number; readonly seconds: readonly number[] }[]
}

/** How long readers take over a table as the stream left it, and over a copy that was compacted; in turns. */
export function measureScans(lake: string): readonly ScanResult[] {
  const compacted = linkedCopy(lake, 'compacted')
  run(process.execPath, [
    join(WORK, 'js/src/cli/main.js'),
    'table',
    'optimize',
    'public.orders',
    '--lake',
    compacted,
  ])
  const tables = [join(lake, TABLE), join(compacted, TABLE)]
  const scan = (python: string, reader: string, ...more: string[]): ScanResult => {
    process.stderr.write(`  scans by ${reader}\n`)
    const args = [script('peers/scan.py'), '--reader', reader, ...more, '--tables', ...tables]
    const printed = JSON.parse(run(python, args)) as Printed
    const [asLeft, fresh] = printed.tables
    if (asLeft!.rows !== fresh!.rows)
      throw new Error(`${reader} finds other rows after the table was compacted`)
    return {
      reader,
      version: printed.version,
      asLeft: spreadOf(asLeft!.seconds),
      compacted: spreadOf(fresh!.seconds),
    }
  }
  const results = [scan(PYTHON, 'delta-rs'), scan(PYTHON, 'duckdb')]
  if (existsSync(SPARK_PYTHON))
    results.push(scan(SPARK_PYTHON, 'spark', '--jars', SPARK_JARS, '--times', '3'))
  return results
}
