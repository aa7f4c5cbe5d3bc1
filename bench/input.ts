import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type AppendCase, type Case, EVENTS_A_BATCH, type UpsertCase } from './cases.ts'
import { run } from './contestant.ts'
import { compiled, DATA, PYTHON, SPARK_JARS, SPARK_PYTHON, script, TABLES, WORK } from './places.ts'

/** Generated once, and again when the case asks for more batches. @returns the directory */
export function upsertData({ workload, baseRows, before, batches }: UpsertCase): string {
  const size = ['--n', baseRows, '--k', batches, '--b', EVENTS_A_BATCH]
  return changes(
    `${workload}-${baseRows}-${before}`,
    ['--workload', workload, '--before', before, ...size],
    batches,
  )
}

export function appendData({ batches, eventsABatch }: AppendCase): string {
  return changes('A', ['--workload', 'A', '--k', batches, '--b', eventsABatch], batches)
}

function changes(name: string, args: readonly (string | number)[], batches: number): string {
  const directory = join(DATA, name)
  const meta = join(directory, 'meta.json')
  const isEnough = existsSync(meta) && (JSON.parse(readFileSync(meta, 'utf8')) as { k: number }).k >= batches
  if (!isEnough) generate(directory, args)
  return directory
}

function generate(directory: string, args: readonly (string | number)[]): void {
  rmSync(directory, { recursive: true, force: true })
  process.stderr.write(
    `  ${run(PYTHON, [script('workload/generate.py'), '--out', directory, ...args.map(String)])}`,
  )
}

/** The rows that tables begin with; all workloads share them. @returns the directory */
function baseData({ baseRows }: UpsertCase): string {
  const directory = join(DATA, `base-${baseRows}`)
  if (!existsSync(directory)) generate(directory, ['--base', '--n', baseRows])
  return directory
}

/** A fresh copy of the table that a case of ours begins with. @returns the lake */
export function ourLake(each: UpsertCase): string {
  return linkedCopy(laidBase(each), 'ours')
}

/** How our engine is told where things lie; it knows nothing of earlier runs. */
export function ourPlaces(data: string, lake: string): readonly string[] {
  return ['--data', data, '--lake', lake, '--state', freshTable('state')]
}

/** Makes what a case needs that is made only once. */
export function prepare(each: Case): void {
  if (each.kind === 'append') appendData(each)
  else {
    upsertData(each)
    laidBase(each)
  }
}

function laidBase(each: UpsertCase): string {
  const laid = join(TABLES, `base-${each.baseRows}-${writerFingerprint()}`)
  if (!existsSync(join(laid, 'public/orders/_delta_log'))) {
    process.stderr.write(`  laying down ${each.baseRows} rows\n`)
    run(process.execPath, [compiled('engine/lay-base.js'), '--base', baseData(each), '--lake', laid])
  }
  return laid
}

export function deltaRsTable(each: UpsertCase): string {
  const table = freshTable('delta-rs')
  run(PYTHON, [script('peers/delta_rs.py'), '--table', table, '--base', baseData(each)])
  return table
}

export function sparkTable(each: UpsertCase): string {
  const table = freshTable('spark')
  run(SPARK_PYTHON, [
    script('peers/spark.py'),
    '--jars',
    SPARK_JARS,
    '--table',
    table,
    '--base',
    baseData(each),
  ])
  return table
}

/** @returns where a table can be made; what was there is gone */
export function freshTable(name: string): string {
  const table = join(TABLES, name)
  rmSync(table, { recursive: true, force: true })
  return table
}

/** Nothing that is in a lake is ever written to again: links are copies. */
export function linkedCopy(lake: string, name: string): string {
  const copy = freshTable(name)
  run('cp', ['--recursive', '--link', lake, copy])
  return copy
}

/** What decides how base files look, as it runs: they are laid down anew when it changes. */
function writerFingerprint(): string {
  const hash = createHash('sha256')
  const running = (path: string) => join(WORK, 'js', path)
  const encoders = readdirSync(running('writers/parquet')).filter((name) => name.endsWith('.js'))
  for (const name of encoders.sort()) hash.update(readFileSync(running(`writers/parquet/${name}`)))
  for (const file of ['writers/data-file.js', 'writers/table/table-layout.js', 'bench/engine/lay-base.js']) {
    hash.update(readFileSync(running(file)))
  }
  return hash.digest('hex').slice(0, 10)
}

/** @returns `true`, or in which way the table is not what the batches must have left */
export function verified(data: string, table: string, batches: number): boolean | string {
  const args = ['--data', data, '--table', table, '--batches', String(batches)]
  const printed = run(PYTHON, [script('workload/verify.py'), ...args])
  return (JSON.parse(printed) as { verified: boolean | string }).verified
}
