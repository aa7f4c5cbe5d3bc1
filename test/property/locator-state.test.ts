import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EngineError } from '../../core/errors.ts'
import type { ChangeEvent } from '../../schemas/change-event.ts'
import { DEFAULT_CONTRACT } from '../../schemas/contract.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import { LocatorMemory } from '../../writers/locator/locator-memory.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import { changeEvent, SHOP_ITEMS } from '../support/change-event.ts'
import { ForeignWriter } from '../support/foreign-writer.ts'
import { MemoryFiles } from '../support/memory-files.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { testPorts } from '../support/test-ports.ts'
import { readRows, TABLE_PATH } from '../support/test-table.ts'

const TOPIC = { topic: 'shop.public.items', partition: 0 }
const NEVER = new AbortController().signal

/** What became of the state directory while no process used it, or while one did. */
const fate = fc.oneof(
  fc.constant({ kind: 'kept' as const }),
  fc.constant({ kind: 'deleted' as const }),
  fc.constant({ kind: 'older' as const }),
  fc.record({ kind: fc.constant('torn' as const), nth: fc.nat(20), at: fc.nat(100_000), byte: fc.nat(255) }),
  fc.record({ kind: fc.constant('cut' as const), nth: fc.nat(20), at: fc.nat(100_000) }),
  fc.record({ kind: fc.constant('lost' as const), nth: fc.nat(20) }),
)
type Fate = typeof fate extends fc.Arbitrary<infer T> ? T : never

const changes = fc.array(
  fc.record({
    id: fc.nat(80),
    isDelete: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
  }),
  { minLength: 1, maxLength: 12 },
)
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('batch' as const), changes }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'keep' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'merge' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'optimize' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('state' as const), fate }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('restart' as const), isKilled: fc.boolean(), fate }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'truncate' as const }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A machine on which one writer after another works on one table. */
class Machine {
  readonly store = new MemoryStore()
  readonly files = new MemoryFiles()
  readonly rows = new Map<number, string>()
  readonly warnings: string[] = []
  readonly #bytesMax: number
  readonly #contract: { readonly merge: 'lazy' | 'at-once' }
  readonly #stranger = new ForeignWriter(this.store)
  #events = 0
  #older = new Map<string, Uint8Array>()
  #writer: TableWriter | null = null

  constructor(bytesMax: number, merge: 'lazy' | 'at-once') {
    this.#bytesMax = bytesMax
    this.#contract = { merge }
  }

  async writer(): Promise<TableWriter> {
    const ports = testPorts(this.store)
    const warn = (_: unknown, message: string): void => void this.warnings.push(message)
    this.#writer ??= await TableWriter.open(
      {
        ...ports,
        logger: { ...ports.logger, warn },
        locators: { files: this.files, memory: new LocatorMemory(this.#bytesMax) },
      },
      {
        pipeline: 'p',
        table: SHOP_ITEMS,
        contract: { ...DEFAULT_CONTRACT, name: 'public.items', ...this.#contract },
        path: TABLE_PATH,
        isOrdered: true,
      },
    )
    return this.#writer
  }

  async take(step: Step): Promise<void> {
    const writer = await this.writer()
    switch (step.kind) {
      case 'batch':
        return this.#flush(step.changes.map((change) => this.#event(change)))
      case 'keep':
        return this.#harmless(writer.keepLocator(NEVER))
      case 'merge':
        await writer.mergeWhenDue(NEVER)
        return
      case 'optimize':
        if (writer.version !== null) await this.#stranger.optimize()
        return
      case 'state':
        return this.#befall(step.fate)
      case 'restart':
        if (!step.isKilled) await writer.saveLocator(NEVER)
        await writer.release()
        this.#writer = null
        return this.#befall(step.fate)
      case 'truncate':
        this.rows.clear()
        return this.#flush([changeEvent({ ...this.#next(), op: 't', key: null })])
    }
  }

  /** Every key changes once more: a locator that is wrong anywhere doubles or keeps a row. */
  async touchAll(): Promise<void> {
    const events = [...this.rows.keys()].map((id) => this.#event({ id, isDelete: false }))
    if (events.length > 0) await this.#flush(events)
  }

  async expectTable(): Promise<void> {
    const snapshot = await loadSnapshot(this.store, TABLE_PATH)
    const rows = snapshot === null ? [] : await readRows(this.store, snapshot)
    const held = rows.map(({ id, v }) => [Number(id), v] as const).sort(([a], [b]) => a - b)
    expect(held).toEqual([...this.rows].sort(([a], [b]) => a - b))
  }

  #next(): { topic: string; partition: number; offset: number; position: number } {
    const offset = this.#events++
    return { ...TOPIC, offset, position: 1000 + offset }
  }

  #event({ id, isDelete }: { readonly id: number; readonly isDelete: boolean }): ChangeEvent {
    const parts = this.#next()
    const before = this.rows.has(id) ? { id: BigInt(id) } : null
    const v = `v${parts.offset}`
    if (isDelete && before !== null) this.rows.delete(id)
    else this.rows.set(id, v)
    return isDelete && before !== null
      ? changeEvent({ ...parts, before })
      : changeEvent({ ...parts, before, after: { id: BigInt(id), v } })
  }

  async #flush(events: readonly ChangeEvent[]): Promise<void> {
    const writer = await this.writer()
    for (const event of events) writer.add(event)
    await writer.flush([{ ...TOPIC, nextOffset: BigInt(this.#events) }])
  }

  /** A disk that fails costs nothing but time. */
  async #harmless(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => this.warnings.push(String(error)))
  }

  #befall(fate: Fate): void {
    const { files } = this.files
    const older = this.#older
    this.#older = new Map(files)
    if (fate.kind === 'deleted') files.clear()
    if (fate.kind === 'older') {
      files.clear()
      for (const [path, bytes] of older) files.set(path, bytes)
    }
    if (!('nth' in fate)) return
    const paths = [...files.keys()].sort()
    const path = paths[fate.nth % Math.max(paths.length, 1)]
    if (path === undefined) return
    const bytes = files.get(path)!.slice()
    if (fate.kind === 'lost') files.delete(path)
    else if (fate.kind === 'cut') files.set(path, bytes.subarray(0, fate.at % (bytes.length + 1)))
    else {
      if (bytes.length > 0) bytes[fate.at % bytes.length] = fate.byte
      files.set(path, bytes)
    }
  }
}

test.each([
  ['all on disk', 0, 'lazy'],
  ['some of it on disk', 100_000, 'lazy'],
  ['all in memory', 2 ** 30, 'lazy'],
  ['files written anew', 0, 'at-once'],
] as const)('whatever becomes of the local state, no row does: %s', async (_, bytesMax, merge) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const machine = new Machine(bytesMax, merge)
      for (const each of steps) await machine.take(each)
      await machine.expectTable()
      await machine.touchAll()
      await machine.expectTable()
    }),
    { numRuns: 25 },
  )
})

test('a table that this process made leaves its locator for the next one', async () => {
  const machine = new Machine(2 ** 30, 'lazy')
  const changes = Array.from({ length: 20 }, (_, id) => ({ id, isDelete: false }))
  await machine.take({ kind: 'batch', changes })
  await machine.take({ kind: 'restart', isKilled: false, fate: { kind: 'kept' } })
  expect([...machine.files.files.keys()].filter((path) => path.endsWith('.run'))).toHaveLength(1)
  await machine.touchAll()
  await machine.expectTable()
})

test('a locator that could only be made anew by half is not asked before it is whole', async () => {
  const machine = new Machine(0, 'lazy')
  const changes = Array.from({ length: 20 }, (_, id) => ({ id, isDelete: false }))
  await machine.take({ kind: 'batch', changes })
  await machine.take({ kind: 'keep' })
  for (const [path, bytes] of machine.files.files) {
    if (path.endsWith('.run'))
      machine.files.files.set(
        path,
        bytes.map((byte) => byte ^ 1),
      )
  }
  machine.store.before = (_, site) => {
    if (site === 'data.get') throw new EngineError('E_STORE_FAILED', 'retry', 'the store is away', {})
  }
  await expect(machine.touchAll()).rejects.toThrow('the store is away')
  machine.store.before = () => {}
  await machine.touchAll()
  await machine.expectTable()
})
