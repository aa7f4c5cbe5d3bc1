import { assert, unreachable } from '../../core/assert.ts'
import type { OffsetRange, PartitionRange, RawRecord, RecordBatch } from '../../core/ports.ts'
import { type ChangeEvent, type Decoded, tableName, type Undecodable } from '../../schemas/change-event.ts'
import { UNAVAILABLE_PLACEHOLDER } from '../../schemas/decode/decode-options.ts'
import { createTopicDecoder, type TopicDecoder } from '../../schemas/decode/topic-decoder.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import type { TableWriter } from '../../writers/table-writer.ts'
import { emptyTally } from '../../writers/tally.ts'
import type { CatchUpLane } from './catch-up.ts'
import { type EventRoute, EventRoutes } from './event-routes.ts'
import { LetterBox, type WriteLetters } from './letter-box.ts'
import { Maintenance } from './maintenance.ts'
import { MomentIntake } from './moment-intake.ts'
import type { PartitionProgress } from './partition-progress.ts'
import { Partitions } from './partitions.ts'
import type { PassedPartition, TableFloor } from './passed-mark.ts'
import { fedFromElsewhere, lacksBeforeImage, storm } from './refusals.ts'
import type { GiveOrder, WatchOrder } from './request.ts'
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
import { TableSampler, type WorkSample } from './work-sample.ts'

/** Decodes the records of its topics and routes each to its table. Does not know in which thread it runs. */
export class TopicWorker implements TopicWork {
  readonly #options: PipelineOptions
  readonly #takes: TablePatterns
  readonly #routes: EventRoutes
  readonly #letters: LetterBox
  readonly #maintenance: Maintenance
  readonly #owners: TableOwners
  readonly #flushes: TableFlushes
  readonly #partitions: Partitions
  readonly #resumption: TableResumption
  readonly #moments: MomentIntake
  readonly #decoders = new Map<string, TopicDecoder>()
  readonly #tally = emptyTally()
  readonly #sampler = new TableSampler()
  #heartbeatMs: number | null = null
  #records = 0
  #rows = 0

  /** @param bytesMax of raw records that all its tables together may hold */
  constructor(ports: TableLogPorts, options: PipelineOptions, writeLetters: WriteLetters, bytesMax: number) {
    this.#options = options
    this.#takes = TablePatterns.of(options.takes)
    this.#routes = new EventRoutes(options)
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
    const { name: pipeline } = options
    this.#moments = new MomentIntake({
      ports,
      pipeline,
      owners,
      partitions: this.#partitions,
      flushes: this.#flushes,
    })
  }

  isWithin(range: PartitionRange, passed: PassedPartition | null): Promise<boolean> {
    return this.#partitions.isWithin(range, passed)
  }

  start(range: PartitionRange, passed: PassedPartition | null): Promise<bigint | null> {
    return this.#partitions.start(range, passed)
  }

  async take(batch: RecordBatch): Promise<void> {
    const progress = this.#partitions.of(batch)
    for (const record of batch.records) {
      if (!this.#isNew(record, progress)) continue
      this.#records++
      const decoded = this.#decode(record)
      if (decoded?.kind === 'change' && this.#isUnopened(decoded)) await this.#openTable(decoded)
      // From here on nothing is waited for: a batch that is closed meanwhile holds the record and passes it, or neither.
      if (decoded === null) this.#tally.parked++
      else this.#takeDecoded(record, decoded, progress)
      progress.see(record)
    }
    progress.seeOffsetsBefore(batch.nextOffset)
  }

  async tick(): Promise<WorkProgress> {
    this.#flushes.flushDue()
    const namesOf = (owners: readonly TableOwner[]) => owners.map(({ contract }) => contract.name)
    return {
      records: this.#records,
      rows: this.#rows,
      tables: this.#owners.existing().length,
      catchingUp: namesOf([...this.#owners].filter(({ catchUp }) => catchUp !== null)),
      fenced: namesOf(this.#resumption.fenced()),
    }
  }

  followFormerOwners(): Promise<void> {
    return this.#resumption.followFormerOwners()
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

  watch(order: WatchOrder): Promise<ResumeAnswer> {
    return this.#moments.watch(order)
  }

  give(order: GiveOrder): Promise<ResumeAnswer> {
    return this.#moments.give(order)
  }

  nextRange(table: string, ranges: readonly PartitionRange[]): Promise<CatchUpRange | null> {
    return this.#resumption.nextRange(table, ranges)
  }

  async takeRange(table: string, batch: RecordBatch): Promise<void> {
    const owner = this.#owners.named(table)
    const progress = this.#partitions.find(batch)
    if (owner === null || progress === null || !owner.catchUp?.isAsked(batch)) return
    for (const record of batch.records) {
      if (owner.catchUp?.lane(progress).isDue(record) !== true) continue
      const decoded = this.#decoderOf(record.topic).decode(record)
      if (decoded.kind === 'change' && this.#isUnopened(decoded)) await this.#openTable(decoded)
      const lane = owner.catchUp?.lane(progress)
      if (lane === undefined) return
      this.#takeAgain(record, decoded, owner, progress, lane)
      lane.see(record)
    }
    owner.catchUp?.lane(progress).seeOffsetsBefore(batch.nextOffset)
  }

  async endRange(table: string, range: OffsetRange): Promise<void> {
    this.#resumption.endRange(table, range)
  }

  room(): Promise<void> {
    return this.#flushes.room()
  }

  async flushAll(): Promise<void> {
    await this.#flushes.flushAll()
    await this.#maintenance.settle()
    await this.#maintenance.keepForNextStart(this.#owners)
  }

  async cutShort(): Promise<void> {
    this.#flushes.cutShort()
  }

  async abandon(): Promise<void> {
    await this.#flushes.abandon()
    await this.#maintenance.settle()
  }

  giveUp(partitions: readonly PartitionRef[]): Promise<void> {
    return this.#partitions.giveUp(partitions)
  }

  async passed(): Promise<readonly PassedPartition[]> {
    this.#flushes.rethrow()
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

  async sample(): Promise<WorkSample> {
    return {
      records: this.#records,
      tally: this.#tally,
      tables: this.#owners.existing().map((owner) => this.#sampler.sample(owner)),
      partitions: this.#partitions.sample(),
      heldBytes: this.#flushes.heldBytes,
      heartbeatMs: this.#heartbeatMs,
    }
  }

  #isNew(record: RawRecord, progress: PartitionProgress): boolean {
    if (this.#partitions.isBroken(record.topic)) return true
    try {
      return progress.admit(record)
    } catch (error) {
      this.#partitions.breakTopic(progress, error)
      return false
    }
  }

  /** @returns `null` when the topic is not what it was: nothing of it is looked into */
  #decode(record: RawRecord): Decoded | null {
    return this.#partitions.isBroken(record.topic) ? null : this.#decoderOf(record.topic).decode(record)
  }

  /** Whether the event goes to a table that nobody has opened yet. */
  #isUnopened(event: ChangeEvent): boolean {
    const { contract, isTaken, isFed } = this.#routes.of(event)
    if (!isTaken) return false
    const { writer, stopped } = this.#owners.of(contract)
    if (writer !== null || stopped !== null) return false
    return isFed && lacksBeforeImage(event, contract) === null
  }

  /** A table that cannot be opened stops: its records are parked. */
  async #openTable(event: ChangeEvent): Promise<void> {
    const owner = this.#owners.of(this.#routes.of(event).contract)
    try {
      await this.#owners.open(owner, event.table)
    } catch (error) {
      this.#flushes.stop(owner, error)
    }
  }

  #takeDecoded(record: RawRecord, decoded: Decoded, progress: PartitionProgress): void {
    switch (decoded.kind) {
      case 'tombstone':
        this.#tally.tombstones++
        return
      case 'control':
        this.#tally.control++
        if (decoded.what === 'heartbeat') this.#heartbeatMs = record.timestampMs
        return
      case 'undecodable':
        this.#takeLetter(record, decoded, progress)
        return
      case 'change':
        this.#takeChange(record, decoded, progress)
        return
      default:
        unreachable(decoded)
    }
  }
  #takeChange(record: RawRecord, event: ChangeEvent, progress: PartitionProgress): void {
    const route = this.#routes.of(event)
    if (!route.isTaken) {
      this.#skip(route, progress)
      return
    }
    const owner = this.#owners.of(route.contract)
    progress.noteOwner(owner)
    if (!route.isFed) {
      this.#flushes.stop(owner, fedFromElsewhere(event))
      this.#flushes.park(owner)
      return
    }
    progress.lastOwner = owner
    if (owner.takesStream) this.#give(owner, record, event, progress, progress)
    else this.#flushes.park(owner)
  }

  /** A table that the configuration leaves out. */
  #skip({ contract, isFed }: EventRoute, progress: PartitionProgress): void {
    if (isFed) progress.lastOwner = this.#owners.of(contract)
    this.#tally.ignored++
  }

  /** One record of a table that takes it now, in its lane: of the stream, or of what the table missed. */
  #give(
    owner: TableOwner,
    record: RawRecord,
    event: ChangeEvent,
    progress: PartitionProgress,
    lane: Lane,
  ): void {
    const keyless = lacksBeforeImage(event, owner.contract)
    if (keyless !== null) {
      this.#setAside(owner, record, keyless, lane)
      return
    }
    owner.storm.note(false)
    let writer: TableWriter
    try {
      writer = this.#owners.admit(owner, event.table, progress)
    } catch (error) {
      this.#flushes.stop(owner, error)
      this.#flushes.park(owner)
      return
    }
    // Its first record here may be what tells that it has to begin elsewhere.
    if (lane === progress && !owner.takesStream) {
      this.#flushes.park(owner)
      return
    }
    if (record.offset < (owner.starts.get(progress) ?? 0n)) {
      this.#tally.ignored++
      return
    }
    if (writer.hasPassed(event.at)) {
      this.#tally.duplicates++
      return
    }
    if (writer.mustFlushBefore(event)) this.#flushes.makeRoom(owner)
    if (owner.stopped !== null) {
      this.#flushes.park(owner)
      return
    }
    writer.add(event)
    this.#rows++
    if (!this.#flushes.isFull(owner)) return
    lane.see(record)
    this.#flushes.makeRoom(owner)
  }

  /** A record that cannot be read is set aside; too many of them in one table's records stop the table. */
  #takeLetter(record: RawRecord, why: Undecodable, progress: PartitionProgress): void {
    const owner = this.#ownerOfLetter(why, progress, progress)
    if (!this.#takes.covers(owner.contract.name)) {
      this.#tally.ignored++
      return
    }
    progress.noteOwner(owner)
    if (owner.takesStream) this.#setAside(owner, record, why, progress)
    else this.#flushes.park(owner)
  }

  #setAside(owner: TableOwner, record: RawRecord, why: Undecodable, lane: Lane): void {
    if (!lane.noteLetter(owner, record)) {
      this.#tally.duplicates++
      return
    }
    this.#letters.add({ record, why })
    this.#tally.deadLetters++
    owner.letters.set(why.reason, (owner.letters.get(why.reason) ?? 0) + 1)
    this.#flushes.sendFullLetters()
    if (!owner.storm.note(true)) return
    lane.see(record)
    this.#flushes.stop(owner, storm(owner.contract, record))
  }

  /** Whose record an unreadable one is: the table it names if that can be, else that of the record before it. */
  #ownerOfLetter({ table, at }: Undecodable, { feeds }: PartitionProgress, lane: Lane): TableOwner {
    if (table !== null) {
      const contract = this.#options.contractFor(tableName(table))
      if (feedsTable(at.topic, table, contract.topics)) return this.#owners.of(contract)
    }
    if (lane.lastOwner !== null) return lane.lastOwner
    const [first] = feeds
    assert(first !== undefined, 'every topic can feed a table')
    return first.owner
  }

  /** A record of the past, which only the table that catches up looks at. */
  #takeAgain(
    record: RawRecord,
    decoded: Decoded,
    owner: TableOwner,
    progress: PartitionProgress,
    lane: CatchUpLane,
  ): void {
    if (decoded.kind === 'undecodable') {
      if (this.#ownerOfLetter(decoded, progress, lane) !== owner) return
      this.#countAgain(owner)
      this.#setAside(owner, record, decoded, lane)
      return
    }
    if (decoded.kind !== 'change') return
    const { contract, isFed } = this.#routes.of(decoded)
    const of = this.#owners.of(contract)
    if (isFed) lane.lastOwner = of
    if (of !== owner) return
    this.#countAgain(owner)
    if (isFed) {
      this.#give(owner, record, decoded, progress, lane)
      return
    }
    this.#flushes.stop(owner, fedFromElsewhere(decoded))
    this.#flushes.park(owner)
  }

  /** It is counted as what becomes of it now; unless it was left in the topic, it counts as one more record. */
  #countAgain(owner: TableOwner): void {
    if (!this.#flushes.unpark(owner)) this.#records++
  }

  #decoderOf(topic: string): TopicDecoder {
    const known = this.#decoders.get(topic)
    if (known !== undefined) return known
    const { contractFor } = this.#options
    const decoder = createTopicDecoder({
      contractFor: (table) => contractFor(tableName(table)),
      epoch: 0,
      unavailablePlaceholder: UNAVAILABLE_PLACEHOLDER,
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
  /** Notes a letter of a table. @returns whether it had not been set aside before */
  noteLetter(owner: TableOwner, record: RawRecord): boolean
}
