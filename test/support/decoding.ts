import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { RawRecord } from '../../core/ports.ts'
import { type ChangeEvent, type Decoded, tableName } from '../../schemas/change-event.ts'
import { DEFAULT_CONTRACT, type TableContract } from '../../schemas/contract.ts'
import type { DecodeOptions } from '../../schemas/decode/decode-options.ts'
import { createTopicDecoder, type TopicDecoder } from '../../schemas/decode/topic-decoder.ts'

export const PLACEHOLDER = '__debezium_unavailable_value'

/** `fixtures/debezium/<recording>`. */
export function recordingFolder(recording: string): string {
  return fileURLToPath(new URL(`../../fixtures/debezium/${recording}`, import.meta.url))
}

/** Contracts that name the type of every column of the recorded tables. */
export function recordedContracts(): DecodeOptions['contractFor'] {
  const text = readFileSync(recordingFolder('envelope.columns.yaml'), 'utf8')
  const { tables } = parse(text) as { tables: Record<string, { columns: Record<string, string> }> }
  return (table) => contract({ name: tableName(table), ...tables[tableName(table)] })
}

export function contract(decided: Partial<TableContract> = {}): TableContract {
  return { ...DEFAULT_CONTRACT, name: 'public.t', ...decided }
}

/** A decoder for which every table has this contract. */
export function decoder(
  decided: Partial<TableContract> = {},
  options: Partial<DecodeOptions> = {},
): TopicDecoder {
  return createTopicDecoder({
    contractFor: () => contract(decided),
    epoch: 0,
    unavailablePlaceholder: PLACEHOLDER,
    ...options,
  })
}

/** Each topic by a decoder of its own, as the engine has it. */
export function decodeTopics(
  topics: ReadonlyMap<string, readonly RawRecord[]>,
  contractFor: DecodeOptions['contractFor'],
): Decoded[] {
  return [...topics.values()].flatMap((records) => {
    const topic = createTopicDecoder({ contractFor, epoch: 0, unavailablePlaceholder: PLACEHOLDER })
    return records.map((record) => topic.decode(record))
  })
}

export function isChange(decoded: Decoded): decoded is ChangeEvent {
  return decoded.kind === 'change'
}
