import { EngineError } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import { type Cell, field, type StructType, struct } from '../../schemas/delta-types.ts'
import { openParquet } from '../parquet/read-parquet.ts'
import { membersOfCell } from './action-cells.ts'
import { actionOf } from './action-json.ts'
import type { Action } from './actions.ts'
import { CHECKPOINT_SCHEMA, SIDECAR_COLUMNS } from './checkpoint-schema.ts'
import { type ExactJson, parseExactJson } from './exact-json.ts'
import type { CheckpointFiles } from './log-listing.ts'
import { sidecarPath } from './log-path.ts'

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
      else await readParquet(store, path, WITH_SIDECARS, contents)
    }
    for (const name of contents.sidecars.slice()) {
      await readParquet(store, sidecarPath(tablePath, name), FILE_ACTIONS, contents)
    }
    return isWhole(contents.actions) ? contents.actions : null
  } catch (error) {
    if (error instanceof EngineError && error.remedy !== 'stop-table') throw error
    return null
  }
}

/** A file that was cut at a row group's end can look valid; without these two it holds no table. */
function isWhole(actions: readonly Action[]): boolean {
  return actions.some(({ kind }) => kind === 'protocol') && actions.some(({ kind }) => kind === 'metaData')
}

async function readParquet(
  store: ObjectStore,
  path: string,
  schema: StructType,
  contents: Contents,
): Promise<void> {
  // A checkpoint is read whole, so one request is the cheapest way to it.
  const bytes = await store.get('checkpoint.get', path)
  if (bytes === null) throw damaged(path)
  const reader = await openParquet({
    sizeBytes: bytes.length,
    read: async (start, end) => bytes.subarray(start, end),
  })
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
  if (bytes === null) throw damaged(path)
  for (const line of new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n')) {
    if (line.trim() === '') continue
    for (const [key, body] of Object.entries(parseExactJson(line) as JsonBody)) {
      if (body !== null) collect(key, body as JsonBody, contents)
    }
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

function damaged(path: string): EngineError {
  return new EngineError('E_CHECKPOINT', 'stop-table', `the checkpoint file ${path} is missing`)
}
