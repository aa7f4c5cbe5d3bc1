import type { RawRecord, RecordBatch } from '../../core/ports.ts'

/** Where the made-up changes come from, and what table they are of. */
export const ORDERS_TOPIC = 'shop.public.orders'

/** As a contract names them: the records carry no schemas. */
export const ORDERS_COLUMNS: Readonly<Record<string, string>> = {
  id: 'bigint',
  customer: 'text',
  status: 'text',
  amount: 'numeric(12,2)',
  qty: 'integer',
  note: 'text',
  updated_at: 'timestamp',
  flag: 'boolean',
}

/** About what a broker hands over at once. */
const RECORDS_A_FETCH = 1000
const STATUSES = ['new', 'paid', 'picked', 'shipped', 'delivered', 'returned']
const WORDS = ['amber', 'river', 'stone', 'cloud', 'signal', 'harbor', 'window', 'silver', 'Zürich', 'café']
/** Of ten changes of a table with rows, so many are inserts; one is a delete, the rest are updates. */
const INSERTS_OF_TEN = 2
const LSN_STEP = 64
const START_MS = 1_767_225_600_000

export interface MadeUpOptions {
  /** So many inserts come first; `null`: there is nothing but inserts. */
  readonly initialRows: number | null
  /** Of the schema `public`. */
  readonly table?: string
  /** When the source committed a change, epoch milliseconds; default: a millisecond after the one before. */
  readonly timeMsOf?: (index: number) => number
}

/**
 * Debezium changes of a table of orders, as many as are asked for: inserts, updates of rows that are there, drawn evenly,
 * and deletes of the oldest ones. The same each time, but for the times.
 */
export class MadeUpOrders {
  readonly #table: string
  readonly #initialRows: number
  readonly #insertsOnly: boolean
  readonly #timeMsOf: (index: number) => number
  #count = 0
  #nextId = 0
  #oldestId = 0
  #state = 1

  constructor({ initialRows, table = 'orders', timeMsOf = (index) => START_MS + index }: MadeUpOptions) {
    this.#table = table
    this.#insertsOnly = initialRows === null
    this.#initialRows = initialRows ?? 0
    this.#timeMsOf = timeMsOf
  }

  /** Rows that the table has after these changes. */
  get rowCount(): number {
    return this.#nextId - this.#oldestId
  }

  nextFetch(): RecordBatch {
    const records = Array.from({ length: RECORDS_A_FETCH }, () => this.next())
    const sizeBytes = records.reduce((sum, { key, value }) => sum + key!.length + value!.length, 0)
    return { topic: ORDERS_TOPIC, partition: 0, records, nextOffset: BigInt(this.#count), sizeBytes }
  }

  next(): RawRecord {
    const turn = this.#count % 10
    if (this.#insertsOnly || this.#nextId < this.#initialRows || turn < INSERTS_OF_TEN) {
      return this.#record('c', this.#nextId++)
    }
    if (turn === INSERTS_OF_TEN) return this.#record('d', this.#oldestId++)
    return this.#record('u', this.#oldestId + (this.#draw() % (this.#nextId - this.#oldestId)))
  }

  #record(op: 'c' | 'u' | 'd', id: number): RawRecord {
    const index = this.#count++
    const timestampMs = this.#timeMsOf(index)
    const lsn = LSN_STEP * (index + 1)
    const before = op === 'd' ? `{"id":${id}}` : 'null'
    const after = op === 'd' ? 'null' : this.#row(id, timestampMs)
    const value =
      `{"before":${before},"after":${after},"source":{"version":"3.2.0.Final","connector":"postgresql","name":"shop",` +
      `"ts_ms":${timestampMs},"snapshot":"false","db":"shop","sequence":null,"schema":"public","table":"${this.#table}",` +
      `"txId":${index},"lsn":${lsn},"xmin":null},"op":"${op}","ts_ms":${timestampMs},"transaction":null}`
    return {
      ...{ topic: ORDERS_TOPIC, partition: 0, offset: BigInt(index), timestampMs, headers: [] },
      ...{ key: Buffer.from(`{"id":${id}}`), value: Buffer.from(value) },
    }
  }

  #row(id: number, timeMs: number): string {
    const drawn = this.#draw()
    const word = (shift: number) => WORDS[(drawn >>> shift) % WORDS.length]
    return (
      `{"id":${id},"customer":"cust-${id % 50_000}","status":"${STATUSES[drawn % STATUSES.length]}",` +
      `"amount":"${drawn % 100_000}.${10 + (drawn % 90)}","qty":${drawn % 1000},` +
      `"note":"${word(3)} ${word(7)} ${word(11)} ${word(15)} ${word(19)} order ${drawn.toString(36)}",` +
      `"updated_at":${timeMs * 1000},"flag":${drawn % 2 === 0}}`
    )
  }

  /** A number below 2^32 (xorshift: enough to spread keys). */
  #draw(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return x >>> 0
  }
}
