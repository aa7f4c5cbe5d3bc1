import type { PipelineConfig } from '../../config/config.ts'
import type { Upstream } from '../../config/upstream.ts'
import type { ConnectorFacts } from './chain-facts.ts'
import { type Found, findingsOf } from './finding.ts'

const { broken, risk } = findingsOf('connector')

type Properties = Readonly<Record<string, string>>

/** Whether Connect runs the connector, and whether it writes what can be read exactly. */
export function* checkConnector(
  { status, config }: ConnectorFacts,
  upstream: Upstream,
  pipeline: Pick<PipelineConfig, 'tables'>,
  captured: readonly string[],
): Found {
  const { name } = upstream.connector
  if (status === null || config === null) {
    yield broken(
      'no-connector',
      `Connect has no connector ${name}`,
      'run `alluvium connector register`, or name it in `connector.name`',
    )
    return
  }
  const failed = status.tasks.find(({ state }) => state === 'FAILED')
  if (status.state === 'FAILED' || failed !== undefined) {
    yield broken(
      'connector-failed',
      `the connector ${name} failed: ${firstLine(failed?.trace ?? status.trace)}`,
      'take away what its trace names (`alluvium connector status` shows all of it), then `alluvium connector restart`',
    )
  } else if (status.state === 'PAUSED' || status.state === 'STOPPED') {
    yield broken(
      'connector-paused',
      `the connector ${name} is ${status.state.toLowerCase()}`,
      'run `alluvium connector resume`',
    )
  } else if (status.tasks.length === 0) {
    yield broken(
      'no-task',
      `the connector ${name} has no task`,
      'run `alluvium connector restart`; if it stays so, look at the log of Connect',
    )
  } else if (status.tasks.some(({ state }) => state !== 'RUNNING')) {
    yield broken(
      'task-waits',
      `a task of ${name} is ${status.tasks.find(({ state }) => state !== 'RUNNING')!.state}`,
      'wait until the workers of Connect have agreed; then `alluvium connector restart`',
    )
  }
  yield* identityFindings(config, upstream)
  yield* listFindings(config, captured)
  yield* converterFindings(config, pipeline)
  yield* flowFindings(config)
}

/** The same slot, publication and topics as ours. */
function* identityFindings(config: Properties, { postgres, connector }: Upstream): Found {
  const wanted: readonly (readonly [property: string, value: string, setting: string])[] = [
    ['slot.name', postgres.slot, 'postgres.slot'],
    ['publication.name', postgres.publication, 'postgres.publication'],
    ['topic.prefix', connector.topicPrefix, 'connector.topicPrefix'],
  ]
  for (const [property, value, setting] of wanted) {
    const found = config[property]
    if (found === value || (found === undefined && property !== 'topic.prefix')) continue
    yield broken(
      'connector-names',
      `\`${property}\` of the connector is ${found ?? 'not set'}, and \`${setting}\` is ${value}`,
      `correct \`${setting}\`, or run \`alluvium connector register\``,
    )
  }
  if (config['plugin.name'] !== 'pgoutput') {
    yield broken(
      'connector-plugin',
      `the connector decodes with ${config['plugin.name'] ?? 'decoderbufs, the default'}`,
      'set `plugin.name` to pgoutput: run `alluvium connector register`',
    )
  }
  const mode = config['snapshot.mode']
  if (mode === 'never' || mode === 'no_data') {
    yield risk(
      'no-snapshot',
      `\`snapshot.mode\` is ${mode}: rows from before the connector never arrive`,
      'let it take a snapshot of them: set `snapshot.mode` to initial before its first start, or send it the signal execute-snapshot',
    )
  }
}

/** Both lists are regular expressions with commas between them. */
function* listFindings(config: Properties, captured: readonly string[]): Found {
  const include = patternsOf(config['table.include.list'])
  const exclude = patternsOf(config['table.exclude.list']) ?? []
  for (const table of captured) {
    const isIn = include === null || include.some((pattern) => pattern.test(table))
    if (isIn && !exclude.some((pattern) => pattern.test(table))) continue
    yield broken(
      'not-included',
      `the connector leaves out ${table}`,
      `add it to \`table.include.list\`: run \`alluvium connector register\`; rows that it has already come with a snapshot (execute-snapshot, a signal of Debezium)`,
    )
  }
}

/** @returns `null` when there is no list; a pattern that Java alone understands matches nothing here */
function patternsOf(list: string | undefined): readonly RegExp[] | null {
  if (list === undefined || list.trim() === '') return null
  return list.split(/(?<!\\),/).flatMap((pattern) => {
    try {
      return [new RegExp(`^(?:${pattern.trim()})$`, 'i')]
    } catch {
      return []
    }
  })
}

/** What a converter or a setting takes away cannot be had back. */
function* converterFindings(config: Properties, { tables }: Pick<PipelineConfig, 'tables'>): Found {
  const valueConverter = config['value.converter'] ?? ''
  const isJson = valueConverter === '' || valueConverter.endsWith('.JsonConverter')
  if (!isJson) {
    yield broken(
      'converter',
      `values are written by ${valueConverter.split('.').at(-1)}, and JSON alone is read so far`,
      'set `value.converter` to org.apache.kafka.connect.json.JsonConverter: run `alluvium connector register`',
    )
  }
  if (isJson && config['value.converter.replace.null.with.default'] !== 'false') {
    yield broken(
      'null-with-default',
      "the converter writes a column's default where the row has null, and nothing shows it",
      'set `value.converter.replace.null.with.default` to false: run `alluvium connector register`',
    )
  }
  const hasSchemas = config['value.converter.schemas.enable'] !== 'false'
  const untyped = [...tables.values()].filter(({ columns }) => columns === undefined).map(({ name }) => name)
  if (isJson && !hasSchemas && untyped.length > 0) {
    yield broken(
      'no-schemas',
      `events carry no schemas, and nothing names the types of ${untyped.join(', ')}`,
      'set `value.converter.schemas.enable` to true, or name the types in `tables.<name>.columns`',
    )
  }
  if (config['decimal.handling.mode'] === 'double') {
    yield broken(
      'decimals',
      'decimals are written as doubles, which rounds them',
      'set `decimal.handling.mode` to precise or string',
    )
  }
  if (config['time.precision.mode'] === 'connect') {
    yield broken('times', 'times are cut to milliseconds', 'set `time.precision.mode` to adaptive')
  }
}

/** What must not be left out on the way. */
function* flowFindings(config: Properties): Found {
  const skipped = config['skipped.operations'] ?? 't'
  if (skipped !== 'none') {
    yield broken(
      'skipped-operations',
      `the connector leaves out operations (${skipped}; t is TRUNCATE)`,
      'set `skipped.operations` to none: run `alluvium connector register`',
    )
  }
  if ((config['heartbeat.interval.ms'] ?? '0') === '0') {
    yield risk(
      'no-heartbeats',
      'the connector sends no heartbeats: its slot stands still while its tables rest',
      'set `heartbeat.interval.ms`: run `alluvium connector register`',
    )
  } else if (config['heartbeat.action.query'] === undefined) {
    yield risk(
      'heartbeat-query',
      'heartbeats move nothing in the database: the slot of a quiet database keeps the log of the others',
      'set `heartbeat.action.query`: run `alluvium connector register`',
    )
  }
  if (config['slot.drop.on.stop'] === 'true') {
    yield broken(
      'slot-drop',
      'the slot is dropped when the connector stops, and changes of the meantime with it',
      'set `slot.drop.on.stop` to false: run `alluvium connector register`',
    )
  }
  const unwraps = Object.entries(config).some(
    ([name, value]) => /^transforms\..*\.type$/.test(name) && value.includes('ExtractNewRecordState'),
  )
  const fields = Object.entries(config).find(([name]) => name.endsWith('.add.fields'))?.[1] ?? ''
  if (unwraps && !(/\bop\b/.test(fields) && /\blsn\b/.test(fields))) {
    yield broken(
      'unwrap-fields',
      'events are flattened without `op` and `lsn`: deletes and order are lost',
      'leave the transformation out, or set `connector.unwrap: true` and run `alluvium connector register`',
    )
  }
  const literal = Object.entries(config).find(
    ([name, value]) => /password$/.test(name) && value !== '' && !value.startsWith('${'),
  )
  if (literal !== undefined) {
    yield risk(
      'secret-in-connect',
      `\`${literal[0]}\` stands in the connector in clear: whoever may ask Connect sees it`,
      'give Connect a config provider and run `alluvium connector register`, which sends a reference',
    )
  }
}

function firstLine(trace: string | null): string {
  return trace === null ? 'Connect does not say why' : (trace.split('\n')[0] ?? '').slice(0, 300)
}
