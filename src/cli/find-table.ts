import { EngineError } from '../../core/errors.ts'
import { tablePath } from '../../schemas/table-path.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { listTables } from '../../writers/table/list-tables.ts'
import { nearestName } from '../config/nearest-name.ts'
import type { OpenLake } from './lake-options.ts'

/** Names that an error lists when none of them is near. */
const NAMES_SHOWN = 8

/**
 * The table that a person means: by its path in the lake, or by its name in the source (`schema.table`).
 *
 * @throws EngineError `E_NO_TABLE` (usage) naming tables that may be meant; what `DeltaTable.open` throws
 */
export async function findTable(
  lake: OpenLake,
  name: string,
  options: { readonly version?: number } = {},
): Promise<DeltaTable> {
  for (const path of likelyPaths(lake, name)) {
    const table = await DeltaTable.open(lake.store, path, options)
    if (table !== null) return table
  }
  const tables = await namedTables(lake)
  const meant = tables.filter((table) => table.name === name)
  if (meant.length === 1) return (await DeltaTable.open(lake.store, meant[0]!.path, options))!
  throw meant.length > 1
    ? ambiguous(
        name,
        meant.map(({ path }) => path),
      )
    : unknown(name, tables, lake)
}

interface NamedTable {
  readonly path: string
  /** `null` when it has none, or cannot be read. */
  readonly name: string | null
}

/** Where the name leads without looking for it: as a path, and by the templates of the pipelines. */
function likelyPaths({ config }: OpenLake, name: string): string[] {
  const paths = [pathInLake(name, config.lake.location)]
  const dot = name.indexOf('.')
  if (dot > 0 && dot < name.length - 1) {
    const table = { sourceName: '', database: '', schema: name.slice(0, dot), table: name.slice(dot + 1) }
    for (const { tablePath: template } of config.pipelines) {
      if (!/\{(sourceName|database)\}/.test(template)) paths.push(tablePath(template, table))
    }
  }
  return paths.filter(isPlainPath)
}

/** People complete paths in their shell: `./lake/public/orders/`. */
function pathInLake(name: string, location: string): string {
  const plain = (path: string) => path.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '')
  const root = `${plain(location)}/`
  const path = name === '.' ? '' : plain(name)
  return path.startsWith(root) ? path.slice(root.length) : path
}

/** The lake itself may be a table: its path is empty. */
function isPlainPath(path: string): boolean {
  if (path === '') return true
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/[\0\\]/.test(part))
}

async function namedTables({ store }: OpenLake): Promise<NamedTable[]> {
  const tables: NamedTable[] = []
  for await (const path of listTables(store, { hidden: false })) {
    tables.push({ path, name: await nameOf(store, path) })
  }
  return tables
}

async function nameOf(store: OpenLake['store'], path: string): Promise<string | null> {
  try {
    return (await DeltaTable.open(store, path))?.snapshot.metadata.name ?? null
  } catch (error) {
    if (error instanceof EngineError && error.remedy === 'stop-table') return null
    throw error
  }
}

function ambiguous(name: string, paths: readonly string[]): EngineError {
  return new EngineError(
    'E_NO_TABLE',
    'usage',
    `several tables are called ${name}; name one by its path: ${paths.join(', ')}`,
  )
}

function unknown(name: string, tables: readonly NamedTable[], { store }: OpenLake): EngineError {
  const known = tables.map((table) => table.name ?? table.path)
  const paths = tables.map((table) => table.path)
  const near =
    nearestName(name, known) ?? nearestName(name, paths) ?? known.find((each) => each.endsWith(`.${name}`))
  const list = known.slice(0, NAMES_SHOWN).join(', ') + (known.length > NAMES_SHOWN ? ', …' : '')
  const hint =
    near !== undefined ? `did you mean ${near}?` : known.length === 0 ? 'it holds no table' : `it has ${list}`
  return new EngineError('E_NO_TABLE', 'usage', `there is no table ${name} in ${store.location}; ${hint}`)
}
