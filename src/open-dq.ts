import { EngineError } from '../core/errors.ts'
import type { ChangeSource, Clock, Logger, ObjectStore } from '../core/ports.ts'
import type { CheckedTable } from '../dq/checked-table.ts'
import type { DqPorts } from '../dq/dq-ports.ts'
import { LiveStream, NO_STREAM, type StreamBarrier } from '../dq/stream-barrier.ts'
import { tableName } from '../schemas/change-event.ts'
import { DeltaTable } from '../writers/table/delta-table.ts'
import { listTables } from '../writers/table/list-tables.ts'
import { readSourceIdentity } from '../writers/table-properties.ts'
import type { Config, PipelineConfig } from './config/config.ts'
import { sourceConnection } from './config/source-connection.ts'
import { openPipelineSource } from './engine.ts'
import { readReplicationSlots } from './postgres/cdc-readiness.ts'
import { PostgresConnectionManager } from './postgres/connection-manager.ts'
import { streamRoutes } from './stream-routes.ts'

export interface DqSettings {
  readonly config: Config
  readonly pipeline: PipelineConfig
  readonly store: ObjectStore
  readonly clock: Clock
  readonly logger: Logger
  /** `null`: the one that the configuration names, or the only one there is. */
  readonly slot: string | null
}

/** The proof, ready to be asked. */
export interface OpenDq extends AsyncDisposable {
  readonly ports: DqPorts
  readonly database: PostgresConnectionManager
  /** Of the pipeline. */
  readonly topics: ChangeSource
}

/** One for the moment, one for marks and slots, one for the lock of a schedule, one in reserve. */
const CONNECTIONS = 4

/**
 * Connects the proof to the source, the lake and the topics of a pipeline.
 *
 * @throws EngineError `E_NO_SOURCE` (usage) when no database is named, `E_NO_SLOT` (usage)
 */
export async function openDq(settings: DqSettings): Promise<OpenDq> {
  const { config, pipeline, store, clock, logger } = settings
  const connection = sourceConnection(config, pipeline)
  const database = new PostgresConnectionManager({ connectionString: connection, poolSize: CONNECTIONS })
  const topics = await openPipelineSource(pipeline, logger)
  const close = async () => void (await Promise.allSettled([topics.close(), database.close()]))
  try {
    const barrier = await openBarrier(settings, database, topics)
    const ports = { store, database, clock, barrier, topics, pipeline: pipeline.name }
    return { ports, database, topics, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openBarrier(
  { config, pipeline, store, slot }: DqSettings,
  database: PostgresConnectionManager,
  topics: ChangeSource,
): Promise<StreamBarrier> {
  if (pipeline.source.kind === 'files') return NO_STREAM
  const known = (await readReplicationSlots(database)).map(({ name }) => name)
  const meant = slot ?? config.upstreams.get(pipeline.name)?.postgres.slot
  const found =
    known.find((name) => name === meant) ?? (slot === null && known.length === 1 ? known[0] : undefined)
  if (found === undefined) throw noSlot(meant, known, database.location)
  const routes = streamRoutes(store, pipeline)
  return new LiveStream({ database, topics, routes, pipeline: pipeline.name, slot: found })
}

/**
 * The tables of a lake that can be checked, by the names they have in the source.
 *
 * @param names `schema.table`; `null`: all that are copies of the source's
 * @throws EngineError `E_NO_TABLE`, `E_NO_SOURCE_TABLE` (usage) when a named one is not there
 */
export async function checkedTables(
  { ports: { store }, database }: OpenDq,
  names: readonly string[] | null,
): Promise<readonly CheckedTable[]> {
  const tables: CheckedTable[] = []
  for await (const path of listTables(store, { hidden: false })) {
    const name = await sourceNameOf(store, path)
    if (name === null || (names !== null && !names.includes(name))) continue
    const [schema, table] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)]
    const source = await database.describeTable({ schema, table })
    if (source !== null) tables.push({ name, source, path })
    else if (names !== null) throw noSourceTable(name, database.location)
  }
  const missing = names?.find((name) => !tables.some((table) => table.name === name))
  if (missing !== undefined) throw noTable(missing, store.location)
  return tables
}

/** @returns `null` for a table that cannot be read, or that we did not make */
async function sourceNameOf(store: ObjectStore, path: string): Promise<string | null> {
  try {
    const configuration = (await DeltaTable.open(store, path))?.snapshot.metadata.configuration
    const identity = configuration === undefined ? null : readSourceIdentity(configuration)
    return identity === null ? null : tableName(identity)
  } catch (error) {
    if (error instanceof EngineError && error.remedy === 'stop-table') return null
    throw error
  }
}

function noSlot(meant: string | undefined, known: readonly string[], location: string): EngineError {
  const list = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`
  return new EngineError(
    'E_NO_SLOT',
    'usage',
    `there is no replication slot ${meant ?? ''} in ${location}; ${list}; name the connector's with --slot`,
  )
}

function noTable(name: string, location: string): EngineError {
  return new EngineError('E_NO_TABLE', 'usage', `there is no table ${name} in ${location} yet`)
}

function noSourceTable(name: string, location: string): EngineError {
  return new EngineError(
    'E_NO_SOURCE_TABLE',
    'usage',
    `there is no table ${name} in ${location}, or the login may not see it`,
  )
}
