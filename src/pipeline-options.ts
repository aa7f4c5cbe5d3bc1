import type { TableId } from '../schemas/change-event.ts'
import { tablePath } from '../schemas/table-path.ts'
import { contractFor, type PipelineConfig } from './config/config.ts'
import type { PipelineOptions, TopicTable } from './pipeline/pipeline.ts'
import { TablePatterns } from './pipeline/table-patterns.ts'
import { defaultTableName, feedsTable, matchesGlob } from './pipeline/topic-tables.ts'

/** What a pipeline's configuration tells its loop. */
export function pipelineOptions(config: PipelineConfig): PipelineOptions {
  return {
    name: config.name,
    contractFor: (table) => contractFor(config, table),
    tablesOf: (topic) => tablesOf(topic, config),
    pathOf: (table) => tablePath(config.tablePath, table),
    takes: taken(config),
    startOf: (table) => contractFor(config, table).start,
    batch: config.batch,
    graceMs: config.graceMs,
  }
}

/** The tables that are taken, as `TablePatterns` names them. */
function taken({ tables, tableDefaults }: PipelineConfig): readonly string[] {
  const skipsRest = tableDefaults.skip === true
  const odd = [...tables.values()].filter(({ skip }) => (skip === true) !== skipsRest)
  return new TablePatterns(
    !skipsRest,
    odd.map(({ name }) => name),
  ).list()
}

/**
 * The tables that a topic can feed: those of the configuration, and the one that it is named for when there are none,
 * or when tables that are not named have topics too.
 */
function tablesOf(topic: string, config: PipelineConfig): readonly TopicTable[] {
  const named = [...config.tables.values()]
    .map(({ name, topics }) => ({ name, topics, table: tableNamed(name) }))
    .filter(({ table, topics }) => feedsTable(topic, table, topics))
    .map(({ name, table }) => ({ name, table: hasKnownPath(name, config) ? table : null }))
  const { topics } = config.tableDefaults
  const name = defaultTableName(topic)
  if (topics?.some((glob) => matchesGlob(topic, glob))) return [...named, { name, table: null }]
  if (named.length > 0) return named
  return [{ name, table: hasKnownPath(name, config) ? tableNamed(name) : null }]
}

/** Whether `schema.table` is enough to tell where a table lies. */
function hasKnownPath(name: string, { tablePath: template }: PipelineConfig): boolean {
  return name.includes('.') && !/\{(sourceName|database)\}/.test(template)
}

function tableNamed(name: string): TableId {
  const dot = name.indexOf('.')
  return { sourceName: '', database: '', schema: name.slice(0, dot), table: name.slice(dot + 1) }
}
