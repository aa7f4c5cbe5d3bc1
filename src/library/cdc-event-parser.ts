import type { RawRecord } from '../../core/ports.ts'
import { type Decoded, tableName } from '../../schemas/change-event.ts'
import { DEFAULT_CONTRACT, type TableContract } from '../../schemas/contract.ts'
import { type DecodeOptions, UNAVAILABLE_PLACEHOLDER } from '../../schemas/decode/decode-options.ts'
import { createTopicDecoder, type TopicDecoder } from '../../schemas/decode/topic-decoder.ts'

export interface ParserOptions {
  /** By `schema.table`: types where topics carry no schemas, key columns. */
  readonly tables?: Readonly<Record<string, Partial<TableContract>>>
  /** Debezium's `unavailable.value.placeholder`; its default is ours. */
  readonly unavailablePlaceholder?: string
}

/**
 * Records of any topics in, what they tell out: pure but for its caches. Bad data is a value (`kind: 'undecodable'`),
 * never an exception; `toStandardJson` makes the standard CDC record of a change.
 *
 * ```ts
 * const parser = new CDCEventParser({ tables: { 'public.orders': { columns: { total: 'numeric(10,2)' } } } })
 * for (const decoded of parser.parseBatch(records)) {
 *   if (decoded.kind === 'change') console.log(toStandardJson(decoded))
 * }
 * ```
 */
export class CDCEventParser {
  readonly #options: DecodeOptions
  readonly #decoders = new Map<string, TopicDecoder>()

  constructor({ tables = {}, unavailablePlaceholder = UNAVAILABLE_PLACEHOLDER }: ParserOptions = {}) {
    this.#options = {
      contractFor: (table) => ({ ...DEFAULT_CONTRACT, ...tables[tableName(table)], name: tableName(table) }),
      epoch: 0,
      unavailablePlaceholder,
    }
  }

  /** @throws EngineError `E_UNKNOWN_TYPE` (usage) when a contract names a type that is not known */
  parse(record: RawRecord): Decoded {
    return this.#decoderOf(record.topic).decode(record)
  }

  /** In the order of the records, one value each. */
  parseBatch(records: Iterable<RawRecord>): readonly Decoded[] {
    return Array.from(records, (record) => this.parse(record))
  }

  #decoderOf(topic: string): TopicDecoder {
    const known = this.#decoders.get(topic) ?? createTopicDecoder(this.#options)
    this.#decoders.set(topic, known)
    return known
  }
}
