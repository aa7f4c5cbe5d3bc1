import type { RawRecord } from '../../core/ports.ts'
import type { ChangeEvent, Operation, RecordCoordinates, RowImage, RowKey, TableId } from '../change-event.ts'
import type { Position } from '../position.ts'
import { ConnectorRun } from './connector-run.ts'
import type { DecodeOptions } from './decode-options.ts'
import type { InlineSchema } from './inline-schemas.ts'
import { JSON_NULL, type JsonTape } from './json-tape.ts'
import type { PayloadLayout } from './recognise.ts'
import { KeyReader } from './record-key.ts'
import type { RowReader } from './row-reader.ts'
import { type SourceBlock, SourceReader } from './source-block.ts'
import type { TableColumns } from './table-columns.ts'
import { TableReaders } from './table-readers.ts'
import { Fault } from './undecodable-reasons.ts'

const NO_AFTER = new Fault('AFTER_MISSING', 'has no after image')
const NO_LSN = new Fault('NO_POSITION', 'is a streamed event without source.lsn')

/** An envelope that could not be read, and the table if the record got that far. */
export interface RefusedEnvelope {
  readonly fault: Fault
  readonly table: TableId | null
}

/** A record whose payload is scanned and known to be meant as an envelope. */
export interface ScannedEnvelope {
  readonly json: JsonTape
  readonly layout: PayloadLayout
  /** Value tokens of the payload's members. */
  readonly tokens: Int32Array
  readonly schema: InlineSchema | null
  /** Of the payload as it is written. */
  readonly sizeBytes: number
}

/** Decodes Debezium's PostgreSQL envelopes of one topic (formats.md §2). */
export class EnvelopeDecoder {
  readonly #source = new SourceReader()
  readonly #keys = new KeyReader()
  readonly #run = new ConnectorRun()
  readonly #tables: TableReaders
  readonly #epoch: number

  constructor(options: DecodeOptions) {
    this.#tables = new TableReaders(options)
    this.#epoch = options.epoch
  }

  decode(
    envelope: ScannedEnvelope,
    op: Operation,
    record: RawRecord,
    at: RecordCoordinates,
  ): ChangeEvent | RefusedEnvelope {
    const { json, layout, tokens, schema } = envelope
    const source = this.#source.read(json, layout.source < 0 ? -1 : tokens[layout.source]!)
    if (source instanceof Fault) return { fault: source, table: null }
    const columns = this.#tables.of(source.table)
    const { table } = columns
    const position = this.#positionOf(source, op)
    if (position instanceof Fault) return { fault: position, table }
    const rows = this.#tables.rowsOf(columns, schema)
    const newKey = this.#headerKey(op === 'd' ? '__debezium.newkey' : null, record, rows)
    const oldKey = this.#headerKey(op === 'c' ? '__debezium.oldkey' : null, record, rows)
    if (newKey instanceof Fault) return { fault: newKey, table }
    if (oldKey instanceof Fault) return { fault: oldKey, table }
    const images = readImages(envelope, op, rows, oldKey !== null)
    if (images instanceof Fault) return { fault: images, table }
    const { before, after } = images
    const key = op === 't' ? null : this.#keys.read(record.key, op, columns, rows, after ?? before)
    if (key instanceof Fault) return { fault: key, table }
    const event: ChangeEvent = {
      kind: 'change',
      op,
      table,
      key,
      before,
      after,
      position,
      lsn: source.lsn,
      txId: source.txId,
      sourceTimeUs: source.timeUs,
      newKey: ownKey(newKey, columns),
      oldKey: ownKey(oldKey, columns),
      at,
      sizeBytes: envelope.sizeBytes + sizeBeside(record),
    }
    if (op === 'r' && source.readAfterLsn !== null) return { ...event, ...this.#readAfter(source) }
    const run =
      op === 'c' && (key === null || columns.contract.mode === 'append') ? this.#run.of(record) : null
    return run === null ? event : { ...event, run }
  }

  /** Where a row of an incremental snapshot was read: the whole position, or its LSN when that is all there is. */
  #readAfter({ readAfterLsn: lsn, previousCommit: seq }: SourceBlock): Partial<ChangeEvent> {
    return seq === null ? { lsn } : { readAfter: { epoch: this.#epoch, seq, lsn: lsn! } }
  }

  /** Design §3.1. Whether a row is a snapshot's is told by its `op`; `source.snapshot` may lag behind it. */
  #positionOf(source: SourceBlock, op: Operation): Position | null | Fault {
    if (op === 'r') return null
    if (source.lsn === null) return NO_LSN
    return { epoch: this.#epoch, seq: source.previousCommit ?? source.lsn, lsn: source.lsn }
  }

  /** Key in a header; of a name that repeats, the last one counts, as in Kafka itself. */
  #headerKey(name: string | null, record: RawRecord, rows: RowReader): RowKey | null | Fault {
    if (name === null || record.headers.length === 0) return null
    const header = record.headers.findLast((h) => h[0] === name)
    if (header === undefined) return null
    const key = this.#keys.fromBytes(header[1], rows)
    return key instanceof Fault ? key.of(`has a header ${name} that`) : key
  }
}

function readImages(
  { json, layout, tokens }: ScannedEnvelope,
  op: Operation,
  rows: RowReader,
  isKeyChange: boolean,
): { before: RowImage | null; after: RowImage | null } | Fault {
  if (op === 't') return { before: null, after: null }
  const beforeToken = layout.before < 0 ? -1 : tokens[layout.before]!
  const afterToken = layout.after < 0 ? -1 : tokens[layout.after]!
  const hasAfter = op !== 'd' && afterToken >= 0 && json.kind(afterToken) !== JSON_NULL
  if (op !== 'd' && !hasAfter) return NO_AFTER
  let before: RowImage | null = null
  if (beforeToken >= 0 && json.kind(beforeToken) !== JSON_NULL) {
    const read = rows.read(json, beforeToken, false)
    if (read instanceof Fault) return read.of('has a before image that')
    before = read
  }
  if (!hasAfter) return { before, after: null }
  // A change of the key is told as delete and create: what an update need not send, that create need not either.
  const after = rows.read(json, afterToken, op === 'u' || isKeyChange)
  return after instanceof Fault ? after.of('has an after image that') : { before, after }
}

/** The other key of a key change, in the columns that are this table's key; `null` when the header lacks one. */
function ownKey(key: RowKey | null, { contract }: TableColumns): RowKey | null {
  if (key === null || contract.key === undefined) return key
  const at = contract.key.map((name) => key.columns.findIndex((c) => c.name === name))
  if (at.length === 0 || at.includes(-1)) return null
  return { columns: at.map((i) => key.columns[i]!), values: at.map((i) => key.values[i]!) }
}

/** What a record holds beside its value. */
function sizeBeside(record: RawRecord): number {
  let size = record.key?.length ?? 0
  for (const [name, value] of record.headers) size += name.length + (value?.length ?? 0)
  return size
}
