import { EngineError } from '../../core/errors.ts'
import { DEFAULT_CONTRACT } from '../../schemas/contract.ts'
import { TABLE_PATH_TEMPLATE } from '../../schemas/table-path.ts'
import type { BatchBounds, Config, Lake, PipelineConfig, Profile, TableConfig } from './config.ts'
import type { ListenAddress } from './config-schema.ts'
import { defaultUpstream } from './upstream-settings.ts'

/** The pipeline of a run without a configuration. */
export const DEFAULT_PIPELINE = 'default'
export const DEFAULT_LAKE = './lake'
/** For this machine only: the pages say what tables there are. */
/**
 * Six million keys, beyond which lookups go to disk. Of the 512 MB of a process the heap and what waits to be collected
 * take the rest.
 */
export const DEFAULT_LOCATOR_MEMORY = 192 * 2 ** 20
export const DEFAULT_LISTEN: ListenAddress = { host: '127.0.0.1', port: 9464 }

/** Of a commit's work most is paid per file, so rows are many; the bound keeps the fold of one batch small in memory. */
const BATCH_ROWS = 50_000
/** Raw bytes; decoded they take some times as much of the 512 MB that a process lives in. */
const BATCH_BYTES = 32 * 1024 * 1024
/** A commit on a disk costs next to nothing, on an object store some paid requests. */
const BATCH_AGE_MS = { local: 1000, s3: 10_000 } as const

/** Rows of a batch where traffic is known to be little, some or much. */
export const BATCH_PRESETS = { low: 50, medium: 500, high: 5000 } as const

export const DEFAULT_PROFILE: Profile = 'dev'

/** What Kubernetes waits before it kills, and as long as a slow store may take for a last commit. */
export const DEFAULT_GRACE_MS = 30_000

/** Each takes memory and some time of its own; what it gains is measured in ADR 12. */
export const DEFAULT_WORKERS = 0

export function defaultBatch(lake: Lake): BatchBounds {
  return { rows: BATCH_ROWS, bytes: BATCH_BYTES, ageMs: BATCH_AGE_MS[lake.kind] }
}

export function defaultTable(name: string): TableConfig {
  return { ...DEFAULT_CONTRACT, name }
}

/** What `--from DIR` means when there is no configuration file. */
export function defaultConfig(options: { readonly from: string; readonly lake?: string }): Config {
  const lake = parseLake(options.lake ?? DEFAULT_LAKE)
  const pipeline: PipelineConfig = {
    name: DEFAULT_PIPELINE,
    source: { kind: 'files', directory: options.from },
    batch: defaultBatch(lake),
    workers: DEFAULT_WORKERS,
    graceMs: DEFAULT_GRACE_MS,
    tablePath: TABLE_PATH_TEMPLATE,
    tableDefaults: defaultTable('*'),
    tables: new Map(),
  }
  return {
    profile: DEFAULT_PROFILE,
    lake,
    store: { pathStyle: false },
    pipelines: [pipeline],
    upstreams: new Map([[pipeline.name, defaultUpstream(pipeline)]]),
    dq: { schedule: {} },
    http: { listen: DEFAULT_LISTEN },
    locator: { memory: DEFAULT_LOCATOR_MEMORY },
    warnings: [],
  }
}

/** @throws EngineError `E_LAKE` (usage) when it is neither a directory nor an S3 address */
export function parseLake(location: string): Lake {
  const s3 = /^s3a?:\/\/([^/]+)\/?(.*)$/.exec(location)
  if (s3 !== null) return s3Lake(location, s3[1]!, s3[2]!)
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(location)
  if (scheme === null && location !== '') return { kind: 'local', location, directory: location }
  throw unfitLake(location, 'give a directory (./lake) or an S3 address (s3://bucket/prefix)')
}

function s3Lake(location: string, bucket: string, rest: string): Lake {
  const prefix = rest.replace(/\/+$/, '')
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw unfitLake(location, `${JSON.stringify(bucket)} is not the name of a bucket`)
  }
  if (prefix.split('/').some((part) => part === '..' || part === '.' || (part === '' && prefix !== ''))) {
    throw unfitLake(location, 'its prefix is not a plain path')
  }
  return { kind: 's3', location, bucket, prefix }
}

function unfitLake(location: string, cure: string): EngineError {
  return new EngineError('E_LAKE', 'usage', `${JSON.stringify(location)} cannot be a lake: ${cure}`)
}
