import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type AppendCase, EVENTS_A_BATCH, type UpsertCase } from './cases.ts'
import { run } from './contestant.ts'
import { compiled, DATA, PYTHON, ROOT, script, TABLES } from './places.ts'

/** Generated once, and again when the case asks for other batches. @returns the directory */
export function upsertData({ workload, baseRows, before, batches }: UpsertCase): string {
  const size = ['--n', baseRows, '--k', batches, '--b', EVENTS_A_BATCH]
  return generated(
    `${workload}-${baseRows}-${before}`,
    ['--workload', workload, '--before', before, ...size],
    batches,
  )
}

export function appendData({ batches, eventsABatch }: AppendCase): string {
  return generated('A', ['--workload', 'A', '--k', batches, '--b', eventsABatch], batches)
}

function generated(name: string, args: readonly (string | number)[], batches: number): string {
  const directory = join(DATA, name)
  const meta = join(directory, 'meta.json')
  const enough = existsSync(meta) && (JSON.parse(readFileSync(meta, 'utf8')) as { k: number }).k >= batches
  if (enough) return directory
  rmSync(directory, { recursive: true, force: true })
  process.stderr.write(run(PYTHON, [script('workload/generate.py'), '--out', directory, ...args.map(String)]))
  return directory
}

/** A fresh copy of the table that a case of ours begins with. @returns the lake */
export function ourLake(data: string, { name, workload, baseRows }: UpsertCase): string {
  const base = join(TABLES, `base-${workload}-${baseRows}-${writerFingerprint()}`)
  if (!existsSync(join(base, 'public/orders/_delta_log'))) {
    process.stderr.write(`${name}: laying down ${baseRows} rows\n`)
    run(process.execPath, [compiled('engine/lay-base.js'), '--data', data, '--lake', base])
  }
  const lake = freshTable('ours')
  // Nothing that is in a lake is ever written to again: links are copies.
  run('cp', ['--recursive', '--link', base, lake])
  return lake
}

export function deltaRsTable(data: string): string {
  const table = freshTable('delta-rs')
  run(PYTHON, [script('peers/delta_rs.py'), '--data', data, '--table', table, '--lay-base'])
  return table
}

/** @returns where a table can be made; what was there is gone */
export function freshTable(name: string): string {
  const table = join(TABLES, name)
  rmSync(table, { recursive: true, force: true })
  return table
}

export function copyOfTable(table: string, name: string): string {
  const copy = freshTable(name)
  cpSync(table, copy, { recursive: true })
  return copy
}

/** What decides how base files look: they are laid down anew when it changes. */
function writerFingerprint(): string {
  const hash = createHash('sha256')
  const folder = join(ROOT, 'writers/parquet')
  for (const name of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, name)))
  for (const file of ['writers/data-file.ts', 'writers/table/table-layout.ts', 'bench/engine/lay-base.ts']) {
    hash.update(readFileSync(join(ROOT, file)))
  }
  return hash.digest('hex').slice(0, 10)
}

export function verified(data: string, table: string, batches: number): boolean | string {
  const printed = run(PYTHON, [
    ...[script('workload/verify.py'), '--data', data, '--table', table, '--batches', String(batches)],
  ])
  return (JSON.parse(printed) as { verified: boolean | string }).verified
}
