import type { Logger, RawRecord, ReadOptions } from '../../core/ports.ts'
import type { Decoded } from '../../schemas/change-event.ts'
import type { PipelineConfig } from '../config/config.ts'
import { openPipelineSource } from '../engine.ts'
import { CDCEventParser } from './cdc-event-parser.ts'
import { configuredPipeline, type PipelineChoice } from './configured-pipeline.ts'
import { SILENT } from './silent.ts'

export interface ReadChangesOptions extends PipelineChoice {
  /** Consumer group of Kafka, another than the pipeline's own: members of one group share the topics. */
  readonly groupId: string
  /** End with what the topics hold now, instead of waiting for more. */
  readonly untilEnd?: boolean
  /** The next offset to read of a partition, as the caller remembers it; `null`: not to be read. Default: the first. */
  readonly startAt?: ReadOptions['startAt']
  readonly logger?: Logger
}

/** A record of a topic and what it tells. */
export interface ReadChange {
  readonly record: RawRecord
  readonly decoded: Decoded
}

/**
 * The records of a pipeline's topics, one after the other, in order inside a partition; nothing is written anywhere.
 * Where a consumer has come to is its own to remember.
 *
 * ```ts
 * for await (const { record, decoded } of readChanges({ groupId: 'mailer', untilEnd: true })) {
 *   if (decoded.kind === 'change') await send(toStandardJson(decoded), record.offset)
 * }
 * ```
 *
 * @throws EngineError as `configuredPipeline` does, and whatever ends a source
 */
export async function* readChanges(options: ReadChangesOptions): AsyncGenerator<ReadChange, void, void> {
  const {
    groupId,
    untilEnd = false,
    startAt = async ({ startOffset }) => startOffset,
    logger = SILENT,
  } = options
  const { pipeline } = await configuredPipeline(options)
  const source = await openPipelineSource(inGroup(pipeline, groupId), logger)
  const parser = new CDCEventParser({ tables: Object.fromEntries(pipeline.tables) })
  try {
    for await (const batch of source.read({ untilEnd, startAt, onRevoked: async () => {} })) {
      for (const record of batch?.records ?? []) yield { record, decoded: parser.parse(record) }
    }
  } finally {
    await source.close()
  }
}

function inGroup(pipeline: PipelineConfig, groupId: string): PipelineConfig {
  const { source } = pipeline
  return source.kind === 'kafka' ? { ...pipeline, source: { ...source, groupId } } : pipeline
}
