import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '../../core/assert.ts'
import type { RawRecord, RecordBatch } from '../../core/ports.ts'
import { inlineSchemas } from './inline-schemas.ts'
import { ORDERS_TOPIC } from './orders-table.ts'

const KEY_AT = '{"key":'.length
const BEFORE_VALUE = Buffer.from(',"value":')
const NEWLINE = 0x0a
/** About what a broker hands over at once. */
const RECORDS_A_FETCH = 1000

export interface RecordedBatchesOptions {
  /** Where `generate.py` wrote. */
  readonly data: string
  /** `inline`: each key and value with its schema around it, as Debezium's JSON converter writes by default. */
  readonly schemas: 'off' | 'inline'
}

/** The batches of a workload as records of a topic, keys and values as a broker client has them: bytes. */
export class RecordedBatches {
  readonly #options: RecordedBatchesOptions
  #nextOffset = 0n

  constructor(options: RecordedBatchesOptions) {
    this.#options = options
  }

  /** Records until now. */
  get count(): number {
    return Number(this.#nextOffset)
  }

  /** Reads the next batch into memory, whole. */
  load(index: number): readonly RecordBatch[] {
    const name = `b${String(index).padStart(5, '0')}.jsonl`
    const file = readFileSync(join(this.#options.data, 'json', name))
    const fetches: RecordBatch[] = []
    let records: RawRecord[] = []
    let sizeBytes = 0
    const close = () => {
      fetches.push({
        ...{ topic: ORDERS_TOPIC, partition: 0, records, nextOffset: this.#nextOffset, sizeBytes },
      })
      records = []
      sizeBytes = 0
    }
    for (let start = 0; start < file.length; ) {
      const end = file.indexOf(NEWLINE, start)
      const record = this.#record(file, start, end)
      records.push(record)
      sizeBytes += record.key!.length + record.value!.length
      if (records.length === RECORDS_A_FETCH) close()
      start = end + 1
    }
    if (records.length > 0) close()
    return fetches
  }

  #record(file: Buffer, start: number, end: number): RawRecord {
    const keyEnd = file.indexOf(BEFORE_VALUE, start)
    assert(keyEnd > start && keyEnd < end, 'a line of the workload holds a key and a value')
    const key = file.subarray(start + KEY_AT, keyEnd)
    const value = file.subarray(keyEnd + BEFORE_VALUE.length, end - 1)
    const isInline = this.#options.schemas === 'inline'
    return {
      topic: ORDERS_TOPIC,
      partition: 0,
      offset: this.#nextOffset++,
      timestampMs: 1_767_225_600_000 + Number(this.#nextOffset),
      key: isInline ? inlineSchemas.key(key) : key,
      value: isInline ? inlineSchemas.value(value) : value,
      headers: [],
    }
  }
}
