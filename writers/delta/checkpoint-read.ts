import { EngineError, messageOf } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import { type Cell, field, type StructType, struct } from '../../schemas/delta-types.ts'
import { openParquet, type ParquetReader } from '../parquet/read-parquet.ts'
import { membersOfCell } from './action-cells.ts'
import { actionOf } from './action-json.ts'
import type { Action } from './actions.ts'
import { CHECKPOINT_SCHEMA, SIDECAR_COLUMNS } from './checkpoint-schema.ts'
import { type ExactJson, parseExactJson } from './exact-json.ts'
import type { CheckpointFiles } from './log-listing.ts'
import { sidecarPath } from './log-path.ts'
import { parseSchemaString } from './schema-string.ts'
import { readStructStatistics } from './struct-statistics.ts'

const WITH_SIDECARS = struct([...CHECKPOINT_SCHEMA.fields, field('sidecar', SIDECAR_COLUMNS)])
const FILE_ACTIONS = struct(
  CHECKPOINT_SCHEMA.fields.filter(({ name }) => name === 'add' || name === 'remove'),
)

/** What one file of a checkpoint says. */
interface Contents {
  readonly actions: Action[]
  /** Names of files with the rest of the actions. */
  readonly sidecars: string[]
}

/**
 * All actions of a checkpoint: classic, multi-part, or V2 with or without sidecars.
 *
 * @returns `null` when a file of it is missing or damaged: an older checkpoint and the entries after it say the same
 * @throws what the store throws on a bad day
 * @see delta-protocol §4.2, §4.3
 */
export async function readCheckpoint(
  store: ObjectStore,
  tablePath: string,
  checkpoint: CheckpointFiles,
): Promise<Action[] | null> {
  try {
    const contents: Contents = { actions: [], sidecars: [] }
    for (const path of checkpoint.paths) {
      if (checkpoint.format === 'json') await readJson(store, path, contents)
      else await readRows(await open(store, path), WITH_SIDECARS, contents)
    }
    const sidecars = contents.sidecars.map((name) => sidecarPath(tablePath, name))
    for (const path of sidecars) await readRows(await open(store, path), FILE_ACTIONS, contents)
    const { actions } = contents
    if (!isWhole(actions)) return null
    const parquetFiles = checkpoint.format === 'json' ? sidecars : [...checkpoint.paths, ...sidecars]
    return await withStructStatistics(store, parquetFiles, actions)
  } catch (error) {
    if (isDamage(error)) return null
    throw error
  }
}

/**
 * A second look at the files, for tables whose checkpoints keep statistics as columns only. Statistics that cannot be
 * read are left out: without them more files are opened, and no row is lost.
 */
async function withStructStatistics(
  store: ObjectStore,
  paths: readonly string[],
  actions: Action[],
): Promise<Action[]> {
  const metadata = actions.findLast((action) => action.kind === 'metaData')!
  if (metadata.configuration['delta.checkpoint.writeStatsAsJson'] !== 'false') return actions
  const texts = new Map<string, string>()
  try {
    const schema = parseSchemaString(metadata.schemaString)
    for (const path of paths) {
      const found = await readStructStatistics(await open(store, path), schema)
      for (const [file, text] of found) texts.set(file, text)
    }
  } catch (error) {
    if (!isDamage(error)) throw error
  }
  return actions.map((action) =>
    action.kind === 'add' && action.stats === undefined
      ? { ...action, stats: texts.get(action.path) }
      : action,
  )
}

function isDamage(error: unknown): boolean {
  return error instanceof EngineError && error.remedy === 'stop-table'
}

/** A file that was cut at a row group's end can look valid; without these two it holds no table. */
function isWhole(actions: readonly Action[]): boolean {
  return actions.some(({ kind }) => kind === 'protocol') && actions.some(({ kind }) => kind === 'metaData')
}

/** A checkpoint is read whole, so one request is the cheapest way to it. */
async function open(store: ObjectStore, path: string): Promise<ParquetReader> {
  const bytes = await store.get('checkpoint.get', path)
  if (bytes === null) throw damaged(path, 'it is missing')
  return openParquet({
    sizeBytes: bytes.length,
    read: async (start, end) => bytes.subarray(start, end),
  })
}

async function readRows(reader: ParquetReader, schema: StructType, contents: Contents): Promise<void> {
  for await (const batch of reader.batches(schema)) {
    for (const [at, { name, type }] of schema.fields.entries()) {
      const cells = batch.columns[at]!
      for (let row = 0; row < batch.rowCount; row++) {
        const cell = cells[row]
        if (cell === null || cell === undefined) continue
        collect(name, membersOfCell(cell as readonly Cell[], type as StructType) as JsonBody, contents)
      }
    }
  }
}

async function readJson(store: ObjectStore, path: string, contents: Contents): Promise<void> {
  const bytes = await store.get('checkpoint.get', path)
  if (bytes === null) throw damaged(path, 'it is missing')
  for (const line of new TextDecoder().decode(bytes).split('\n')) {
    if (line.trim() === '') continue
    for (const [key, body] of Object.entries(parseLine(line, path))) {
      if (body !== null) collect(key, body as JsonBody, contents)
    }
  }
}

function parseLine(line: string, path: string): JsonBody {
  try {
    return parseExactJson(line) as JsonBody
  } catch (error) {
    throw damaged(path, messageOf(error))
  }
}

type JsonBody = { readonly [key: string]: ExactJson }

function collect(key: string, body: JsonBody, contents: Contents): void {
  if (key === 'sidecar') {
    contents.sidecars.push(String(body['path']))
    return
  }
  const action = actionOf(key, body)
  if (action !== undefined) contents.actions.push(action)
}

function damaged(path: string, why: string): EngineError {
  return new EngineError('E_CHECKPOINT', 'stop-table', `the checkpoint file ${path} cannot be read: ${why}`)
}
