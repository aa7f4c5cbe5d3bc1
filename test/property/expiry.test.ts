import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DEFAULT_CONTRACT } from '../../schemas/contract.ts'
import type { AddFile, RemoveFile } from '../../writers/delta/actions.ts'
import { deletionVectorPath } from '../../writers/delta/deletion-vector.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import type { TableSnapshot } from '../../writers/delta/snapshot.ts'
import { Pace } from '../../writers/pace.ts'
import { expireTombstones } from '../../writers/table/expire-files.ts'
import { restoreTable } from '../../writers/table/restore-table.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import { changeEvent, SHOP_ITEMS } from '../support/change-event.ts'
import { type Death, DyingStore } from '../support/dying-store.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { HandClock, testPorts } from '../support/test-ports.ts'
import { readRows, TABLE_PATH } from '../support/test-table.ts'

const HOUR_MS = 3_600_000
const RETENTION_MS = 24 * HOUR_MS
const TOPIC = { topic: 'shop.public.items', partition: 0 }
const NEVER = new AbortController().signal

type Step =
  | { readonly kind: 'batch'; readonly ids: readonly number[] }
  | { readonly kind: 'merge' }
  | { readonly kind: 'hours'; readonly hours: number }
  | { readonly kind: 'restore'; readonly back: number }
  /** A round whose process saw the table so many versions ago. */
  | { readonly kind: 'expire'; readonly behind: number; readonly dies: number }

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('batch' as const),
        ids: fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 5 }),
      }),
    },
    { weight: 3, arbitrary: fc.constant({ kind: 'merge' as const }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('hours' as const), hours: fc.integer({ min: 1, max: 30 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('restore' as const), back: fc.integer({ min: 1, max: 6 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('expire' as const),
        behind: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(4)),
        dies: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 8 })),
      }),
    },
  ),
  { minLength: 20, maxLength: 60 },
)

/** One table, its writer, and hours that pass. */
class World {
  readonly store = new MemoryStore()
  readonly clock = new HandClock()
  readonly #ports = { ...testPorts(this.store), clock: this.clock }
  #writer: TableWriter | null = null
  #offset = 0
  readonly #known = new Set<number>()

  async play(step: Step): Promise<void> {
    this.store.nowMs = this.clock.now
    if (step.kind === 'batch') await this.#batch(step.ids)
    else if (step.kind === 'merge') await this.#writer?.mergeWhenDue(NEVER)
    else if (step.kind === 'hours') this.clock.now += step.hours * HOUR_MS
    else if (step.kind === 'restore') await this.#restore(step.back)
    else await this.#expire(step.behind, step.dies)
  }

  async #batch(ids: readonly number[]): Promise<void> {
    this.#writer ??= await TableWriter.open(this.#ports, {
      pipeline: 'p',
      table: SHOP_ITEMS,
      contract: { ...DEFAULT_CONTRACT, name: 'public.items' },
      path: TABLE_PATH,
      isOrdered: true,
      acceptsRestore: true,
    })
    for (const id of ids) {
      const offset = this.#offset++
      const before = this.#known.has(id) ? { id: BigInt(id) } : null
      this.#known.add(id)
      const parts = { ...TOPIC, offset, position: 1000 + offset }
      this.#writer.add(changeEvent({ ...parts, before, after: { id: BigInt(id), v: `v${offset}` } }))
    }
    await this.#writer.flush([{ ...TOPIC, nextOffset: BigInt(this.#offset) }])
  }

  /** What of the older version is gone from the store cannot come back: a restore checks. */
  async #restore(back: number): Promise<void> {
    const version = (this.#writer?.version ?? 0) - back
    if (version < 0) return
    await restoreTable(this.#ports, TABLE_PATH, version).catch((error: Error & { code?: string }) => {
      if (error.code !== 'E_RESTORE_EXPIRED') throw error
    })
    this.#writer = null
    this.#known.clear()
    for (const { id } of await readRows(this.store, (await loadSnapshot(this.store, TABLE_PATH))!)) {
      this.#known.add(Number(id))
    }
  }

  async #expire(behind: number, dies: number): Promise<void> {
    const newest = await loadSnapshot(this.store, TABLE_PATH)
    if (newest === null) return
    const version = Math.max(0, newest.version - behind)
    const snapshot = (await loadSnapshot(this.store, TABLE_PATH, { version }))!
    const death: Death = dies % 2 === 0 ? 'fails before' : 'fails after'
    const store = dies === 0 ? this.store : new DyingStore(this.store, dies, death)
    await this.round(snapshot, store).catch(() => {})
    if (dies === 0 && behind === 0) await this.expectGone(newest)
  }

  round(snapshot: TableSnapshot, store: MemoryStore | DyingStore = this.store) {
    const pace = new Pace(this.clock, NEVER)
    const nowMs = this.clock.now
    return expireTombstones(snapshot, { store, tablePath: TABLE_PATH, nowMs, pace, mayDelete: () => true })
  }

  /** Whatever is live, or was removed within the retention, can be read. */
  async expectKept(): Promise<void> {
    const snapshot = await loadSnapshot(this.store, TABLE_PATH)
    if (snapshot === null) return
    for (const path of this.#needed(snapshot)) expect(this.store.objects.has(path), path).toBe(true)
  }

  async expectGone(snapshot: TableSnapshot): Promise<void> {
    const needed = this.#needed(snapshot)
    for (const remove of snapshot.tombstones.values()) {
      for (const path of this.#pathsOf(remove)) expect(this.store.objects.has(path)).toBe(needed.has(path))
    }
  }

  #needed({ files, tombstones }: TableSnapshot): Set<string> {
    const oldestMs = this.clock.now - RETENTION_MS
    const kept = [...tombstones.values()].filter((remove) => remove.deletionTimestamp! >= oldestMs)
    return new Set([...files.values(), ...kept].flatMap((file) => this.#pathsOf(file)))
  }

  #pathsOf({ path, deletionVector }: Pick<AddFile | RemoveFile, 'path' | 'deletionVector'>): string[] {
    const vector = deletionVector && deletionVectorPath(this.store, TABLE_PATH, deletionVector)
    return vector === undefined ? [`${TABLE_PATH}/${path}`] : [`${TABLE_PATH}/${path}`, vector]
  }
}

test('what a reader may ask for is never deleted, and what nobody may ask for is: over restores, merges, stale processes and deaths', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (played) => {
      const world = new World()
      for (const step of played) {
        await world.play(step)
        await world.expectKept()
      }
    }),
    { numRuns: 25 },
  )
})
