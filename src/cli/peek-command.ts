import { type Command, InvalidArgumentError, Option } from 'commander'
import { EngineError } from '../../core/errors.ts'
import type { ChangeSource, PartitionRange, RawRecord, TopicTimes } from '../../core/ports.ts'
import { type Decoded, tableName } from '../../schemas/change-event.ts'
import { UNAVAILABLE_PLACEHOLDER } from '../../schemas/decode/decode-options.ts'
import { createTopicDecoder } from '../../schemas/decode/topic-decoder.ts'
import { toStandardJson } from '../../schemas/standard-record.ts'
import { contractFor, type PipelineConfig } from '../config/config.ts'
import { nearestName } from '../config/nearest-name.ts'
import { openPipelineSource } from '../engine.ts'
import { systemClock } from '../io/system-clock.ts'
import { commandLogger } from './command-logger.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { parseCount, parsePast } from './option-values.ts'
import { printable, toJson } from './output.ts'
import { type SourceOptions, sourcesOf, withBrokers, withSourceOptions } from './source-options.ts'

interface PeekOptions extends SourceOptions {
  readonly num: number
  readonly offset: 'earliest' | 'latest' | bigint
  /** Epoch milliseconds. */
  readonly since?: number
}

/** `alluvium peek TOPIC`: what the records of a topic say, as we understand them. */
export function registerPeek(program: Command, context: CliContext): void {
  const command = addCommand(program, {
    usage: 'peek <topic>',
    summary: 'show records of a topic as standard CDC records; exit 2 when one cannot be decoded',
    example: 'peek envelope-schema.inventory.customers --from fixtures/debezium/envelope-schema --num 3',
  })
  withBrokers(withSourceOptions(command))
    .option('--num <count>', 'how many records', parseCount, 10)
    .option('--offset <place>', 'earliest, latest (the last ones), or an offset', parseOffset, 'earliest')
    .addOption(
      new Option('--since <time>', 'from this time on: 15m (ago), or 2026-01-31T08:00:00Z')
        .argParser((text) => parsePast(text, systemClock.nowMs()))
        .conflicts('offset'),
    )
    .action(exiting(context, (topic: string, options: PeekOptions) => peek(topic, options, context)))
}

async function peek(topic: string, options: PeekOptions, context: CliContext): Promise<ExitCode> {
  const known: string[] = []
  for (const pipeline of await sourcesOf(options, context)) {
    const logger = commandLogger(context)
    const source = await openPipelineSource(pipeline, logger)
    try {
      const ranges = await source.partitions()
      known.push(...ranges.map((range) => range.topic))
      const meant = ranges.filter((range) => range.topic === topic)
      if (meant.length === 0) continue
      const places = await beginnings(source, topic, meant, options)
      return await show(records(source, places, options), pipeline, options, context)
    } finally {
      await source.close()
    }
  }
  throw unknownTopic(topic, [...new Set(known)])
}

async function show(
  records: AsyncIterable<RawRecord>,
  pipeline: PipelineConfig,
  { json }: PeekOptions,
  context: CliContext,
): Promise<ExitCode> {
  const decoder = createTopicDecoder({
    contractFor: (table) => contractFor(pipeline, tableName(table)),
    epoch: 0,
    unavailablePlaceholder: UNAVAILABLE_PLACEHOLDER,
  })
  let hasFailed = false
  for await (const record of records) {
    const decoded = decoder.decode(record)
    hasFailed ||= decoded.kind === 'undecodable'
    context.stdout.write(json ? `${toJson(asJson(record, decoded))}\n` : asLine(record, decoded, context))
  }
  return hasFailed ? EXIT.problem : EXIT.ok
}

/** Where one partition is read from, up to its end. */
interface Beginning {
  readonly range: PartitionRange
  /** `null`: as many as are still wanted before the end. */
  readonly fromOffset: bigint | null
}

/** Where the person wants to begin. A source that knows no times is read from its first record. */
async function beginnings(
  source: ChangeSource & Partial<TopicTimes>,
  topic: string,
  ranges: readonly PartitionRange[],
  { offset, since }: PeekOptions,
): Promise<readonly Beginning[]> {
  const known = since === undefined ? undefined : await source.offsetsSince?.(topic, since)
  return ranges.map((range) => {
    if (since !== undefined) return { range, fromOffset: known?.get(range.partition) ?? range.startOffset }
    if (offset === 'latest') return { range, fromOffset: null }
    return { range, fromOffset: offset === 'earliest' ? range.startOffset : offset }
  })
}

/** Partition by partition, as many as are wanted in all. */
async function* records(
  source: ChangeSource,
  places: readonly Beginning[],
  { num, since = 0 }: PeekOptions,
): AsyncGenerator<RawRecord> {
  let left = num
  for (const { range, fromOffset: wanted } of places) {
    const { topic, partition, startOffset, endOffset } = range
    const place = wanted ?? endOffset - BigInt(left)
    const fromOffset = place < startOffset ? startOffset : place
    if (fromOffset >= endOffset) continue
    let hasBegun = false
    for await (const batch of source.readRange({ topic, partition, fromOffset, toOffset: endOffset })) {
      for (const record of batch.records) {
        hasBegun ||= record.timestampMs >= since
        if (!hasBegun) continue
        yield record
        if (--left === 0) return
      }
    }
  }
}

function parseOffset(text: string): PeekOptions['offset'] {
  if (text === 'earliest' || text === 'latest') return text
  if (/^\d{1,19}$/.test(text)) return BigInt(text)
  throw new InvalidArgumentError('It must be earliest, latest, or an offset.')
}

function unknownTopic(topic: string, topics: readonly string[]): EngineError {
  const nearest = nearestName(topic, topics) ?? topics.find((each) => each.endsWith(`.${topic}`))
  const hint =
    nearest === undefined ? `there are: ${topics.join(', ') || 'none'}` : `did you mean ${nearest}?`
  return new EngineError('E_NO_TOPIC', 'usage', `there is no topic ${topic}; ${hint}`)
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
