import { assert, unreachable } from '../../core/assert.ts'
import { EngineError } from '../../core/errors.ts'
import type { ChangeSource, PartitionRange, RawRecord, RecordBatch } from '../../core/ports.ts'
import { type ChangeEvent, type TableId, tableName, type Undecodable } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { createTopicDecoder, type TopicDecoder } from '../../schemas/decode/topic-decoder.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { partitionName, readProgress, type TableProgress } from '../../writers/table-progress.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import { addTally, emptyTally, type Tally, tallyTotal } from '../../writers/tally.ts'
import { DeadLetters } from './dead-letters.ts'
import { PartitionProgress } from './partition-progress.ts'
import { PassedMark } from './passed-mark.ts'
import { startPosition } from './start-position.ts'
import { TableOwner } from './table-owner.ts'
import { defaultTableName, feedsTable } from './topic-tables.ts'

/** Bytes of raw records that all tables together may hold. */
const BUFFER_BYTES_MAX = 128 * 1024 * 1024
const MARK_EVERY_MS = 30_000

export interface PipelineOptions {
  readonly name: string
  readonly contractFor: (table: string) => TableContract
  /** Paths of all tables that a topic can feed; `null` for one whose path is not known before its first record. */
  readonly pathsOf: (topic: string) => readonly (string | null)[]
  readonly pathOf: (table: TableId) => string
  /** A batch of a table closes at the first of these bounds. */
  readonly batch: { readonly rows: number; readonly bytes: number; readonly ageMs: number }
}

/** What a run did; the tally adds up to the records read. */
export interface RunReport {
  readonly records: number
  readonly tally: Tally
  readonly tables: readonly TableReport[]
  readonly deadLetterReasons: ReadonlyMap<string, number>
}

export interface TableReport {
  readonly name: string
  /** `null`: the table stopped before it was opened. */
  readonly path: string | null
  readonly version: number | null
  readonly rows: number
  readonly inserts: number
  readonly updates: number
  readonly deletes: number
  readonly unresolvedUnavailable: number
  readonly ambiguousKeyMoves: number
  readonly stopped: EngineError | null
}

export interface RunOptions {
  readonly untilEnd: boolean
  /** Ends the run: what is buffered is made durable first. */
  readonly signal: AbortSignal
  readonly onProgress: (progress: {
    readonly records: number
    readonly rows: number
    readonly tables: number
  }) => void
}

/** The loop: records in, each dealt with exactly once, tables and marks moved on. Holds no clock and no I/O of its own. */
export class Pipeline {
  readonly #ports: TableLogPorts
  readonly #source: ChangeSource
  readonly #options: PipelineOptions
  readonly #deadLetters: DeadLetters
  readonly #mark: PassedMark
  readonly #owners = new Map<string, TableOwner>()
  readonly #partitions = new Map<string, PartitionProgress>()
  /** Topics that are not what they were, or have a gap. */
  readonly #brokenTopics = new Map<string, EngineError>()
  readonly #progressOf = new Map<string, readonly (TableProgress | null)[]>()
  readonly #decoders = new Map<string, TopicDecoder>()
  readonly #tally = emptyTally()
  #records = 0
  #rows = 0

  private constructor(
    ports: TableLogPorts,
    source: ChangeSource,
    options: PipelineOptions,
    deadLetters: DeadLetters,
    mark: PassedMark,
  ) {
    this.#ports = ports
    this.#source = source
    this.#options = options
    this.#deadLetters = deadLetters
    this.#mark = mark
  }

  static async open(ports: TableLogPorts, source: ChangeSource, options: PipelineOptions): Promise<Pipeline> {
    const deadLetters = await DeadLetters.open(ports, options.name)
    const mark = await PassedMark.open(ports, options.name)
    return new Pipeline(ports, source, options, deadLetters, mark)
  }

  /** Runs until the end of the source (or for ever). A table that stops leaves the others running. */
  async run({ untilEnd, signal, onProgress }: RunOptions): Promise<RunReport> {
    for (const range of await this.#source.partitions()) await this.#start(range)
    const from = [...this.#partitions.values()].map((progress) => progress.readFrom())
    for await (const batch of this.#source.read(from, { untilEnd })) {
      if (batch !== null) await this.#take(batch)
      await this.#flushDue()
      onProgress({ records: this.#records, rows: this.#rows, tables: this.#owners.size })
      if (signal.aborted) break
    }
    await this.#flushAll()
    await this.#writeMark()
    return this.#report()
  }

  async #start(range: PartitionRange): Promise<void> {
    const { topic, partition } = range
    const passed = this.#mark.passed(topic, partition)
    const startedAt = startPosition(range, passed, await this.#tablesOf(topic))
    try {
      this.#partitions.set(partitionName(topic, partition), new PartitionProgress(range, startedAt, passed))
    } catch (error) {
      this.#breakTopic(topic, asEngineError(error))
    }
  }

  /** What the tables that a topic can feed say of their progress, before any record has named them. */
  async #tablesOf(topic: string): Promise<readonly (TableProgress | null)[]> {
    const known = this.#progressOf.get(topic)
    if (known !== undefined) return known
    const { name, pathsOf } = this.#options
    const tables: (TableProgress | null)[] = []
    for (const path of pathsOf(topic)) {
      const snapshot = path === null ? null : await loadSnapshot(this.#ports.store, path)
      tables.push(snapshot === null ? null : readProgress(snapshot.txns, name))
    }
    this.#progressOf.set(topic, tables)
    return tables
  }

  async #take(batch: RecordBatch): Promise<void> {
    const progress = await this.#progressFor(batch)
    if (progress === null) {
      this.#records += batch.records.length
      return this.#park(batch.records.length)
    }
    for (const record of batch.records) {
      if (!this.#isNew(record, progress)) continue
      this.#records++
      await this.#takeRecord(record, progress)
      progress.seenNext = record.offset + 1n
    }
    if (progress.seenNext < batch.nextOffset) progress.seenNext = batch.nextOffset
  }

  /** @returns `null` when the partition cannot be read on from where we were */
  async #progressFor({
    topic,
    partition,
    records,
    nextOffset,
  }: RecordBatch): Promise<PartitionProgress | null> {
    const name = partitionName(topic, partition)
    const known = this.#partitions.get(name)
    if (known !== undefined || this.#brokenTopics.has(topic)) return known ?? null
    await this.#start({ topic, partition, startOffset: records[0]?.offset ?? 0n, endOffset: nextOffset })
    return this.#partitions.get(name) ?? null
  }

  #isNew(record: RawRecord, progress: PartitionProgress): boolean {
    if (this.#brokenTopics.has(record.topic)) return true
    try {
      return progress.admit(record)
    } catch (error) {
      this.#breakTopic(record.topic, asEngineError(error))
      return false
    }
  }

  async #takeRecord(record: RawRecord, progress: PartitionProgress): Promise<void> {
    if (this.#brokenTopics.has(record.topic)) return this.#park(1)
    const decoded = this.#decoderOf(record.topic).decode(record)
    switch (decoded.kind) {
      case 'tombstone':
        this.#tally.tombstones++
        return
      case 'control':
        this.#tally.control++
        return
      case 'undecodable':
        return this.#takeLetter(record, decoded, progress)
      case 'change':
        return this.#takeChange(record, decoded, progress)
      default:
        return unreachable(decoded)
    }
  }

  async #takeChange(record: RawRecord, event: ChangeEvent, progress: PartitionProgress): Promise<void> {
    const contract = this.#options.contractFor(tableName(event.table))
    if (!feedsTable(event.at.topic, event.table, contract.topics)) {
      return this.#takeLetter(record, misrouted(event), progress)
    }
    const owner = this.#ownerOf(contract)
    owner.partitions.add(progress)
    progress.owners.add(owner)
    if (owner.stopped !== null) return this.#park(1)
    const keyless = lacksBeforeImage(event, contract)
    if (keyless !== null) return this.#takeLetter(record, keyless, progress)
    await this.#guarded(owner, async () => {
      owner.writer ??= await this.#openTable(event.table, contract)
      if (owner.writer.hasPassed(event.at)) {
        this.#tally.duplicates++
        return
      }
      if (owner.writer.mustFlushBefore(event)) await this.#flush(owner)
      if (owner.stopped !== null) return this.#park(1)
      owner.writer.add(event)
      owner.storm.note(false)
      this.#rows++
      const { rows, bytes } = this.#options.batch
      if (owner.writer.bufferedEvents >= rows || owner.writer.bufferedBytes >= bytes) {
        progress.seenNext = record.offset + 1n
        await this.#flush(owner)
      }
    })
  }

  /** A record that cannot be read is set aside; too many of them in one table's records stop the table. */
  async #takeLetter(record: RawRecord, letter: Undecodable, progress: PartitionProgress): Promise<void> {
    const contract = this.#options.contractFor(this.#ownerNameOf(record.topic, letter))
    const owner = this.#ownerOf(contract)
    owner.partitions.add(progress)
    progress.owners.add(owner)
    if (owner.stopped !== null) return this.#park(1)
    if (owner.writer?.hasPassed(letter.at)) {
      this.#tally.duplicates++
      return
    }
    this.#deadLetters.add(record, letter)
    this.#tally.deadLetters++
    if (!owner.storm.note(true)) return
    progress.seenNext = record.offset + 1n
    await this.#flush(owner)
    owner.stopped ??= storm(contract, record)
  }

  /** Whose record an unreadable one is: the table it names if that can be, else the one its topic is named for. */
  #ownerNameOf(topic: string, { table }: Undecodable): string {
    if (table === null) return defaultTableName(topic)
    const name = tableName(table)
    return feedsTable(topic, table, this.#options.contractFor(name).topics) ? name : defaultTableName(topic)
  }

  #ownerOf(contract: TableContract): TableOwner {
    const known = this.#owners.get(contract.name)
    if (known !== undefined) return known
    const owner = new TableOwner(contract)
    this.#owners.set(contract.name, owner)
    return owner
  }

  #openTable(table: TableId, contract: TableContract): Promise<TableWriter> {
    const { name: pipeline, pathOf } = this.#options
    return TableWriter.open(this.#ports, { pipeline, table, contract, path: pathOf(table), isOrdered: true })
  }

  #decoderOf(topic: string): TopicDecoder {
    const known = this.#decoders.get(topic)
    if (known !== undefined) return known
    const { contractFor } = this.#options
    const decoder = createTopicDecoder({
      contractFor: (table) => contractFor(tableName(table)),
      epoch: 0,
      unavailablePlaceholder: '__debezium_unavailable_value',
    })
    this.#decoders.set(topic, decoder)
    return decoder
  }

  /** Flushes what has reached its age, and the fullest tables while all together hold too much. */
  async #flushDue(): Promise<void> {
    if (this.#deadLetters.ageMs >= this.#options.batch.ageMs) await this.#deadLetters.flush()
    const owners = [...this.#owners.values()]
    for (const owner of owners) {
      if ((owner.writer?.bufferAgeMs ?? 0) >= this.#options.batch.ageMs) await this.#flush(owner)
    }
    const buffered = owners.filter((owner) => owner.writer !== null)
    buffered.sort((a, b) => b.writer!.bufferedBytes - a.writer!.bufferedBytes)
    let total = buffered.reduce((sum, owner) => sum + owner.writer!.bufferedBytes, 0)
    for (const owner of buffered) {
      if (total <= BUFFER_BYTES_MAX) break
      total -= owner.writer!.bufferedBytes
      await this.#flush(owner)
    }
    if (this.#mark.ageMs >= MARK_EVERY_MS) await this.#writeMark()
  }

  async #flushAll(): Promise<void> {
    for (const owner of this.#owners.values()) await this.#flush(owner)
  }

  /** Letters first: a table never passes a record that is in neither. */
  async #flush(owner: TableOwner): Promise<void> {
    const { writer } = owner
    if (writer === null || owner.stopped !== null || writer.bufferedEvents === 0) return
    await this.#deadLetters.flush()
    const count = writer.bufferedEvents
    await this.#guarded(
      owner,
      async () => {
        const report = await writer.flush(owner.positions())
        addTally(this.#tally, report.tally)
        owner.note(report)
      },
      () => this.#park(count),
    )
  }

  /** An error that concerns one table stops that table; what it had not made durable stays in the topic. */
  async #guarded(owner: TableOwner, work: () => Promise<void>, onStop = () => this.#park(1)): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof EngineError) || error.remedy !== 'stop-table') throw error
      owner.stopped = error
      this.#ports.logger.error({ table: owner.contract.name, code: error.code }, error.message)
      onStop()
    }
  }

  #breakTopic(topic: string, error: EngineError): void {
    if (error.remedy !== 'stop-table') throw error
    if (this.#brokenTopics.has(topic)) return
    this.#brokenTopics.set(topic, error)
    this.#ports.logger.error({ topic, code: error.code }, error.message)
    const owner = this.#ownerOf(this.#options.contractFor(defaultTableName(topic)))
    if (owner.stopped !== null) return
    owner.stopped = error
    this.#park(owner.writer?.bufferedEvents ?? 0)
  }

  #park(count: number): void {
    this.#tally.parked += count
  }

  async #writeMark(): Promise<void> {
    await this.#deadLetters.flush()
    const healthy = [...this.#partitions.values()].filter(({ topic }) => !this.#brokenTopics.has(topic))
    const passed = healthy.map((progress) => progress.passed())
    await this.#mark.write(passed)
    await this.#source.ack(passed)
  }

  #report(): RunReport {
    assert(tallyTotal(this.#tally) === this.#records, 'every record read is counted once')
    return {
      records: this.#records,
      tally: this.#tally,
      tables: [...this.#owners.values()].filter(hasNews).map(tableReport),
      deadLetterReasons: this.#deadLetters.reasons,
    }
  }
}

function hasNews(owner: TableOwner): boolean {
  return owner.writer !== null || owner.stopped !== null
}

function tableReport(owner: TableOwner): TableReport {
  const { contract, writer, counts, stopped } = owner
  return {
    name: contract.name,
    path: writer?.options.path ?? null,
    version: writer?.version ?? null,
    rows: writer?.rowCount ?? 0,
    inserts: counts.inserted,
    updates: counts.updated,
    deletes: counts.deleted,
    unresolvedUnavailable: owner.unresolvedUnavailable,
    ambiguousKeyMoves: owner.ambiguousKeyMoves,
    stopped,
  }
}

function misrouted(event: ChangeEvent): Undecodable {
  return {
    kind: 'undecodable',
    reason: 'TABLE_OF_ANOTHER_TOPIC',
    message: `the record tells of table ${tableName(event.table)}, which this topic does not feed; if it should, name the topic in tables.<name>.topics`,
    table: event.table,
    at: event.at,
  }
}

/** Without a key a row can only be known by all its values. */
function lacksBeforeImage(event: ChangeEvent, contract: TableContract): Undecodable | null {
  const needsImage =
    event.key === null && (event.op === 'u' || event.op === 'd') && contract.mode === 'upsert'
  if (!needsImage || event.before !== null) return null
  return {
    kind: 'undecodable',
    reason: 'NO_BEFORE_IMAGE',
    message:
      'an update or delete of a table without a key carries no row before it; set REPLICA IDENTITY FULL at the source',
    table: event.table,
    at: event.at,
  }
}

function storm(contract: TableContract, record: RawRecord): EngineError {
  return new EngineError(
    'E_DEAD_LETTER_STORM',
    'stop-table',
    `more than ${contract.deadLetters.maxShare * 100} % of the table's last records could not be read (alluvium dlq list says why); ` +
      'the rest stays in the topic. Set the types or the format right, or allow it with deadLetters: { maxShare: 1 }',
    { table: contract.name, topic: record.topic, partition: record.partition, offset: record.offset },
  )
}

function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error
  throw error
}
