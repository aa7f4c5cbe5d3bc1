import { EngineError } from '../../core/errors.ts'
import type {
  Action,
  AddCdcFile,
  AddFile,
  CommitInfo,
  DomainMetadata,
  Metadata,
  Protocol,
  RemoveFile,
  SetTransaction,
} from './actions.ts'
import type { DeletionVectorDescriptor } from './dv-descriptor.ts'
import { type ExactJson, parseExactJson } from './exact-json.ts'

type Body = Readonly<Record<string, ExactJson | undefined>>

/**
 * Reads one line of a log entry and appends its actions to `into`; what we do not know is left out.
 *
 * @throws EngineError or SyntaxError when the line is no JSON object or an action lacks what it must have
 */
export function actionsOfLine(line: string, into: Action[]): void {
  const value = parseExactJson(line)
  if (!isBody(value)) throw wrong('line', 'an object')
  for (const key of Object.keys(value)) {
    const body = value[key]
    if (body === null || body === undefined || !READERS.has(key)) continue
    if (!isBody(body)) throw wrong(key, 'an object')
    into.push(actionOf(key, body)!)
  }
}

/**
 * The action that stands under `key`.
 *
 * @returns `undefined` for an action that we do not know
 * @throws EngineError `E_LOG_ACTION` when it lacks what it must have
 */
export function actionOf(key: string, body: Body): Action | undefined {
  return READERS.get(key)?.(body)
}

const READERS: ReadonlyMap<string, (body: Body) => Action> = new Map<string, (body: Body) => Action>([
  ['add', readAdd],
  ['remove', readRemove],
  ['cdc', readCdc],
  ['txn', readTxn],
  ['metaData', readMetadata],
  ['protocol', readProtocol],
  ['commitInfo', readCommitInfo],
  ['domainMetadata', readDomainMetadata],
])

function readAdd(body: Body): AddFile {
  return {
    kind: 'add',
    path: text(body, 'path'),
    partitionValues: optionalMap(body, 'partitionValues') ?? {},
    size: integer(body, 'size'),
    modificationTime: optionalInteger(body, 'modificationTime') ?? 0,
    dataChange: flag(body, 'dataChange'),
    stats: optionalText(body, 'stats'),
    tags: optionalMap(body, 'tags'),
    deletionVector: optionalVector(body),
    baseRowId: optionalLong(body, 'baseRowId'),
    defaultRowCommitVersion: optionalLong(body, 'defaultRowCommitVersion'),
    clusteringProvider: optionalText(body, 'clusteringProvider'),
  }
}

function readRemove(body: Body): RemoveFile {
  return {
    kind: 'remove',
    path: text(body, 'path'),
    deletionTimestamp: optionalInteger(body, 'deletionTimestamp'),
    dataChange: flag(body, 'dataChange'),
    extendedFileMetadata: optionalFlag(body, 'extendedFileMetadata'),
    partitionValues: optionalMap(body, 'partitionValues'),
    size: optionalInteger(body, 'size'),
    tags: optionalMap(body, 'tags'),
    deletionVector: optionalVector(body),
    baseRowId: optionalLong(body, 'baseRowId'),
    defaultRowCommitVersion: optionalLong(body, 'defaultRowCommitVersion'),
  }
}

function readCdc(body: Body): AddCdcFile {
  return {
    kind: 'cdc',
    path: text(body, 'path'),
    partitionValues: optionalMap(body, 'partitionValues') ?? {},
    size: integer(body, 'size'),
    tags: optionalMap(body, 'tags'),
  }
}

function readTxn(body: Body): SetTransaction {
  const version = optionalLong(body, 'version')
  if (version === undefined) throw wrong('version', 'an integer')
  return {
    kind: 'txn',
    appId: text(body, 'appId'),
    version,
    lastUpdated: optionalInteger(body, 'lastUpdated'),
  }
}

function readMetadata(body: Body): Metadata {
  const format = body['format']
  return {
    kind: 'metaData',
    id: text(body, 'id'),
    name: optionalText(body, 'name'),
    description: optionalText(body, 'description'),
    format: {
      provider: (isBody(format) ? optionalText(format, 'provider') : undefined) ?? 'parquet',
      options: (isBody(format) ? optionalTextMap(format, 'options') : undefined) ?? {},
    },
    schemaString: text(body, 'schemaString'),
    partitionColumns: optionalTexts(body, 'partitionColumns') ?? [],
    configuration: optionalTextMap(body, 'configuration') ?? {},
    createdTime: optionalInteger(body, 'createdTime'),
  }
}

function readProtocol(body: Body): Protocol {
  return {
    kind: 'protocol',
    minReaderVersion: integer(body, 'minReaderVersion'),
    minWriterVersion: integer(body, 'minWriterVersion'),
    readerFeatures: optionalTexts(body, 'readerFeatures'),
    writerFeatures: optionalTexts(body, 'writerFeatures'),
  }
}

/** The one action whose form is free: a member of another shape than ours is left out, never an error. */
function readCommitInfo(body: Body): CommitInfo {
  const keepText = (key: string) => (typeof body[key] === 'string' ? body[key] : undefined)
  const keepInteger = (key: string) => (Number.isSafeInteger(body[key]) ? Number(body[key]) : undefined)
  const keepMap = (key: string) => (isBody(body[key]) ? optionalTextMap(body, key) : undefined)
  return {
    kind: 'commitInfo',
    timestamp: keepInteger('timestamp'),
    operation: keepText('operation'),
    operationParameters: keepMap('operationParameters'),
    readVersion: keepInteger('readVersion'),
    isolationLevel: keepText('isolationLevel'),
    isBlindAppend: typeof body['isBlindAppend'] === 'boolean' ? body['isBlindAppend'] : undefined,
    operationMetrics: keepMap('operationMetrics'),
    engineInfo: keepText('engineInfo'),
    txnId: keepText('txnId'),
  }
}

function readDomainMetadata(body: Body): DomainMetadata {
  return {
    kind: 'domainMetadata',
    domain: text(body, 'domain'),
    configuration: optionalText(body, 'configuration') ?? '',
    removed: optionalFlag(body, 'removed') ?? false,
  }
}

function optionalVector(body: Body): DeletionVectorDescriptor | undefined {
  const vector = body['deletionVector']
  if (vector === undefined || vector === null) return undefined
  if (!isBody(vector)) throw wrong('deletionVector', 'an object')
  return {
    storageType: asStorageType(text(vector, 'storageType')),
    pathOrInlineDv: text(vector, 'pathOrInlineDv'),
    offset: optionalInteger(vector, 'offset'),
    sizeInBytes: integer(vector, 'sizeInBytes'),
    cardinality: integer(vector, 'cardinality'),
  }
}

/** @throws EngineError for a place of storage that the protocol does not know */
export function asStorageType(value: string): 'u' | 'p' | 'i' {
  if (value === 'u' || value === 'p' || value === 'i') return value
  throw wrong('deletionVector.storageType', `"u", "p" or "i", not "${value}"`)
}

function isBody(value: ExactJson | undefined): value is { readonly [key: string]: ExactJson } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(body: Body, key: string): string {
  const value = body[key]
  if (typeof value !== 'string') throw wrong(key, 'a string')
  return value
}

function optionalText(body: Body, key: string): string | undefined {
  const value = body[key]
  return value === undefined || value === null ? undefined : text(body, key)
}

function flag(body: Body, key: string): boolean {
  const value = body[key]
  if (typeof value !== 'boolean') throw wrong(key, 'true or false')
  return value
}

function optionalFlag(body: Body, key: string): boolean | undefined {
  const value = body[key]
  return value === undefined || value === null ? undefined : flag(body, key)
}

function integer(body: Body, key: string): number {
  const value = body[key]
  if (!Number.isSafeInteger(value)) throw wrong(key, 'an integer below 2^53')
  return Number(value)
}

function optionalInteger(body: Body, key: string): number | undefined {
  const value = body[key]
  return value === undefined || value === null ? undefined : integer(body, key)
}

function optionalLong(body: Body, key: string): bigint | undefined {
  const value = body[key]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'bigint') return value
  return BigInt(integer(body, key))
}

function optionalMap(body: Body, key: string): Record<string, string | null> | undefined {
  const value = body[key]
  if (value === undefined || value === null) return undefined
  if (!isBody(value)) throw wrong(key, 'an object')
  const map: Record<string, string | null> = {}
  for (const name of Object.keys(value)) {
    const entry = value[name]!
    map[name] = entry === null || typeof entry === 'string' ? entry : String(entry)
  }
  return map
}

/** As `optionalMap`, for maps where an entry without a value says nothing. */
function optionalTextMap(body: Body, key: string): Record<string, string> | undefined {
  const map = optionalMap(body, key)
  if (map === undefined) return undefined
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(map)) if (value !== null) texts[name] = value
  return texts
}

function optionalTexts(body: Body, key: string): string[] | undefined {
  const value = body[key]
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw wrong(key, 'a list of strings')
  return value.map((entry) => {
    if (typeof entry !== 'string') throw wrong(key, 'a list of strings')
    return entry
  })
}

function wrong(key: string, expected: string): EngineError {
  return new EngineError('E_LOG_ACTION', 'stop-table', `"${key}" must be ${expected}`)
}
