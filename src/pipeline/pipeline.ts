import { assert, unreachable } from '../../core/assert.ts'
import { EngineError } from '../../core/errors.ts'
import type { ChangeSource, PartitionRange, RawRecord, RecordBatch } from '../../core/ports.ts'
import { type ChangeEvent, type TableId, tableName, type Undecodable } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { createTopicDecoder, type TopicDecoder } from '../../schemas/decode/topic-decoder.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import { liveRowCount } from '../../writers/table/row-count.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { partitionName, readProgress, type TableProgress } from '../../writers/table-progress.ts'
import { type FlushReport, TableWriter } from '../../writers/table-writer.ts'
import { addTally, emptyTally, type Tally, tallyTotal } from '../../writers/tally.ts'
import type { BatchBounds } from '../config/config.ts'
import { DeadLetters } from './dead-letters.ts'
import { PartitionProgress } from './partition-progress.ts'
import { PassedMark } from './passed-mark.ts'
import { fedFromElsewhere, lacksBeforeImage, refuseOtherSource, storm } from './refusals.ts'
import { TableOwner, type TableStanding } from './table-owner.ts'
import { feedsTable } from './topic-tables.ts'

/** Bytes of raw records that all tables together may hold. */
const BUFFER_BYTES_MAX = 128 * 1024 * 1024
const MARK_EVERY_MS = 30_000
/** When partitions come, all of them are asked for at about the same time: one look serves them. */
const MARK_FRESH_MS = 1000

export interface PipelineOptions {
  readonly name: string
  readonly contractFor: (table: string) => TableContract
  /** The tables that a topic can feed, as far as its name and the configuration tell; at least one. */
  readonly tablesOf: (topic: string) => readonly TopicTable[]
  readonly pathOf: (table: TableId) => string
  /** A batch of a table closes at the first of these bounds. */
  readonly batch: BatchBounds
}

/** A table as it is known before a record has named it. */
export interface TopicTable {
  /** `schema.table`. */
  readonly name: string
  /** As far as its path needs it; `null` when only a record can tell where it lies. */
  readonly table: TableId | null
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
  #mark: PassedMark
  #markReadAtMs: number
  readonly #owners = new Map<string, TableOwner>()
  readonly #partitions = new Map<string, PartitionProgress>()
  /** Topics that are not what they were, or have a gap. */
  readonly #brokenTopics = new Set<string>()
  readonly #feedsOf = new Map<string, readonly Feed[]>()
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
    this.#markReadAtMs = ports.clock.monotonicMs()
  }

  static async open(ports: TableLogPorts, source: ChangeSource, options: PipelineOptions): Promise<Pipeline> {
    const deadLetters = await DeadLetters.open(ports, options.name)
    const mark = await PassedMark.open(ports, options.name)
    return new Pipeline(ports, source, options, deadLetters, mark)
  }

  /** Runs until the end of the source (or for ever). A table that stops leaves the others running. */
  async run({ untilEnd, signal, onProgress }: RunOptions): Promise<RunReport> {
    const batches = this.#source.read({
      untilEnd,
      startAt: (range) => this.#startAt(range),
      onRevoked: (partitions) => this.#giveUp(partitions),
    })
    for await (const batch of batches) {
      if (batch !== null) await this.#take(batch)
      await this.#flushDue()
      onProgress({ records: this.#records, rows: this.#rows, tables: this.#ownersOfTables().length })
      if (signal.aborted) break
    }
    await this.#flushAll()
    await this.#writeMark()
    return this.#report()
  }

  /** A partition comes to us. @returns `null` when it cannot be read on from where we were */
  async #startAt(range: PartitionRange): Promise<bigint | null> {
    if (this.#ports.clock.monotonicMs() - this.#markReadAtMs > MARK_FRESH_MS) await this.#readMark()
    await this.#start(range)
    return this.#partitions.get(partitionName(range.topic, range.partition))?.readFrom() ?? null
  }

  /** The mark as other members of the group have left it. */
  async #readMark(): Promise<void> {
    this.#mark = await PassedMark.open(this.#ports, this.#options.name)
    this.#markReadAtMs = this.#ports.clock.monotonicMs()
  }

  /**
   * Partitions are another member's now. What their tables hold of them stays in the topics, and whoever has them now
   * moves these tables: it is no stranger that fences us.
   */
  async #giveUp(partitions: readonly Pick<PartitionRange, 'topic' | 'partition'>[]): Promise<void> {
    for (const { topic, partition } of partitions) {
      const name = partitionName(topic, partition)
      const progress = this.#partitions.get(name)
      this.#partitions.delete(name)
      this.#feedsOf.delete(topic)
      if (progress === undefined) continue
      for (const owner of this.#owners.values()) {
        owner.holds.delete(progress)
        if (owner.partitions.delete(progress)) this.#park(owner.letGo())
      }
    }
    const isSplit = [...this.#owners.values()].some(
      ({ writer, partitions }) => writer === null && partitions.size > 0,
    )
    assert(!isSplit, 'partitions that feed one table go together')
  }

  async #start(range: PartitionRange): Promise<void> {
    const { topic, partition } = range
    const name = partitionName(topic, partition)
    const passed = this.#mark.passed(topic, partition)
    const feeds = await this.#feeds(topic)
    const ownNext = ({ progress }: Feed) => progress?.nextOffsets.get(name) ?? null
    const started = new PartitionProgress(range, passed)
    try {
      for (const feed of feeds) started.refuseShorter(ownNext(feed))
    } catch (error) {
      return this.#breakTopic(topic, asEngineError(error))
    }
    this.#partitions.set(name, started)
    for (const feed of feeds) {
      await this.#guarded(feed.owner, async () => started.refuseGap(ownNext(feed)), NOTHING)
    }
  }

  /** The tables that a topic can feed and what they say of their progress, before any record has named them. */
  async #feeds(topic: string): Promise<readonly Feed[]> {
    const known = this.#feedsOf.get(topic)
    if (known !== undefined) return known
    const { tablesOf, contractFor } = this.#options
    const feeds: Feed[] = []
    for (const { name, table } of tablesOf(topic)) {
      const owner = this.#ownerOf(contractFor(name))
      const look = async () => {
        if (table !== null) owner.standing = await this.#standing(table)
      }
      await this.#guarded(owner, look, NOTHING)
      feeds.push({ owner, progress: owner.standing?.progress ?? null })
    }
    this.#feedsOf.set(topic, feeds)
    return feeds
  }

  async #standing(table: TableId): Promise<TableStanding | null> {
    const { name: pipeline, pathOf } = this.#options
    const path = pathOf(table)
    const snapshot = await loadSnapshot(this.#ports.store, path)
    if (snapshot === null) return null
    const { version, txns } = snapshot
    return { path, version, rows: liveRowCount(snapshot), progress: readProgress(txns, pipeline) }
  }

  async #take(batch: RecordBatch): Promise<void> {
    const progress = this.#partitions.get(partitionName(batch.topic, batch.partition))
    assert(progress !== undefined, 'a batch comes from a partition that was asked for')
    for (const record of batch.records) {
      if (!(await this.#isNew(record, progress))) continue
      this.#records++
      await this.#takeRecord(record, progress)
      progress.see(record)
    }
    progress.seeOffsetsBefore(batch.nextOffset)
  }

  async #isNew(record: RawRecord, progress: PartitionProgress): Promise<boolean> {
    if (this.#brokenTopics.has(record.topic)) return true
    try {
      return progress.admit(record)
    } catch (error) {
      await this.#breakTopic(record.topic, asEngineError(error))
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
    const owner = this.#ownerOf(contract)
    progress.noteOwner(owner)
    if (!feedsTable(event.at.topic, event.table, contract.topics)) {
      await this.#stop(owner, fedFromElsewhere(event))
      return this.#park(1)
    }
    progress.lastOwner = owner
    if (owner.stopped !== null) return this.#park(1)
    const keyless = lacksBeforeImage(event, contract)
    if (keyless !== null) return this.#takeLetter(record, keyless, progress)
    owner.storm.note(false)
    await this.#guarded(owner, async () => {
      const writer = await this.#writerOf(owner, event.table, progress)
      if (writer.hasPassed(event.at)) {
        this.#tally.duplicates++
        return
      }
      if (writer.mustFlushBefore(event)) await this.#flush(owner)
      if (owner.stopped !== null) return this.#park(1)
      writer.add(event)
      this.#rows++
      const { rows, bytes } = this.#options.batch
      if (writer.buffered.count >= rows || writer.buffered.sizeBytes >= bytes) {
        progress.see(record)
        await this.#flush(owner)
      }
    })
  }

  /** @throws EngineError (stop-table) when the table cannot be opened, is another's, or missed records */
  async #writerOf(owner: TableOwner, table: TableId, progress: PartitionProgress): Promise<TableWriter> {
    owner.writer ??= await this.#openTable(table, owner.contract)
    const { writer } = owner
    refuseOtherSource(writer.options.table, table, owner.contract.name)
    if (!owner.partitions.has(progress)) {
      progress.refuseGap(writer.nextOffset(progress.topic, progress.partition))
      owner.partitions.add(progress)
    }
    return writer
  }

  /** A record that cannot be read is set aside; too many of them in one table's records stop the table. */
  async #takeLetter(record: RawRecord, letter: Undecodable, progress: PartitionProgress): Promise<void> {
    const owner = await this.#ownerOfLetter(letter, progress)
    progress.noteOwner(owner)
    if (owner.stopped !== null) return this.#park(1)
    this.#deadLetters.add(record, letter)
    this.#tally.deadLetters++
    if (this.#deadLetters.isDue(this.#options.batch)) await this.#deadLetters.flush()
    if (!owner.storm.note(true)) return
    progress.see(record)
    await this.#stop(owner, storm(owner.contract, record))
  }

  /** Whose record an unreadable one is: the table it names if that can be, else that of the record before it. */
  async #ownerOfLetter({ table, at }: Undecodable, progress: PartitionProgress): Promise<TableOwner> {
    if (table !== null) {
      const contract = this.#options.contractFor(tableName(table))
      if (feedsTable(at.topic, table, contract.topics)) return this.#ownerOf(contract)
    }
    if (progress.lastOwner !== null) return progress.lastOwner
    const [first] = await this.#feeds(at.topic)
    assert(first !== undefined, 'every topic can feed a table')
    return first.owner
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
    if (this.#deadLetters.isDue(this.#options.batch)) await this.#deadLetters.flush()
    const owners = [...this.#owners.values()]
    for (const owner of owners) {
      if ((owner.writer?.buffered.ageMs ?? 0) >= this.#options.batch.ageMs) await this.#flush(owner)
    }
    const buffered = owners.filter((owner) => owner.writer !== null)
    buffered.sort((a, b) => b.writer!.buffered.sizeBytes - a.writer!.buffered.sizeBytes)
    let total = buffered.reduce((sum, owner) => sum + owner.writer!.buffered.sizeBytes, 0)
    for (const owner of buffered) {
      if (total <= BUFFER_BYTES_MAX) break
      total -= owner.writer!.buffered.sizeBytes
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
    if (writer === null || owner.stopped !== null || writer.buffered.count === 0) return
    await this.#deadLetters.flush()
    const count = writer.buffered.count
    await this.#guarded(
      owner,
      async () => {
        const report = await writer.flush(owner.positions())
        addTally(this.#tally, report.tally)
        owner.note(report)
        this.#warnOf(owner, report)
      },
      () => this.#park(count),
    )
  }

  /** What went in otherwise than a person may expect. */
  #warnOf(
    { contract: { name: table } }: TableOwner,
    { unmatchedRows, ambiguousKeyMoves }: FlushReport,
  ): void {
    const { logger } = this.#ports
    for (const { at, key } of ambiguousKeyMoves) {
      const place = { topic: at.topic, partition: at.partition, offset: String(at.offset) }
      const values = key?.values.map(String) ?? []
      logger.warn(
        { table, ...place, key: values },
        'an ambiguous key move; REPLICA IDENTITY FULL tells them apart',
      )
    }
    if (unmatchedRows > 0) {
      const why = 'rows to delete were not found: columns were added with a default, or are generated'
      logger.warn({ table, rows: unmatchedRows }, why)
    }
  }

  /** An error that concerns one table stops that table; what it had not made durable stays in the topic. */
  async #guarded(owner: TableOwner, work: () => Promise<void>, onStop = () => this.#park(1)): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof EngineError) || error.remedy !== 'stop-table') throw error
      await this.#stop(owner, error)
      onStop()
    }
  }

  /** Stops a table, unless it stands already. What it was given before is made durable first. */
  async #stop(owner: TableOwner, error: EngineError): Promise<void> {
    await this.#flush(owner)
    if (owner.stopped !== null) return
    owner.stopped = error
    this.#ports.logger.error({ table: owner.contract.name, code: error.code }, error.message)
  }

  /** Stops the tables that are known to be fed by a topic, and parks all its records. */
  async #breakTopic(topic: string, error: EngineError): Promise<void> {
    if (error.remedy !== 'stop-table') throw error
    if (this.#brokenTopics.has(topic)) return
    this.#brokenTopics.add(topic)
    const feeds = await this.#feeds(topic)
    const existing = feeds.filter(({ progress }) => progress !== null)
    for (const { owner } of existing.length > 0 ? existing : feeds.slice(0, 1)) await this.#stop(owner, error)
  }

  #park(count: number): void {
    this.#tally.parked += count
  }

  async #writeMark(): Promise<void> {
    await this.#deadLetters.flush()
    const healthy = [...this.#partitions.values()].filter(
      ({ topic, hasGap }) => !hasGap && !this.#brokenTopics.has(topic),
    )
    const passed = healthy.map((progress) => progress.passed())
    await this.#mark.write(passed)
    await this.#source.ack(passed)
  }

  /** Tables that there are, or that stopped before they came to be. */
  #ownersOfTables(): TableOwner[] {
    return [...this.#owners.values()].filter(
      ({ writer, standing, stopped }) => writer !== null || standing !== null || stopped !== null,
    )
  }

  #report(): RunReport {
    assert(tallyTotal(this.#tally) === this.#records, 'every record read is counted once')
    return {
      records: this.#records,
      tally: this.#tally,
      tables: this.#ownersOfTables().map(tableReport),
      deadLetterReasons: this.#deadLetters.reasons,
    }
  }
}

function tableReport(owner: TableOwner): TableReport {
  const { contract, writer, standing, counts, stopped } = owner
  return {
    name: contract.name,
    path: writer?.options.path ?? standing?.path ?? null,
    version: writer?.version ?? standing?.version ?? null,
    rows: writer?.rowCount ?? standing?.rows ?? 0,
    inserts: counts.inserted,
    updates: counts.updated,
    deletes: counts.deleted,
    unresolvedUnavailable: owner.unresolvedUnavailable,
    ambiguousKeyMoves: owner.ambiguousKeyMoves,
    stopped,
  }
}

/** One of the tables that a topic can feed. */
interface Feed {
  readonly owner: TableOwner
  /** As its log said at the start; `null`: there is no table yet, or only a record can tell where it lies. */
  readonly progress: TableProgress | null
}

/** No record is concerned. */
const NOTHING = (): void => {}

function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error
  throw error
}
