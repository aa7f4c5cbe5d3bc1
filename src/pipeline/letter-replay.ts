import type { ChangeSource, OffsetRange, RawRecord } from '../../core/ports.ts'
import { type ChangeEvent, tableName } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { UNAVAILABLE_PLACEHOLDER } from '../../schemas/decode/decode-options.ts'
import { createTopicDecoder, type TopicDecoder } from '../../schemas/decode/topic-decoder.ts'
import type { KeyHasher } from '../../writers/locator/key-encoding.ts'
import { partitionName } from '../../writers/partition-name.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import { addTally, emptyTally, type Tally } from '../../writers/tally.ts'
import { PassedMark } from './passed-mark.ts'
import type { DeadLetter } from './read-dead-letters.ts'
import { TablePatterns } from './table-patterns.ts'
import { feedsTable } from './topic-tables.ts'
import type { PipelineOptions } from './topic-work.ts'

/** A letter that can be read now. */
interface ReadLetter {
  readonly letter: DeadLetter
  readonly event: ChangeEvent
}

/** A letter that stays one, and why. */
export interface StayingLetter {
  readonly letter: DeadLetter
  readonly why: string
}

type Rules = Pick<PipelineOptions, 'contractFor' | 'takes'>

/** What letters are by the configuration of now. */
export interface JudgedLetters {
  readonly tables: readonly TableReplay[]
  /** About no row. */
  readonly tombstones: readonly DeadLetter[]
  readonly control: readonly DeadLetter[]
  readonly stay: readonly StayingLetter[]
}

/** @param letters in the order of their partitions */
export function judgeLetters(letters: readonly DeadLetter[], rules: Rules, hasher: KeyHasher): JudgedLetters {
  const tables = new Map<string, TableReplay>()
  const tombstones: DeadLetter[] = []
  const control: DeadLetter[] = []
  const stay: StayingLetter[] = []
  const decoders = new Decoders(rules)
  for (const letter of letters) {
    const decoded = decoders.of(letter.topic).decode(letter)
    if (decoded.kind === 'tombstone') tombstones.push(letter)
    else if (decoded.kind === 'control') control.push(letter)
    else if (decoded.kind === 'undecodable')
      stay.push({ letter, why: `${decoded.reason}: ${decoded.message}` })
    else {
      const contract = rules.contractFor(tableName(decoded.table))
      const why = whyNot(decoded, contract, rules)
      if (why !== null) stay.push({ letter, why })
      else {
        const replay = tables.get(contract.name) ?? new TableReplay(contract, decoded, decoders, hasher)
        tables.set(contract.name, replay)
        replay.add({ letter, event: decoded })
      }
    }
  }
  return { tables: [...tables.values()], tombstones, control, stay }
}

/** Without a key nothing tells whether the table has the event already. @returns `null`: it can be replayed */
function whyNot(event: ChangeEvent, contract: TableContract, { takes }: Rules): string | null {
  if (!TablePatterns.of(takes).covers(contract.name)) return 'the configuration leaves its table out'
  if (!feedsTable(event.at.topic, event.table, contract.topics)) return 'its topic does not feed its table'
  if (contract.mode === 'append') return 'a table in append mode does not know which of its events it has'
  if (event.op !== 't' && event.key === null) return 'its table has no key to know its row by'
  return null
}

/**
 * The letters of one table, on their way into it. They are as old as their places in the history of the source say, and
 * their table has gone on: where it has the key, the position there tells which of the two is newer. Where it has not,
 * the key may have been deleted since, and nothing in the table tells it. Their topic does, for as long as it keeps what
 * came after them.
 */
export class TableReplay {
  readonly contract: TableContract
  readonly table: ChangeEvent['table']
  readonly #decoders: Decoders
  readonly #hasher: KeyHasher
  /** By partition, in order. */
  readonly #lanes = new Map<string, ReadLetter[]>()
  /** How far each partition was looked through. */
  readonly #lookedTo = new Map<string, bigint>()
  readonly #overtaken = new Set<ReadLetter>()
  #stay: StayingLetter[] = []

  constructor(contract: TableContract, { table }: ChangeEvent, decoders: Decoders, hasher: KeyHasher) {
    this.contract = contract
    this.table = table
    this.#decoders = decoders
    this.#hasher = hasher
  }

  add(read: ReadLetter): void {
    const name = partitionName(read.letter.topic, read.letter.partition)
    const lane = this.#lanes.get(name)
    if (lane === undefined) this.#lanes.set(name, [read])
    else lane.push(read)
  }

  /** Those of which nobody can tell any more whether their key was deleted. */
  get stay(): readonly StayingLetter[] {
    return this.#stay
  }

  /** How many have a key that a later record deleted, or told anew. */
  get overtaken(): number {
    return this.#overtaken.size
  }

  /** Looks through what came after the letters, as far as it was not yet looked at. */
  async look(source: ChangeSource): Promise<void> {
    const ranges = await source.partitions()
    for (const [name, lane] of this.#lanes) {
      const range = ranges.find((each) => partitionName(each.topic, each.partition) === name)
      const startOffset = range?.startOffset ?? null
      const kept = lane.filter(({ letter }) => startOffset !== null && letter.offset >= startOffset)
      const lookedTo = this.#lookedTo.get(name) ?? null
      if (lookedTo === null) this.#leaveOut(lane, (read) => !kept.includes(read), GONE)
      const fromOffset = lookedTo ?? kept[0]?.letter.offset ?? null
      if (range === undefined || fromOffset === null || fromOffset >= range.endOffset) continue
      const { topic, partition, endOffset } = range
      await this.#lookThrough(source, { topic, partition, fromOffset, toOffset: endOffset }, lane)
      this.#lookedTo.set(name, endOffset)
    }
  }

  async #lookThrough(source: ChangeSource, range: OffsetRange, lane: ReadLetter[]): Promise<void> {
    const byKey = this.#byKey(lane)
    const byOffset = new Map(lane.map((read) => [read.letter.offset, read]))
    const decoder = this.#decoders.of(range.topic)
    for await (const { records } of source.readRange(range)) {
      for (const record of records) {
        const own = byOffset.get(record.offset)
        if (own !== undefined && !isSameRecord(own.letter, record)) {
          this.#leaveOut(lane, () => true, MADE_ANEW)
          return
        }
        const decoded = decoder.decode(record)
        if (decoded.kind !== 'change' || tableName(decoded.table) !== tableName(this.table)) continue
        const concerned = decoded.op === 't' ? lane : (byKey.get(this.#keyText(decoded)) ?? [])
        for (const read of concerned) if (overtakes(decoded, read)) this.#overtaken.add(read)
      }
    }
  }

  #byKey(lane: readonly ReadLetter[]): ReadonlyMap<string | null, readonly ReadLetter[]> {
    const byKey = new Map<string | null, ReadLetter[]>()
    for (const read of lane) {
      const key = this.#keyText(read.event)
      byKey.set(key, [...(byKey.get(key) ?? []), read])
    }
    return byKey
  }

  #leaveOut(lane: ReadLetter[], isMeant: (read: ReadLetter) => boolean, why: string): void {
    const out = lane.filter(isMeant)
    this.#stay = [...this.#stay, ...out.map(({ letter }) => ({ letter, why }))]
    lane.splice(0, lane.length, ...lane.filter((read) => !out.includes(read)))
  }

  /** Of a truncate, which has no key: none that another event has. */
  #keyText({ key }: ChangeEvent): string | null {
    if (key === null) return null
    const types = key.columns.map(({ type }) => type)
    return this.#hasher.keyText(types, key.values)
  }

  /** Gives the table what is due. Nobody else may commit to it between the last look and this. */
  async give(ports: TableLogPorts, { name: pipeline, pathOf }: PipelineOptions): Promise<Tally> {
    const { table, contract } = this
    const { floors } = await PassedMark.open(ports, pipeline)
    const floor = floors.find((each) => each.table === contract.name)?.position ?? null
    const options = { pipeline, table, contract, path: pathOf(table), isOrdered: true, floor }
    const writer = await TableWriter.open(ports, options)
    const tally = { ...emptyTally(), stale: this.#overtaken.size }
    for (const events of batchesOf(this.#due.map(({ event }) => event)))
      addTally(tally, (await writer.replay(events)).tally)
    return tally
  }

  /** Letters that are dealt with when the table has been given what is due. */
  get letters(): readonly DeadLetter[] {
    return [...this.#lanes.values()].flat().map(({ letter }) => letter)
  }

  get #due(): readonly ReadLetter[] {
    return [...this.#lanes.values()].flat().filter((read) => !this.#overtaken.has(read))
  }
}

const GONE =
  'what came after it is no longer in its topic, so that nobody can tell whether its row was deleted since; ' +
  'read the row anew (an incremental snapshot of it)'
const MADE_ANEW = 'its topic holds another record in its place: it was made anew'

function isSameRecord(letter: DeadLetter, record: RawRecord): boolean {
  const isSame = (a: Uint8Array | null, b: Uint8Array | null) =>
    a === null || b === null ? a === b : Buffer.compare(a, b) === 0
  return letter.timestampMs === record.timestampMs && isSame(letter.key, record.key)
}

/**
 * A later delete leaves no trace in the table. A row that is read anew has no position that a later event could be known
 * by: any of them tells more.
 */
function overtakes({ op, at }: ChangeEvent, { event }: ReadLetter): boolean {
  return at.offset > event.at.offset && (op === 'd' || op === 't' || event.op === 'r')
}

/** A truncate is a batch of its own. */
function* batchesOf(events: readonly ChangeEvent[]): Generator<readonly ChangeEvent[]> {
  let batch: ChangeEvent[] = []
  for (const event of events) {
    if (event.op !== 't') {
      batch.push(event)
      continue
    }
    if (batch.length > 0) yield batch
    yield [event]
    batch = []
  }
  if (batch.length > 0) yield batch
}

class Decoders {
  readonly #rules: Rules
  readonly #decoders = new Map<string, TopicDecoder>()

  constructor(rules: Rules) {
    this.#rules = rules
  }

  of(topic: string): TopicDecoder {
    const known = this.#decoders.get(topic)
    if (known !== undefined) return known
    const decoder = createTopicDecoder({
      contractFor: (table) => this.#rules.contractFor(tableName(table)),
      epoch: 0,
      unavailablePlaceholder: UNAVAILABLE_PLACEHOLDER,
    })
    this.#decoders.set(topic, decoder)
    return decoder
  }
}
