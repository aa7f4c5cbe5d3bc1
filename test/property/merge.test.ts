import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ObjectStore } from '../../core/ports.ts'
import type { ChangeEvent } from '../../schemas/change-event.ts'
import { DEFAULT_CONTRACT, type TableContract } from '../../schemas/contract.ts'
import { loadCommits, loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import { changeEvent, SHOP_ITEMS } from '../support/change-event.ts'
import { type Death, DyingStore } from '../support/dying-store.ts'
import { ForeignWriter } from '../support/foreign-writer.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { testPorts } from '../support/test-ports.ts'
import { readRows, TABLE_PATH } from '../support/test-table.ts'

const TOPIC = { topic: 'shop.public.items', partition: 0 }
const NEVER = new AbortController().signal

/** What a step asks of the table; a merge goes on while later steps are done. */
type Step =
  | {
      readonly kind: 'batch'
      readonly changes: readonly { readonly id: number; readonly isDelete: boolean }[]
    }
  | { readonly kind: 'merge' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'optimize' }

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant('batch' as const),
        changes: fc.array(
          fc.record({
            id: fc.nat(60),
            isDelete: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
          }),
          { minLength: 1, maxLength: 4 },
        ),
      }),
    },
    { weight: 6, arbitrary: fc.constant({ kind: 'merge' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'wait' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'optimize' as const }) },
  ),
  { minLength: 20, maxLength: 50 },
)

const contracts: fc.Arbitrary<Partial<TableContract>> = fc.constantFrom<Partial<TableContract>>(
  {},
  { merge: 'at-once' },
  { changeFeed: 'full' },
)

/** The topic, and what is to come of it: events are made once and may be taken in again. */
class Stream {
  readonly events: ChangeEvent[] = []
  /** Rows by id, after all events. */
  readonly rows = new Map<number, string>()

  add({ id, isDelete }: { readonly id: number; readonly isDelete: boolean }): ChangeEvent {
    const offset = this.events.length
    const position = 1000 + offset
    const parts = { ...TOPIC, offset, position }
    const v = `v${offset}`
    const before = this.rows.has(id) ? { id: BigInt(id) } : null
    const event =
      isDelete && before !== null
        ? changeEvent({ ...parts, before })
        : changeEvent({ ...parts, before, after: { id: BigInt(id), v } })
    if (event.after === null) this.rows.delete(id)
    else this.rows.set(id, v)
    this.events.push(event)
    return event
  }
}

function open(store: ObjectStore, contract: Partial<TableContract>): Promise<TableWriter> {
  return TableWriter.open(testPorts(store as MemoryStore), {
    pipeline: 'p',
    table: SHOP_ITEMS,
    contract: { ...DEFAULT_CONTRACT, name: 'public.items', ...contract },
    path: TABLE_PATH,
    isOrdered: true,
  })
}

/** Takes in what the table does not have of the events that there are so far. */
async function catchUp(writer: TableWriter, stream: Stream): Promise<void> {
  for (const event of stream.events) {
    if (writer.hasPassed(event.at)) continue
    writer.add(event)
  }
  await writer.flush([{ ...TOPIC, nextOffset: BigInt(stream.events.length) }])
}

async function play(
  writer: TableWriter,
  stream: Stream,
  store: MemoryStore,
  played: readonly Step[],
): Promise<number> {
  let merging: Promise<unknown> = Promise.resolve()
  let merges = 0
  const stranger = new ForeignWriter(store)
  for (const step of played) {
    switch (step.kind) {
      case 'batch':
        for (const change of step.changes) writer.add(stream.add(change))
        await writer.flush([{ ...TOPIC, nextOffset: BigInt(stream.events.length) }])
        break
      case 'merge':
        merging = writer.mergeWhenDue(NEVER).then((report) => {
          if (report !== null) merges++
        })
        merging.catch(() => {})
        break
      case 'wait':
        await merging
        break
      case 'optimize':
        if (writer.version !== null) await stranger.optimize()
        break
    }
  }
  await merging
  return merges
}

async function expectTable(store: MemoryStore, stream: Stream): Promise<void> {
  const rows = await readRows(store, (await loadSnapshot(store, TABLE_PATH))!)
  const held = rows.map(({ id, v }) => [Number(id), v] as const).sort(([a], [b]) => a - b)
  expect(held).toEqual([...stream.rows].sort(([a], [b]) => a - b))
}

/** A merge tells no feed anything, and its commit is nothing but a merge. */
async function expectSilentMerges(store: MemoryStore): Promise<void> {
  for (const { actions } of await loadCommits(store, TABLE_PATH, 0)) {
    const info = actions.find((action) => action.kind === 'commitInfo')
    if (info?.operation !== 'OPTIMIZE') continue
    for (const action of actions) {
      expect(['commitInfo', 'add', 'remove']).toContain(action.kind)
      if ('dataChange' in action) expect(action.dataChange).toBe(false)
    }
  }
}

/** Every key changes once more: a locator that is wrong anywhere doubles or keeps a row. */
async function touchAll(writer: TableWriter, stream: Stream): Promise<void> {
  for (const id of [...stream.rows.keys()]) stream.add({ id, isDelete: false })
  await catchUp(writer, stream)
}

test('merges at any time, beside batches and strangers, change no row and tell no feed', async () => {
  let merges = 0
  await fc.assert(
    fc.asyncProperty(steps, contracts, async (played, contract) => {
      const store = new MemoryStore()
      const stream = new Stream()
      const writer = await open(store, contract)
      merges += await play(writer, stream, store, played)
      if (stream.events.length === 0) return
      await expectTable(store, stream)
      await touchAll(writer, stream)
      await expectTable(store, stream)
      await expectSilentMerges(store)
    }),
    { numRuns: 20 },
  )
  expect(merges).toBeGreaterThan(10)
})

test('a process that dies at any write of a merge or of the batches beside it loses and doubles nothing', async () => {
  const batch = (i: number): Step => ({
    kind: 'batch',
    changes: [i, i + 100, i % 5].map((id) => ({ id, isDelete: id === 4 })),
  })
  const before = Array.from({ length: 8 }, (_, i) => batch(i))
  const script: Step[] = [batch(8), { kind: 'merge' }, batch(9), batch(10), { kind: 'wait' }, batch(11)]
  const deaths: readonly Death[] = ['fails before', 'fails after', 'hangs after']
  let isDone = false
  let merges = 0
  for (let at = 1; !isDone; at++) {
    for (const death of deaths) {
      const store = new MemoryStore()
      const stream = new Stream()
      await play(await open(store, {}), stream, store, before)
      const dying = new DyingStore(store, at, death)
      const playing = play(await open(dying, {}), stream, store, script)
      const ended = playing.then(
        (count) => count,
        () => null,
      )
      const count = await Promise.race([ended, dying.died.then(() => null)])
      isDone = !dying.isDead
      merges += count ?? 0
      const writer = await open(store, {})
      stream.add({ id: 50, isDelete: false })
      await catchUp(writer, stream)
      await expectTable(store, stream)
      if ((await writer.mergeWhenDue(NEVER)) !== null) merges++
      await touchAll(writer, stream)
      await expectTable(store, stream)
      await expectSilentMerges(store)
    }
  }
  expect(merges).toBeGreaterThan(10)
})
