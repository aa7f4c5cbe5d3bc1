import type { Command } from 'commander'
import { EngineError } from '../../core/errors.ts'
import type { PartitionRange, RawRecord } from '../../core/ports.ts'
import { type Decoded, tableName } from '../../schemas/change-event.ts'
import { createTopicDecoder } from '../../schemas/decode/topic-decoder.ts'
import { toStandardJson } from '../../schemas/standard-record.ts'
import { contractFor, type PipelineConfig } from '../config/config.ts'
import { defaultConfig } from '../config/default-config.ts'
import { nearestName } from '../config/nearest-name.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { FileSource } from '../io/file-source.ts'
import { systemClock } from '../io/system-clock.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { CONFIG_FILE, findConfig } from './load-config.ts'
import { parseCount } from './option-values.ts'
import { printable, toJson } from './output.ts'

interface PeekOptions {
  readonly from: string
  readonly num: number
  readonly config?: string
  readonly json?: boolean
}

/** `alluvium peek TOPIC`: what the records of a topic say, as we understand them. */
export function registerPeek(program: Command, context: CliContext): void {
  addCommand(program, {
    usage: 'peek <topic>',
    summary: 'show the first records of a topic as standard CDC records; exit 2 when one cannot be decoded',
    example: 'peek envelope-schema.inventory.customers --from fixtures/debezium/envelope-schema --num 3',
  })
    .requiredOption('--from <dir>', 'directory of recorded topics')
    .option('--num <count>', 'how many records', parseCount, 10)
    .option(
      '-c, --config <file>',
      `configuration file, for types (default: ${CONFIG_FILE} when there is one)`,
    )
    .action(exiting(context, (topic: string, options: PeekOptions) => peek(topic, options, context)))
}

async function peek(topic: string, options: PeekOptions, context: CliContext): Promise<ExitCode> {
  const pipeline = await pipelineOf(options, context)
  const source = new FileSource(options.from, systemClock)
  const decoder = createTopicDecoder({
    contractFor: (table) => contractFor(pipeline, tableName(table)),
    epoch: 0,
    unavailablePlaceholder: '__debezium_unavailable_value',
  })
  let hasFailed = false
  for await (const record of firstRecords(source, topic, options.num)) {
    const decoded = decoder.decode(record)
    hasFailed ||= decoded.kind === 'undecodable'
    context.stdout.write(
      options.json ? `${toJson(asJson(record, decoded))}\n` : asLine(record, decoded, context),
    )
  }
  return hasFailed ? EXIT.problem : EXIT.ok
}

async function pipelineOf(options: PeekOptions, { environment }: CliContext): Promise<PipelineConfig> {
  const config = await findConfig(options.config, environment)
  return selectPipeline(config ?? defaultConfig({ from: options.from }), { from: options.from })
}

async function* firstRecords(source: FileSource, topic: string, count: number): AsyncGenerator<RawRecord> {
  const partitions = await source.partitions()
  refuseUnknown(topic, partitions)
  let left = count
  const startAt = async (range: PartitionRange) => (range.topic === topic ? range.startOffset : null)
  for await (const batch of source.read({ untilEnd: true, startAt, onRevoked: async () => {} })) {
    for (const record of batch?.records ?? []) {
      yield record
      if (--left === 0) return
    }
  }
}

function refuseUnknown(topic: string, partitions: readonly PartitionRange[]): void {
  const topics = [...new Set(partitions.map((each) => each.topic))]
  if (topics.includes(topic)) return
  const nearest = nearestName(topic, topics) ?? topics.find((each) => each.endsWith(`.${topic}`))
  const hint =
    nearest === undefined ? `there are: ${topics.join(', ') || 'none'}` : `did you mean ${nearest}?`
  throw new EngineError('E_NO_TOPIC', 'usage', `there is no topic ${topic}; ${hint}`)
}

function asJson({ topic, partition, offset }: RawRecord, decoded: Decoded): unknown {
  const at = { topic, partition, offset, kind: decoded.kind }
  switch (decoded.kind) {
    case 'change':
      return { ...at, record: toStandardJson(decoded) }
    case 'control':
      return { ...at, what: decoded.what }
    case 'undecodable':
      return { ...at, reason: decoded.reason, message: decoded.message }
    case 'tombstone':
      return at
    default:
      return decoded satisfies never
  }
}

/** One line for a person: partition:offset, then what it is; cut to the width of the terminal. */
function asLine(record: RawRecord, decoded: Decoded, { stdout }: CliContext): string {
  const line = printable(`${record.partition}:${record.offset} ${describe(decoded)}`)
  const fits = line.length <= stdout.columns
  return `${fits ? line : `${line.slice(0, stdout.columns - 1)}…`}\n`
}

function describe(decoded: Decoded): string {
  switch (decoded.kind) {
    case 'change':
      return toJson(toStandardJson(decoded))
    case 'control':
      return `control: ${decoded.what}`
    case 'undecodable':
      return `undecodable ${decoded.reason}: ${decoded.message}`
    case 'tombstone':
      return 'tombstone'
    default:
      return decoded satisfies never
  }
}
