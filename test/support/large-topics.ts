import { RecordedTopicWriter } from './recorded-topic-writer.ts'

const TIME_MS = 1_795_249_774_510
const FIRST_LSN = 32_097_480

type Row = Readonly<Record<string, string | number | null>>

/** One topic of a table `public.<name>`, in the shape of Debezium without schemas; written as it is generated. */
export class LargeTopicWriter {
  readonly #writer: RecordedTopicWriter
  readonly #source: string
  #lsn = FIRST_LSN

  constructor(directory: string, table: string) {
    this.#writer = new RecordedTopicWriter(directory, `shop.public.${table}`)
    this.#source =
      `"version":"3.7.0.Final","connector":"postgresql","name":"shop","ts_ms":1795249774180,"snapshot":"false",` +
      `"db":"shop","ts_us":1795249774180146,"schema":"public","table":"${table}","txId":789,"xmin":null`
  }

  get records(): number {
    return this.#writer.records
  }

  /** All events are of one transaction. */
  insert(row: Row & { readonly id: number }): void {
    this.#append(row.id, 'c', 'null', JSON.stringify(row))
  }

  update(row: Row & { readonly id: number }): void {
    this.#append(row.id, 'u', 'null', JSON.stringify(row))
  }

  /** @param row with the fillers of the columns that are not the key */
  delete(row: Row & { readonly id: number }): void {
    this.#append(row.id, 'd', JSON.stringify(row), 'null')
    this.#writer.append({ ...this.#coordinates(row.id), value: null })
  }

  close(): void {
    this.#writer.close()
  }

  #append(id: number, op: string, before: string, after: string): void {
    this.#lsn += 160
    const sequence = `"[\\"${FIRST_LSN}\\",\\"${this.#lsn}\\"]"`
    const source = `{${this.#source},"sequence":${sequence},"lsn":${this.#lsn}}`
    const value =
      `{"before":${before},"after":${after},"source":${source},"transaction":null,"op":"${op}",` +
      `"ts_ms":1795249774500}`
    this.#writer.append({ ...this.#coordinates(id), value })
  }

  #coordinates(id: number) {
    return { partition: 0, timestampMs: TIME_MS, key: `{"id":${id}}`, headers: [] }
  }
}

/**
 * One transaction: rows that are inserted, then every tenth of them changed and every tenth deleted.
 *
 * @returns how many records it has
 */
export function writeTransaction(directory: string, table: string, rows: number, text: string): number {
  const topic = new LargeTopicWriter(directory, table)
  for (let id = 0; id < rows; id++) topic.insert({ id, text: `${text}${id}` })
  for (let id = 0; id < rows; id += 10) topic.update({ id, text: `changed ${id}` })
  for (let id = 5; id < rows; id += 10) topic.delete({ id, text: null })
  topic.close()
  return topic.records
}

/** Rows of about so many bytes. */
export function writeLongRows(directory: string, table: string, rows: number, bytes: number): number {
  const topic = new LargeTopicWriter(directory, table)
  for (let id = 0; id < rows; id++) {
    const word = `silt ${id} `
    topic.insert({ id, text: word.repeat(Math.ceil(bytes / word.length)) })
  }
  topic.close()
  return topic.records
}

/** Rows of so many columns, half of them numbers. */
export function writeWideRows(directory: string, table: string, rows: number, columns: number): number {
  const topic = new LargeTopicWriter(directory, table)
  for (let id = 0; id < rows; id++) {
    const row: Record<string, string | number> = {}
    for (let c = 1; c < columns; c++) row[`column_${c}`] = c % 2 === 0 ? id * c : `value ${(id * c) % 97}`
    topic.insert({ ...row, id })
  }
  topic.close()
  return topic.records
}

/** Tables `t0`, `t1`, … of a few rows each. */
export function writeManyTables(directory: string, tables: number, rows: number): number {
  let records = 0
  for (let t = 0; t < tables; t++) {
    const topic = new LargeTopicWriter(directory, `t${t}`)
    for (let id = 0; id < rows; id++) topic.insert({ id, text: `row ${id} of ${t}` })
    topic.close()
    records += topic.records
  }
  return records
}
