import type { z } from 'zod'
import { EngineError } from '../../core/errors.ts'
import { checkTemplate, TABLE_PATH_TEMPLATE } from '../../schemas/table-path.ts'
import type { Config, DqSettings, Lake, PipelineConfig, SourceConfig, TableConfig } from './config.ts'
import { configSchema, type PipelineSettings, type TableSettings } from './config-schema.ts'
import {
  BATCH_PRESETS,
  DEFAULT_GRACE_MS,
  DEFAULT_LISTEN,
  DEFAULT_LOCATOR_MEMORY,
  DEFAULT_PROFILE,
  DEFAULT_WORKERS,
  defaultBatch,
  defaultTable,
  parseLake,
} from './default-config.ts'
import type { Environment } from './environment.ts'
import { applyEnvironment } from './environment-names.ts'
import { kafkaSettings } from './kafka-settings.ts'
import { clearNetworks, type ProfileFault, writtenSecrets } from './profile-rules.ts'
import { tableFaults } from './table-rules.ts'
import { upstreamOf } from './upstream-settings.ts'
import { configError, formatPath, type Path, readYaml, type YamlTree } from './yaml-tree.ts'

/**
 * Reads the text of `alluvium.yaml`, with variables expanded and the environment laid over it.
 *
 * @param name of the file, for messages
 * @throws EngineError `E_CONFIG` naming file, line and key of every fault
 */
export function parseConfig(text: string, name: string, environment: Environment): Config {
  const tree = readYaml(text, name, environment)
  const parsed = configSchema.safeParse(tree.root)
  if (!parsed.success) throw schemaError(tree, parsed.error.issues)
  const lake = orConfigError(tree, ['lake'], () => parseLake(parsed.data.lake))
  const pipelines = Object.entries(parsed.data.pipelines).map(([pipeline, settings]) =>
    buildPipeline(pipeline, settings, lake, tree),
  )
  refuseSharedTables(pipelines, tree)
  const config: Config = {
    profile: parsed.data.profile ?? DEFAULT_PROFILE,
    lake,
    store: { pathStyle: false, ...parsed.data.store },
    pipelines,
    upstreams: new Map(
      pipelines.map((pipeline) => [
        pipeline.name,
        upstreamOf(parsed.data.pipelines[pipeline.name]!, pipeline),
      ]),
    ),
    dq: { schedule: {}, ...(parsed.data.dq as Partial<DqSettings> | undefined) },
    http: { listen: DEFAULT_LISTEN, ...parsed.data.http },
    locator: { memory: parsed.data.locator?.memory ?? DEFAULT_LOCATOR_MEMORY },
    warnings: [],
  }
  const whole = applyEnvironment(config, environment)
  return underProfile(whole, [...writtenSecrets(config, tree.fromEnvironment), ...clearNetworks(whole)], tree)
}

/** `prod` refuses what `dev` warns of. */
function underProfile(config: Config, faults: readonly ProfileFault[], tree: YamlTree): Config {
  const [first] = faults
  if (config.profile === 'prod' && first !== undefined) {
    throw configError(tree.placeOf(first.path), first.path, `${first.fault} (profile: prod)`)
  }
  const warnings = faults.map(({ path, fault }) => `${tree.placeOf(path)}: ${formatPath(path)} ${fault}`)
  return { ...config, warnings }
}

function schemaError(tree: YamlTree, issues: readonly z.core.$ZodIssue[]): EngineError {
  const faults = issues.map((issue) => ({ path: issue.path as Path, fault: faultOf(issue) }))
  const [first, ...others] = faults
  const [issue] = issues
  const at = issue?.code === 'unrecognized_keys' ? [...first!.path, issue.keys[0]!] : first!.path
  const more = others.map(({ path, fault }) => `; ${formatPath(path)}: ${fault}`).join('')
  return configError(tree.placeOf(at), first!.path, first!.fault + more)
}

function faultOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => inner.message).join('; ')
  return issue.message.replace(/^Invalid (input|option): /, '')
}

/** An error of a lower floor, told with the place in the file. */
function orConfigError<T>(tree: YamlTree, path: Path, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof EngineError ? configError(tree.placeOf(path), path, error.message) : error
  }
}

function buildPipeline(name: string, settings: PipelineSettings, lake: Lake, tree: YamlTree): PipelineConfig {
  const { preset, rows, bytes, age } = settings.batch ?? {}
  const defaults = defaultBatch(lake)
  const path = ['pipelines', name, 'tables']
  const { '*': star, ...named } = settings.tables ?? {}
  const tableDefaults = buildTable('*', {}, star ?? {}, path, tree)
  const tables = Object.entries(named).map(([table, own]) => buildTable(table, star ?? {}, own, path, tree))
  return {
    name,
    source: sourceOf(name, settings, tree),
    batch: {
      rows: rows ?? (preset === undefined ? defaults.rows : BATCH_PRESETS[preset]),
      bytes: bytes ?? defaults.bytes,
      ageMs: settings.freshness ?? age ?? defaults.ageMs,
    },
    workers: settings.workers ?? DEFAULT_WORKERS,
    graceMs: settings.grace ?? DEFAULT_GRACE_MS,
    tablePath: tablePathOf(name, settings, tree),
    tableDefaults,
    tables: new Map(tables.map((table) => [table.name, table])),
  }
}

function tablePathOf(name: string, { tablePath }: PipelineSettings, tree: YamlTree): string {
  if (tablePath === undefined) return TABLE_PATH_TEMPLATE
  const path = ['pipelines', name, 'tablePath']
  return orConfigError(tree, path, () => {
    checkTemplate(tablePath)
    return tablePath
  })
}

function sourceOf(name: string, { source }: PipelineSettings, tree: YamlTree): SourceConfig {
  if (source.kafka === undefined) return { kind: 'files', directory: source.files! }
  const path = ['pipelines', name, 'source', 'kafka']
  const { sasl } = source.kafka
  const secrets = [
    { under: ['sasl'], key: 'password', given: sasl?.password },
    { under: ['sasl'], key: 'token', given: sasl?.token },
    { under: ['sasl', 'tokenEndpoint'], key: 'clientSecret', given: sasl?.tokenEndpoint?.clientSecret },
  ]
  for (const { under, key, given } of secrets) {
    const at = [...path, ...under, key]
    if (given === undefined || tree.fromEnvironment.has(at.join('.'))) continue
    throw configError(
      tree.placeOf(at),
      at,
      `a secret does not belong in this file; write ${key}: "\${KAFKA_SECRET}" and keep it in the environment, or name its ${key}File`,
    )
  }
  return kafkaSettings(source.kafka)
}

function buildTable(
  name: string,
  star: TableSettings,
  own: TableSettings,
  path: Path,
  tree: YamlTree,
): TableConfig {
  const table = { ...defaultTable(name), ...star, ...own, name } as TableConfig
  const [fault] = tableFaults(table)
  if (fault === undefined) return table
  const at = [...path, name, ...fault.path]
  throw configError(tree.placeOf(at), at, fault.fault)
}

/** Two writers of one table would fence each other off. */
function refuseSharedTables(pipelines: readonly PipelineConfig[], tree: YamlTree): void {
  const owners = new Map<string, string>()
  for (const pipeline of pipelines) {
    for (const table of pipeline.tables.keys()) {
      const owner = owners.get(table)
      const path = ['pipelines', pipeline.name, 'tables', table]
      if (owner !== undefined && samePath(pipelines, owner, pipeline)) {
        throw configError(
          tree.placeOf(path),
          path,
          `the pipeline ${owner} writes this table already; name it in one of them`,
        )
      }
      owners.set(table, pipeline.name)
    }
  }
}

function samePath(pipelines: readonly PipelineConfig[], owner: string, other: PipelineConfig): boolean {
  return pipelines.find((pipeline) => pipeline.name === owner)?.tablePath === other.tablePath
}
