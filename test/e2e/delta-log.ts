import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Action = Readonly<Record<string, { readonly [name: string]: unknown }>>

const ENTRY = /^\d{20}\.json$/

/** Directories of all tables below a lake, the engine's own among them, in order of their names. */
export function tablesBelow(directory: string): string[] {
  if (existsSync(join(directory, '_delta_log'))) return [directory]
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => tablesBelow(join(directory, entry.name)))
    .sort()
}

/** Versions of the log entries that are there as JSON, ascending. */
export function logVersions(table: string): number[] {
  return logFiles(table)
    .filter((name) => ENTRY.test(name))
    .map((name) => Number(name.slice(0, 20)))
}

/** Versions that have a checkpoint, ascending. */
export function checkpointVersions(table: string): number[] {
  return logFiles(table)
    .filter((name) => /^\d{20}\.checkpoint.*\.parquet$/.test(name))
    .map((name) => Number(name.slice(0, 20)))
}

export function actionsAt(table: string, version: number): Action[] {
  const entry = readFileSync(join(table, '_delta_log', `${String(version).padStart(20, '0')}.json`), 'utf8')
  return entry
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Action)
}

/** Versions whose changes are told by change files, and by nothing else. */
export function versionsWithChangeFiles(table: string): Set<number> {
  return new Set(logVersions(table).filter((version) => hasAction(table, version, 'cdc')))
}

/** How many commits added a file together with a deletion vector. */
export function commitsWithDeletionVectors(table: string): number {
  return logVersions(table).filter((version) =>
    actionsAt(table, version).some((action) => action['add']?.['deletionVector'] != null),
  ).length
}

/** The last version that gave a column another type; `null` when none did. */
export function lastTypeChange(table: string): number | null {
  const types = new Map<string, string>()
  let last: number | null = null
  for (const version of logVersions(table)) {
    for (const { name, type } of fieldsAt(table, version)) {
      const text = JSON.stringify(type)
      if ((types.get(name) ?? text) !== text) last = version
      types.set(name, text)
    }
  }
  return last
}

/** Fields of the schema that an entry sets; none when it sets none. */
function fieldsAt(
  table: string,
  version: number,
): readonly { readonly name: string; readonly type: unknown }[] {
  const metadata = actionsAt(table, version).find((action) => action['metaData'] !== undefined)
  return metadata === undefined ? [] : JSON.parse(metadata['metaData']!['schemaString'] as string).fields
}

function hasAction(table: string, version: number, name: string): boolean {
  return actionsAt(table, version).some((action) => action[name] !== undefined)
}

function logFiles(table: string): string[] {
  return readdirSync(join(table, '_delta_log')).sort()
}
