import type { TableId } from '../change-event.ts'
import type { JsonSkeleton } from './json-skeleton.ts'
import { JSON_INTEGER, JSON_NULL, JSON_OBJECT, type JsonTape } from './json-tape.ts'
import { MemberLayouts } from './member-layouts.ts'
import { parseInt64 } from './number-cells.ts'
import { Fault } from './undecodable-reasons.ts'

/** What an event's `source` says of where and when. */
export interface SourceBlock {
  /** The same object for the same table, as long as no other one comes between. */
  readonly table: TableId
  readonly lsn: bigint | null
  readonly txId: bigint | null
  /** `sequence[1]`, where there is no `lsn`: rows of an incremental snapshot say after which event they were read. */
  readonly readAfterLsn: bigint | null
  /** `sequence[0]`: commit LSN of the transaction before. */
  readonly previousCommit: bigint | null
  readonly timeUs: bigint | null
}

/** Where each member stands, by name; -1: absent. */
type SourceLayout = Readonly<Record<(typeof MEMBERS)[number], number>>

const MEMBERS = [
  'connector',
  'name',
  'db',
  'schema',
  'table',
  'lsn',
  'txId',
  'sequence',
  'ts_us',
  'ts_ns',
  'ts_ms',
] as const

const NO_SOURCE = new Fault('NO_SOURCE', 'has no source block')
const NO_CONNECTOR = new Fault('BAD_SOURCE', 'has a source block without a connector')
const FOREIGN = new Fault('UNSUPPORTED_CONNECTOR', 'comes from a connector other than postgresql')
const NO_TABLE = new Fault(
  'BAD_SOURCE',
  'has a source block that does not name its table (name, db, schema, table)',
)
const BAD_LSN = new Fault('BAD_POSITION', 'has a source.lsn that is not an int64')
const BAD_TXID = new Fault('BAD_POSITION', 'has a source.txId that is not an int64')
const BAD_SEQUENCE = new Fault('BAD_POSITION', 'has a source.sequence that is not a pair of LSNs')
const BAD_TIME = new Fault('BAD_SOURCE', 'has a source time that is not an int64')

const INT64_MAX = 2n ** 63n - 1n

/** `["97500059000","97500059720"]`: the commit before, and the event's own. Either may be null or absent. */
const SEQUENCE = /^\[\s*(?:null|"(\d{1,19})")?\s*(?:,\s*(?:null|"(\d{1,19})")\s*)?\]$/

/** What stands around the two numbers, with its escapes. */
const OPEN = Buffer.from('[\\"')
const BETWEEN = Buffer.from('\\",\\"')
const CLOSE = Buffer.from('\\"]')

/** Reads `source` of PostgreSQL events (formats.md §2.1, §2.8). */
export class SourceReader {
  readonly #layouts = new MemberLayouts<SourceLayout>(
    (names) => Object.fromEntries(MEMBERS.map((m) => [m, names.indexOf(m)])) as SourceLayout,
  )
  readonly #connector = new RepeatedText()
  readonly #sourceName = new RepeatedText()
  readonly #database = new RepeatedText()
  readonly #schema = new RepeatedText()
  readonly #tableName = new RepeatedText()
  #table: TableId = { sourceName: '', database: '', schema: '', table: '' }
  readonly #txId = new RepeatedInteger()
  readonly #timeMs = new RepeatedInteger(1000n)
  readonly #previousCommit = new RepeatedInteger()

  /** @param token the value of `source`, or -1 */
  read(json: JsonTape, token: number): SourceBlock | Fault {
    if (token < 0 || json.kind(token) !== JSON_OBJECT) return NO_SOURCE
    const layout = this.#layouts.find(json, token)
    const connector = this.#text(json, layout.connector, this.#connector)
    if (connector === null) return NO_CONNECTOR
    if (connector !== 'postgresql') return FOREIGN
    const table = this.#readTable(json, layout)
    if (table === null) return NO_TABLE
    const lsn = this.#int64(json, layout.lsn)
    if (lsn instanceof Fault) return BAD_LSN
    const txId = this.#int64(json, layout.txId, this.#txId)
    if (txId instanceof Fault) return BAD_TXID
    const previousCommit = this.#readSequence(json, layout)
    if (previousCommit instanceof Fault) return previousCommit
    const timeUs = this.#readTime(json, layout)
    if (timeUs instanceof Fault) return BAD_TIME
    const readAfterLsn = lsn === null ? this.#sequenceLsn(json, layout) : null
    return { table, lsn, readAfterLsn, txId, previousCommit, timeUs }
  }

  #readTable(json: JsonTape, layout: SourceLayout): TableId | null {
    const sourceName = this.#text(json, layout.name, this.#sourceName)
    const database = this.#text(json, layout.db, this.#database)
    const schema = this.#text(json, layout.schema, this.#schema)
    const table = this.#text(json, layout.table, this.#tableName)
    if (!sourceName || !database || !schema || !table) return null
    const last = this.#table
    const isSame =
      last.table === table &&
      last.schema === schema &&
      last.database === database &&
      last.sourceName === sourceName
    if (!isSame) this.#table = { sourceName, database, schema, table }
    return this.#table
  }

  #readSequence(json: JsonTape, layout: SourceLayout): bigint | null | Fault {
    const token = this.#token(layout.sequence)
    if (token < 0 || json.kind(token) === JSON_NULL) return null
    if (!json.isString(token)) return BAD_SEQUENCE
    const digitsEnd = usualSequence(json.bytes, json.start(token), json.end(token))
    if (digitsEnd >= 0) {
      const lsn = parseInt64(json.bytes, json.start(token) + OPEN.length, digitsEnd)
      return lsn instanceof Fault ? BAD_SEQUENCE : this.#previousCommit.of(lsn)
    }
    const match = SEQUENCE.exec(json.text(token))
    if (match === null || BigInt(match[1] ?? 0) > INT64_MAX) return BAD_SEQUENCE
    return match[1] === undefined ? null : BigInt(match[1])
  }

  /** The second number of a sequence that was read without a fault. */
  #sequenceLsn(json: JsonTape, layout: SourceLayout): bigint | null {
    const token = this.#token(layout.sequence)
    if (token < 0 || !json.isString(token)) return null
    const lsn = SEQUENCE.exec(json.text(token))?.[2]
    return lsn === undefined || BigInt(lsn) > INT64_MAX ? null : BigInt(lsn)
  }

  /** Microseconds, from the finest that is there. */
  #readTime(json: JsonTape, layout: SourceLayout): bigint | null | Fault {
    const us = this.#int64(json, layout.ts_us)
    if (us !== null) return us
    const ns = this.#int64(json, layout.ts_ns)
    if (ns !== null) return typeof ns === 'bigint' ? ns / 1000n : ns
    return this.#int64(json, layout.ts_ms, this.#timeMs)
  }

  #int64(json: JsonTape, member: number, repeated: RepeatedInteger | null = null): bigint | null | Fault {
    const token = this.#token(member)
    if (token < 0 || json.kind(token) === JSON_NULL) return null
    if (json.kind(token) !== JSON_INTEGER) return BAD_TIME
    const value = parseInt64(json.bytes, json.start(token), json.end(token))
    if (value instanceof Fault) return value
    return repeated === null ? BigInt(value) : repeated.of(value)
  }

  #text(json: JsonTape, member: number, repeated: RepeatedText): string | null {
    const token = this.#token(member)
    return token < 0 || !json.isString(token) ? null : repeated.read(json, token)
  }

  #token(member: number): number {
    return member < 0 ? -1 : this.#layouts.tokens[member]!
  }
}

/**
 * The sequence as connectors write it, two numbers, seen in the bytes of its escaped text.
 *
 * @returns the end of the first number, or -1 for any other form, good or bad
 */
function usualSequence(bytes: Uint8Array, start: number, end: number): number {
  if (!holds(bytes, start, OPEN)) return -1
  const first = skipDigits(bytes, start + OPEN.length)
  if (first === start + OPEN.length || !holds(bytes, first, BETWEEN)) return -1
  const second = skipDigits(bytes, first + BETWEEN.length)
  if (second === first + BETWEEN.length || second + CLOSE.length !== end) return -1
  return holds(bytes, second, CLOSE) ? first : -1
}

function holds(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}

function skipDigits(bytes: Uint8Array, at: number): number {
  let end = at
  while (bytes[end]! >= 0x30 && bytes[end]! <= 0x39) end++
  return end
}

/** A text that is mostly the same as in the record before: then its bytes are compared and no string is made. */
class RepeatedText {
  #bytes = new Uint8Array(0)
  #text = ''
  /** The structure of the last text, if all texts of it say the same here. */
  #skeleton: JsonSkeleton | null = null

  read(json: JsonTape, token: number): string {
    const { bytes, skeleton } = json
    if (skeleton !== null && skeleton === this.#skeleton) return this.#text
    this.#skeleton = skeleton?.alike.has(token) === true ? skeleton : null
    const start = json.start(token)
    const end = json.end(token)
    let same = end - start === this.#bytes.length ? 0 : -1
    while (same >= 0 && same < this.#bytes.length && bytes[start + same] === this.#bytes[same]) same++
    if (same !== this.#bytes.length) {
      this.#bytes = new Uint8Array(bytes.subarray(start, end))
      this.#text = json.text(token)
    }
    return this.#text
  }
}

/** An integer that is mostly the same as in the record before: all events of a transaction then share one `bigint`. */
class RepeatedInteger {
  readonly #factor: bigint
  #last: number | bigint = 0
  #value = 0n

  constructor(factor = 1n) {
    this.#factor = factor
  }

  /** @returns it times the factor */
  of(value: number | bigint): bigint {
    if (value !== this.#last) {
      this.#last = value
      this.#value = BigInt(value) * this.#factor
    }
    return this.#value
  }
}
