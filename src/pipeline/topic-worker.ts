import { unreachable } from '../../core/assert.ts'
import type { OffsetRange, PartitionRange, RawRecord, RecordBatch } from '../../core/ports.ts'
import { type ChangeEvent, tableName, type Undecodable } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { createTopicDecoder, type TopicDecoder } from '../../schemas/decode/topic-decoder.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { emptyTally } from '../../writers/tally.ts'
import type { CatchUpLane } from './catch-up.ts'
import { LetterBox, type WriteLetters } from './letter-box.ts'
import { Maintenance } from './maintenance.ts'
import type { PartitionProgress } from './partition-progress.ts'
import { asEngineError, Partitions } from './partitions.ts'
import type { PassedPartition, TableFloor } from './passed-mark.ts'
import { fedFromElsewhere, lacksBeforeImage, storm } from './refusals.ts'
import { TableFlushes } from './table-flushes.ts'
import type { TableOwner } from './table-owner.ts'
import { TableOwners } from './table-owners.ts'
import { TablePatterns } from './table-patterns.ts'
import { tableReport } from './table-report.ts'
import { TableResumption } from './table-resumption.ts'
import { feedsTable } from './topic-tables.ts'
import type {
  CatchUpRange,
  MarkKnowledge,
  PartitionRef,
  PipelineOptions,
  ResumeAnswer,
  ResumeOrder,
  TopicWork,
  WorkProgress,
  WorkReport,
} from './topic-work.ts'

/** Decodes the records of its topics and routes each to its table. Does not know in which thread it runs. */
export class TopicWorker implements TopicWork {
  readonly #options: PipelineOptions
  readonly #takes: TablePatterns
  readonly #letters: LetterBox
  readonly #maintenance: Maintenance
  readonly #owners: TableOwners
  readonly #flushes: TableFlushes
  readonly #partitions: Partitions
  readonly #resumption: TableResumption
  readonly #decoders = new Map<string, TopicDecoder>()
  readonly #tally = emptyTally()
  #records = 0
  #rows = 0

  /** @param bytesMax of raw records that all its tables together may hold */
  constructor(ports: TableLogPorts, options: PipelineOptions, writeLetters: WriteLetters, bytesMax: number) {
    this.#options = options
    this.#takes = TablePatterns.of(options.takes)
    this.#letters = new LetterBox(writeLetters, ports.clock)
    this.#maintenance = new Maintenance(ports)
    const { batch } = options
    const owners = new TableOwners(ports, options)
    this.#owners = owners
    this.#flushes = new TableFlushes({
      ...{ ports, batch, owners, bytesMax },
      letters: this.#letters,
      maintenance: this.#maintenance,
      tally: this.#tally,
    })
    this.#partitions = new Partitions(options, owners, this.#flushes)
    this.#resumption = new TableResumption(owners, this.#partitions, this.#flushes)
  }

  areBeyond(range: PartitionRange, passed: PassedPartition | null): Promise<boolean> {
    return this.#partitions.areBeyond(range, passed)
  }

  start(range: PartitionRange, passed: PassedPartition | null): Promise<bigint | null> {
    return this.#partitions.start(range, passed)
  }

  async take(batch: RecordBatch): Promise<void> {
    const progress = this.#partitions.of(batch)
    for (const record of batch.records) {
      if (!(await this.#isNew(record, progress))) continue
      this.#records++
      await this.#takeRecord(record, progress)
      progress.see(record)
    }
    progress.seeOffsetsBefore(batch.nextOffset)
  }

  async tick(): Promise<WorkProgress> {
    await this.#flushes.flushDue()
    const catchingUp = [...this.#owners].filter(({ catchUp }) => catchUp !== null)
    return {
      records: this.#records,
      rows: this.#rows,
      tables: this.#owners.existing().length,
      catchingUp: catchingUp.map(({ contract }) => contract.name),
    }
  }

  async knowMark(mark: MarkKnowledge): Promise<void> {
    this.#owners.knowMark(mark)
  }

  async floors(): Promise<readonly TableFloor[]> {
    const floors: TableFloor[] = []
    for (const { contract, writer } of this.#owners) {
      const position = writer?.floorBeforeTable ?? null
      if (position !== null) floors.push({ table: contract.name, position })
    }
    return floors
  }

  async begun(): Promise<readonly string[]> {
    return [...this.#owners].filter(({ hasBegun }) => hasBegun).map(({ contract }) => contract.name)
  }

  hold(tables: readonly string[]): Promise<void> {
    return this.#resumption.hold(tables)
  }

  resume(order: ResumeOrder): Promise<ResumeAnswer> {
    return this.#resumption.resume(order)
  }

  nextRange(table: string, ranges: readonly PartitionRange[]): Promise<CatchUpRange | null> {
    return this.#resumption.nextRange(table, ranges)
  }

  async takeRange(table: string, batch: RecordBatch): Promise<void> {
    const owner = this.#owners.named(table)
    const progress = this.#partitions.find(batch)
    if (owner === null || progress === null) return
    for (const record of batch.records) {
      const lane = owner.catchUp?.lane(progress)
      if (lane === undefined) return
      if (!lane.isDue(record)) continue
      await this.#takeAgain(record, owner, progress, lane)
      lane.see(record)
    }
    owner.catchUp?.lane(progress).seeOffsetsBefore(batch.nextOffset)
  }

  async endRange(table: string, range: OffsetRange): Promise<void> {
    this.#resumption.endRange(table, range)
  }

  async flushAll(): Promise<void> {
    await this.#flushes.flushAll()
    await this.#maintenance.settle()
  }

  async giveUp(partitions: readonly PartitionRef[]): Promise<void> {
    this.#partitions.giveUp(partitions)
  }

  async passed(): Promise<readonly PassedPartition[]> {
    const passed = this.#partitions.passed()
    await this.#letters.flush()
    return passed
  }

  async report(): Promise<WorkReport> {
    return {
      records: this.#records,
      tally: this.#tally,
      tables: this.#owners.existing().map(tableReport),
      deadLetterReasons: this.#letters.reasons,
    }
  }

  async #isNew(record: RawRecord, progress: PartitionProgress): Promise<boolean> {
    if (this.#partitions.isBroken(record.topic)) return true
    try {
      return progress.admit(record)
    } catch (error) {
      await this.#partitions.breakTopic(record.topic, asEngineError(error))
      return false
    }
  }

  async #takeRecord(record: RawRecord, progress: PartitionProgress): Promise<void> {
    if (this.#partitions.isBroken(record.topic)) return this.#flushes.park(1)
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
    if (!this.#takes.covers(contract.name)) return this.#skip(event, contract, progress)
    const owner = this.#owners.of(contract)
    progress.noteOwner(owner)
    if (!feedsTable(event.at.topic, event.table, contract.topics)) {
      await this.#flushes.stop(owner, fedFromElsewhere(event))
      return this.#flushes.park(1)
    }
    progress.lastOwner = owner
    if (!owner.takesStream) return this.#flushes.park(1)
    return this.#give(owner, record, event, progress, progress)
  }

  /** A table that the configuration leaves out. */
  #skip({ table, at }: ChangeEvent, contract: TableContract, progress: PartitionProgress): void {
    if (feedsTable(at.topic, table, contract.topics)) progress.lastOwner = this.#owners.of(contract)
    this.#tally.ignored++
  }

  /** One record of a table that takes it now, in its lane: of the stream, or of what the table missed. */
  async #give(
    owner: TableOwner,
    record: RawRecord,
    event: ChangeEvent,
    progress: PartitionProgress,
    lane: Lane,
  ): Promise<void> {
    const { contract } = owner
    const keyless = lacksBeforeImage(event, contract)
    if (keyless !== null) return this.#setAside(owner, record, keyless, lane)
    owner.storm.note(false)
    await this.#flushes.guarded(owner, async () => {
      const writer = await this.#owners.writerOf(owner, event.table, progress)
      // Its first record here may be what tells that it has to begin elsewhere.
      if (lane === progress && !owner.takesStream) return this.#flushes.park(1)
      if (record.offset < (owner.starts.get(progress) ?? 0n)) {
        this.#tally.ignored++
        return
      }
      if (writer.hasPassed(event.at)) {
        this.#tally.duplicates++
        return
      }
      if (writer.mustFlushBefore(event)) await this.#flushes.makeRoom(owner)
      if (owner.stopped !== null) return this.#flushes.park(1)
      writer.add(event)
      this.#rows++
      if (this.#flushes.isFull(owner)) {
        lane.see(record)
        await this.#flushes.makeRoom(owner)
      }
    })
  }

  /** A record that cannot be read is set aside; too many of them in one table's records stop the table. */
  async #takeLetter(record: RawRecord, why: Undecodable, progress: PartitionProgress): Promise<void> {
    const owner = await this.#ownerOfLetter(why, progress)
    if (!this.#takes.covers(owner.contract.name)) {
      this.#tally.ignored++
      return
    }
    progress.noteOwner(owner)
    if (!owner.takesStream) return this.#flushes.park(1)
    return this.#setAside(owner, record, why, progress)
  }

  async #setAside(owner: TableOwner, record: RawRecord, why: Undecodable, lane: Lane): Promise<void> {
    this.#letters.add({ record, why })
    this.#tally.deadLetters++
    if (this.#letters.isDue(this.#options.batch)) await this.#letters.flush()
    if (!owner.storm.note(true)) return
    lane.see(record)
    await this.#flushes.stop(owner, storm(owner.contract, record))
  }

  /** Whose record an unreadable one is: the table it names if that can be, else that of the record before it. */
  async #ownerOfLetter({ table, at }: Undecodable, lane: Lane): Promise<TableOwner> {
    if (table !== null) {
      const contract = this.#options.contractFor(tableName(table))
      if (feedsTable(at.topic, table, contract.topics)) return this.#owners.of(contract)
    }
    return lane.lastOwner ?? this.#partitions.firstOwnerOf(at.topic)
  }

  /** A record of the past, which only the table that catches up looks at. */
  async #takeAgain(
    record: RawRecord,
    owner: TableOwner,
    progress: PartitionProgress,
    lane: CatchUpLane,
  ): Promise<void> {
    const decoded = this.#decoderOf(record.topic).decode(record)
    if (decoded.kind === 'undecodable') {
      const isOurs = (await this.#ownerOfLetter(decoded, lane)) === owner
      if (!isOurs || !lane.wasParked(record)) return
      this.#countAgain(record, lane)
      return this.#setAside(owner, record, decoded, lane)
    }
    if (decoded.kind !== 'change') return
    const of = this.#owners.of(this.#options.contractFor(tableName(decoded.table)))
    const isFed = feedsTable(record.topic, decoded.table, of.contract.topics)
    if (isFed) lane.lastOwner = of
    if (of !== owner) return
    this.#countAgain(record, lane)
    if (isFed) return this.#give(owner, record, decoded, progress, lane)
    await this.#flushes.stop(owner, fedFromElsewhere(decoded))
    this.#flushes.park(1)
  }

  /** It is counted as what becomes of it now; unless it was parked, it counts as one more record. */
  #countAgain(record: RawRecord, lane: CatchUpLane): void {
    if (lane.wasParked(record)) this.#flushes.park(-1)
    else this.#records++
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
}

/** Where a table stands in one partition: in the stream, or in what it missed. */
interface Lane {
  /** The table that the last readable record was about. */
  readonly lastOwner: TableOwner | null
  /** Notes that a record has been dealt with in memory. */
  see(record: RawRecord): void
}
