import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChangeEvent } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { UNAVAILABLE } from '../../schemas/delta-types.ts'
import { tallyTotal } from '../../writers/tally.ts'
import { changeEvent, type EventParts } from '../support/change-event.ts'
import { deriveFeed } from '../support/derived-feed.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { type StoredRow, sortRows, sourceColumns, TestTable, textOf } from '../support/test-table.ts'

/** A way on which events come, in order: a partition of a topic. */
interface Road {
  readonly topic: string
  readonly partition: number
}

interface Step {
  readonly act: 'put' | 'delete' | 'move' | 'swap' | 'read' | 'resend'
  readonly a: number
  readonly b: number
  /** Chooses roads. */
  readonly way: number
  /** In the transaction of the step before. */
  readonly joins: boolean
}

type Row = { readonly id: number; readonly grp: string; readonly v: number; readonly body?: string }

/** By which road an event comes. `turn` is a number that grows with every event, as a step's `way` chooses it. */
type RoadOf = (row: Row, turn: number) => number

interface World {
  readonly roads: readonly Road[]
  readonly roadOf: RoadOf
  /** Rows that change `roadOf` are told as delete and create of one key, as Debezium does for the key of its records. */
  readonly splitsMoves: boolean
  /** Rows have a value that is stored out of line, which events do not repeat, and no event has a whole row before. */
  readonly hasUnsent?: boolean
  readonly contract: Partial<TableContract>
  readonly key?: readonly string[] | null
}

/** A sent event, and the road it came by. */
interface Sent {
  readonly road: number
  readonly parts: EventParts
}

const COLUMNS = { id: 'integer', grp: 'string', v: 'integer' } as const
const columnsOf = ({ hasUnsent }: World) => (hasUnsent ? ({ ...COLUMNS, body: 'string' } as const) : COLUMNS)

/** Long enough to be stored out of line. */
const BODIES = ['a', 'b', 'c'].map((letter) => letter.repeat(150))

/** A source whose history is one line of positions, and what becomes of it on the roads. */
class Source {
  readonly #world: World
  readonly rows = new Map<number, Row>()
  readonly sent: Sent[] = []
  /** Streamed events, each once. */
  readonly #history: Sent[] = []
  #transaction = 0
  #lsn = 1000
  #turn = 0
  #last: readonly [seq: number, lsn: number] = [0, 0]

  constructor(world: World) {
    this.#world = world
  }

  play({ act, a, b, way, joins }: Step): void {
    if (!joins) this.#transaction++
    this.#turn = way
    const rows = [...this.rows.values()]
    const row = rows[a % Math.max(1, rows.length)]
    if (act === 'put') this.#put(a % 3, b)
    else if (act === 'resend') this.#resend(way % this.#world.roads.length, 1 + (a % 6))
    else if (row === undefined) return
    else if (act === 'delete') this.#send('d', row, null)
    else if (act === 'move' && !this.rows.has(b % 3)) this.#move(row, { ...row, id: b % 3 })
    else if (act === 'swap') this.#swap(row, rows[b % rows.length]!)
    else if (act === 'read') this.#read(row)
  }

  #put(id: number, b: number): void {
    const old = this.rows.get(id) ?? null
    const row: Row = { id, grp: 'abc'[b % 3]!, v: b % 4, ...this.#body(b) }
    if (old !== null && this.#world.splitsMoves && old.grp !== row.grp) this.#move(old, row)
    else this.#send(old === null ? 'c' : 'u', old, row)
  }

  #body(b: number): Pick<Row, 'body'> {
    return this.#world.hasUnsent ? { body: BODIES[(b >> 2) % BODIES.length]! } : {}
  }

  /** Both halves of a key change are one record of the log. */
  #move(row: Row, moved: Row): void {
    const [before, after] = row.id === moved.id ? [{}, {}] : [{ newKey: moved }, { oldKey: row }]
    this.#send('d', row, null, before)
    this.#lsn--
    this.#send('c', null, moved, after, row)
  }

  #swap(left: Row, right: Row): void {
    if (left === right) return
    this.#move(left, { ...left, id: right.id })
    this.#move(right, { ...right, id: left.id })
  }

  /** @param was the row as it was stored before, if any */
  #send(
    op: 'c' | 'u' | 'd',
    before: Row | null,
    after: Row | null,
    more: EventParts = {},
    was: Row | null = before,
  ): void {
    const position = [this.#transaction * 1000, ++this.#lsn] as const
    const tx = this.#transaction
    const told = this.#world.hasUnsent ? asSentByDefault(op, before, after, was) : { before, after }
    const parts: EventParts = { op, ...told, position, tx, time: tx, ...more }
    const sent = { road: this.#world.roadOf((after ?? before)!, this.#turn++), parts }
    this.sent.push(sent)
    this.#history.push(sent)
    this.#last = position
    if (before !== null && this.rows.get(before.id) === before) this.rows.delete(before.id)
    if (after !== null) this.rows.set(after.id, after)
  }

  #read(row: Row): void {
    this.#transaction++
    const parts = { op: 'r', after: row, position: null, time: this.#transaction } as const
    const [seq, lsn] = this.#last
    this.sent.push({
      road: this.#world.roadOf(row, this.#turn),
      parts: { ...parts, readAfter: { epoch: 0, seq: BigInt(seq), lsn: BigInt(lsn) } },
    })
  }

  /** Connect restarts: the end of one road comes again. */
  #resend(road: number, count: number): void {
    const again = this.#history.filter((sent) => sent.road === road).slice(-count)
    // Of rows without a key, an insert that comes again at once is taken for one more of a COPY.
    if (this.#world.key === null && again.length === 1 && again[0]!.parts.op === 'c') return
    this.sent.push(...again)
  }
}

/** Of a table with the default identity. */
function asSentByDefault(
  op: 'c' | 'u' | 'd',
  before: Row | null,
  after: Row | null,
  was: Row | null,
): Pick<EventParts, 'before' | 'after'> {
  const isUnchanged = after !== null && was !== null && after.body === was.body
  return {
    before: op === 'd' ? { id: before!.id } : null,
    after: isUnchanged ? { ...after, body: UNAVAILABLE } : after,
  }
}

/** The roads side by side: each in its own order, one far ahead of the other or not. */
function readInAnyOrder(world: World, sent: readonly Sent[], seed: number): ChangeEvent[] {
  const { roads, key = ['id'] } = world
  const columns = columnsOf(world)
  const random = new SeededRandom(seed)
  const queues = roads.map((_, road) => sent.filter((one) => one.road === road))
  const next = queues.map(() => 0)
  const events: ChangeEvent[] = []
  for (;;) {
    const ready = queues.flatMap((queue, road) => (next[road]! < queue.length ? [road] : []))
    if (ready.length === 0) return events
    const road = ready[random.below(ready.length)]!
    for (let burst = 1 + random.below(12); burst > 0 && next[road]! < queues[road]!.length; burst--) {
      const offset = next[road]!++
      const { parts } = queues[road]![offset]!
      events.push(changeEvent({ columns, key, ...parts, ...roads[road]!, offset }))
    }
  }
}

async function play(world: World, events: readonly ChangeEvent[], seed: number): Promise<TestTable> {
  const random = new SeededRandom(seed)
  const table = await TestTable.open({ contract: world.contract })
  let rest = events
  let isSecondReading = false
  while (rest.length > 0) {
    const taken = rest.slice(0, 1 + random.below(7))
    rest = rest.slice(taken.length)
    const before = table.reports.length
    await table.apply(...taken)
    const counted = table.reports.slice(before).reduce((sum, { tally }) => sum + tallyTotal(tally), 0)
    expect(counted, 'every event is counted once').toBe(taken.length)
    if (isSecondReading || random.chance(0.6) || table.writer.version === null) {
      isSecondReading = false
      continue
    }
    await table.reopen()
    // What changed nothing was not committed: it is read again, unless the passed mark has gone past it.
    const unpassed = random.chance(0.5) ? taken.filter(({ at }) => !table.writer.hasPassed(at)) : []
    isSecondReading = unpassed.length > 0
    rest = [...unpassed, ...rest]
  }
  return table
}

async function liveRows(table: TestTable): Promise<StoredRow[]> {
  const rows = await table.storedRows()
  return sortRows(rows.filter((row) => row['_cdc_deleted'] !== true).map(sourceColumns))
}

/** A feed replayed from nothing is the table: no row leaves that was not there. */
async function expectSoundFeed(table: TestTable): Promise<void> {
  const rows = new Map<string, number>()
  for (const { version, changes } of await deriveFeed(table.store)) {
    const leaves = (type: string) => type === 'delete' || type === 'update_preimage'
    for (const { type, row } of changes.toSorted((a, b) => Number(leaves(b.type)) - Number(leaves(a.type)))) {
      const text = textOf(sourceColumns(row))
      const count = (rows.get(text) ?? 0) + (leaves(type) ? -1 : 1)
      expect(count, `version ${version}: ${type} ${text}`).toBeGreaterThanOrEqual(0)
      rows.set(text, count)
    }
  }
  const replayed = [...rows].flatMap(([text, count]) => new Array<string>(count).fill(text))
  expect(replayed.sort()).toEqual((await table.rows()).map(textOf).sort())
}

/** @param examples that were found once, tried first */
async function holds(
  world: World,
  acts: readonly Step['act'][],
  numRuns: number,
  examples: [Step[], order: number, cut: number][] = [],
): Promise<void> {
  const step: fc.Arbitrary<Step> = fc.record({
    act: fc.constantFrom(...acts),
    a: fc.nat(60),
    b: fc.nat(60),
    way: fc.nat(60),
    joins: fc.boolean(),
  })
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 14, size: 'max' }),
    fc.nat(),
    fc.nat(),
    async (steps, order, cut) => {
      const source = new Source(world)
      for (const one of steps) source.play(one)
      const events = readInAnyOrder(world, source.sent, order)
      const wanted = sortRows([...source.rows.values()] as unknown as StoredRow[])
      const table = await play(world, events, cut)
      expect(await liveRows(table)).toEqual(wanted)
      await expectSoundFeed(table)
      // Without a key the mark alone tells, and is committed as it moves.
      if (table.writer.version === null || world.key === null || events.some(({ op }) => op === 'r')) return
      const { version } = table.writer
      await table.reopen()
      const again = events.map((event, i) => ({ ...event, at: { ...event.at, offset: BigInt(1000 + i) } }))
      await table.apply(...again)
      expect(table.writer.version, 'all of it sent again tells nothing').toBe(version)
    },
  )
  await fc.assert(property, { numRuns, examples })
}

const TOPICS = ['old.public.items', 'new.public.items']
const FULL = { replicaIdentity: 'full' } as const
const EVENTS = ['put', 'put', 'put', 'delete', 'delete', 'resend'] as const

describe('a table whose keys come by two topics is what a replay by position makes of it', () => {
  const roads = TOPICS.map((topic) => ({ topic, partition: 0 }))
  const anyRoad: RoadOf = (_, turn) => (turn * 7) % 2
  const world = { roads, roadOf: anyRoad, splitsMoves: false }

  test('whichever topic is read first', async () => {
    const contract = { topics: TOPICS }
    await holds({ ...world, contract }, [...EVENTS, 'move'], 40)
  })

  test('with whole rows before, and rows that are read anew', async () => {
    const contract = { ...FULL, topics: TOPICS }
    await holds({ ...world, contract }, [...EVENTS, 'move', 'read'], 40)
  })

  test('with deleted rows that stay', async () => {
    const contract = { topics: ['*.public.items'], deletes: 'soft', changeFeed: 'full' } as const
    await holds({ ...world, contract }, EVENTS, 20)
  })
})

describe('a table whose rows lie in several partitions of a topic', () => {
  const roads = [0, 1, 2].map((partition) => ({ topic: TOPICS[0]!, partition }))

  test('may swap the keys of rows that are the same in all else, also where they are read anew', async () => {
    const world = { roads, roadOf: ({ id }: Row) => id % 3, splitsMoves: false, contract: FULL }
    await holds(
      world,
      ['put', 'put', 'put', 'delete', 'move', 'swap', 'swap', 'read', 'resend', 'resend'],
      60,
    )
  })

  test('may change keys of rows with values that are not sent again', async () => {
    const roadOf = ({ id }: Row) => id % 3
    const world = { roads, roadOf, splitsMoves: false, hasUnsent: true, contract: {} }
    const step = (act: Step['act'], a = 0, b = 0): Step => ({ act, a, b, way: 0, joins: false })
    const earlierLife = [
      ...[step('put'), step('put', 8, 4), step('delete', 15), step('put', 10), step('move', 0, 47)],
      ...[step('delete', 21), step('move', 0, 11), step('move'), step('put', 16)],
    ]
    const backHome = [step('put'), step('move', 0, 10), step('move', 0, 29), step('move')]
    await holds(world, ['put', 'put', 'put', 'delete', 'move', 'move', 'move', 'resend'], 60, [
      [earlierLife, 35_626_202, 1],
      [backHome, 3_252_030, 0],
    ])
  })

  test('may have no key: an update is read before its insert', async () => {
    const world = {
      roads: roads.slice(1),
      roadOf: (_: Row, turn: number) => (turn * 7) % 2,
      splitsMoves: false,
    }
    await holds({ ...world, contract: {}, key: null }, EVENTS, 40)
  })

  test('may be routed by another column than its key', async () => {
    const roadOf = ({ grp }: Row) => 'abc'.indexOf(grp)
    await holds({ roads, roadOf, splitsMoves: true, contract: FULL }, EVENTS, 30)
  })
})
