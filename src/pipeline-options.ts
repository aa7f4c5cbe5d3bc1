import type { TableId } from '../schemas/change-event.ts'
import { tablePath } from '../schemas/table-path.ts'
import { contractFor, type PipelineConfig } from './config/config.ts'
import type { PipelineOptions, TopicTable } from './pipeline/pipeline.ts'
import { TablePatterns } from './pipeline/table-patterns.ts'
import { defaultTableName, feedsTable, matchesGlob } from './pipeline/topic-tables.ts'

/** A pipeline's configuration without where its records come from, and the secrets of that. */
export type PipelineRules = Omit<PipelineConfig, 'source'>

/** What a pipeline's configuration tells its loop. */
export function pipelineOptions(config: PipelineRules): PipelineOptions {
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

/**
 * What topics have in common that may feed one table, whatever their records say: a table whose topics are named, the
 * topics of all that are not, or by default the last part of the name, in which the topics of a table agree.
 */
export function topicTies(topic: string, { tables, tableDefaults }: PipelineRules): readonly string[] {
  const isAmong = (topics: readonly string[] | undefined) =>
    topics?.some((glob) => matchesGlob(topic, glob)) === true
  const named = [...tables.values()].filter(({ topics }) => isAmong(topics))
  return [
    ...named.map(({ name }) => `table ${name}`),
    ...(isAmong(tableDefaults.topics) ? ['tables that are not named'] : []),
    `last part ${topic.slice(topic.lastIndexOf('.') + 1)}`,
  ]
}

/** The tables that are taken, as `TablePatterns` names them. */
function taken({ tables, tableDefaults }: PipelineRules): readonly string[] {
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
function tablesOf(topic: string, config: PipelineRules): readonly TopicTable[] {
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
function hasKnownPath(name: string, { tablePath: template }: PipelineRules): boolean {
  return name.includes('.') && !/\{(sourceName|database)\}/.test(template)
}

function tableNamed(name: string): TableId {
  const dot = name.indexOf('.')
  return { sourceName: '', database: '', schema: name.slice(0, dot), table: name.slice(dot + 1) }
}
