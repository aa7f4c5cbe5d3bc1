import type { RawRecord } from '../../core/ports.ts'
import type { ChangeEvent } from '../../schemas/change-event.ts'
import { createTopicDecoder, type TopicDecoder } from '../../schemas/decode/topic-decoder.ts'
import { benchConfig, ordersContract } from '../engine/orders-table.ts'
import { RecordedBatches } from '../engine/recorded-batches.ts'

const CONFIG = benchConfig({ lake: '.', mode: 'upsert', batchRows: null, merging: 'on' })

export function ordersDecoder(): TopicDecoder {
  const contract = ordersContract(CONFIG.pipelines[0]!)
  return createTopicDecoder({
    contractFor: () => contract,
    epoch: 0,
    unavailablePlaceholder: '__debezium_unavailable_value',
  })
}

/** The records of one batch of a workload. */
export function recordsOf(data: string, index: number, schemas: 'off' | 'inline'): readonly RawRecord[] {
  return new RecordedBatches({ data, schemas }).load(index).flatMap(({ records }) => records)
}

export function eventsOf(records: readonly RawRecord[]): readonly ChangeEvent[] {
  const decoder = ordersDecoder()
  return records.map((record) => decoder.decode(record) as ChangeEvent)
}
