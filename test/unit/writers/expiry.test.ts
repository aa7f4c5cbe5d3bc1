import { beforeEach, describe, expect, test } from 'vitest'
import type { Logger } from '../../../core/ports.ts'
import { DEFAULT_CONTRACT, type TableContract } from '../../../schemas/contract.ts'
import { loadSnapshot } from '../../../writers/delta/load-snapshot.ts'
import { restoreTable } from '../../../writers/table/restore-table.ts'
import { TableWriter } from '../../../writers/table-writer.ts'
import { changeEvent, SHOP_ITEMS } from '../../support/change-event.ts'
import { ForeignWriter } from '../../support/foreign-writer.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { HandClock, testPorts } from '../../support/test-ports.ts'
import { readRows, TABLE_PATH } from '../../support/test-table.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const TOPIC = { topic: 'shop.public.items', partition: 0 }
const NEVER = new AbortController().signal

let store: MemoryStore
let clock: HandClock
let warnings: string[]
let writer: TableWriter
let offset: number

beforeEach(async () => {
  store = new MemoryStore()
  clock = new HandClock()
  warnings = []
  offset = 0
  writer = await open()
})

function ports() {
  const logger: Logger = { debug() {}, info() {}, error() {}, warn: (_, message) => warnings.push(message) }
  return { ...testPorts(store), clock, logger }
}

function open(contract: Partial<TableContract> = {}): Promise<TableWriter> {
  return TableWriter.open(ports(), {
    pipeline: 'p',
    table: SHOP_ITEMS,
    contract: { ...DEFAULT_CONTRACT, name: 'public.items', ...contract },
    path: TABLE_PATH,
    isOrdered: true,
  })
}

/** Each commit moves one of ten rows on: a data file and a deletion vector that the next ones replace. */
async function commits(count: number, everyMs = 1000): Promise<void> {
  for (let i = 0; i < count; i++) {
    clock.now += everyMs
    store.nowMs = clock.now
    const id = BigInt(offset % 10)
    const before = offset < 10 ? null : { id, v: 'old' }
    const parts = { ...TOPIC, offset, position: 1000 + offset }
    writer.add(changeEvent({ ...parts, before, after: { id, v: `v${offset++}` } }))
    await writer.flush([{ ...TOPIC, nextOffset: BigInt(offset) }])
    await writer.mergeWhenDue(NEVER)
  }
}

async function hundredCommitsAndUpkeep(mayDelete?: () => boolean): Promise<void> {
  await commits(100)
  await writer.upkeepWhenDue(mayDelete)
}

/** A day later, so that everything that was removed until now has expired. */
function dayLater(): void {
  clock.now += DAY_MS + 1000
  store.nowMs = clock.now
}

function dataFiles(): string[] {
  return [...store.objects.keys()].filter(
    (path) => !path.includes('_delta_log') && path.startsWith(TABLE_PATH),
  )
}

async function rows(): Promise<number> {
  return (await readRows(store, (await loadSnapshot(store, TABLE_PATH))!)).length
}

describe('removed files', () => {
  test('are deleted when their retention has passed, and not before', async () => {
    await hundredCommitsAndUpkeep()
    const before = dataFiles().length
    expect(before).toBeGreaterThan(150)
    dayLater()
    await hundredCommitsAndUpkeep()
    expect(dataFiles().length).toBeLessThan(before + 50)
    const snapshot = (await loadSnapshot(store, TABLE_PATH))!
    for (const { deletionTimestamp } of snapshot.tombstones.values()) {
      expect(deletionTimestamp).toBeGreaterThanOrEqual(clock.now - DAY_MS)
    }
    expect(await rows()).toBe(10)
  })

  test('stay, and are forgotten, where the contract leaves them to somebody else', async () => {
    writer = await open({ expiry: 'off' })
    await hundredCommitsAndUpkeep()
    const before = dataFiles()
    dayLater()
    await hundredCommitsAndUpkeep()
    expect(dataFiles()).toEqual(expect.arrayContaining(before))
    for (const { deletionTimestamp } of (await loadSnapshot(store, TABLE_PATH))!.tombstones.values()) {
      expect(deletionTimestamp).toBeGreaterThanOrEqual(clock.now - DAY_MS)
    }
  })

  test('stay, and are remembered, while the table is held', async () => {
    await hundredCommitsAndUpkeep()
    const before = dataFiles()
    const remembered = (await loadSnapshot(store, TABLE_PATH))!.tombstones.size
    dayLater()
    await hundredCommitsAndUpkeep(() => false)
    expect(dataFiles()).toEqual(expect.arrayContaining(before))
    expect((await loadSnapshot(store, TABLE_PATH))!.tombstones.size).toBeGreaterThan(remembered)
    await hundredCommitsAndUpkeep()
    expect(before.filter((path) => store.objects.has(path)).length).toBeLessThan(20)
  })

  test('that cannot be deleted hold up no checkpoint, and are deleted later', async () => {
    await hundredCommitsAndUpkeep()
    const before = dataFiles()
    dayLater()
    store.before = (_, site) => {
      if (site === 'expired.delete') throw new Error('access denied')
    }
    await hundredCommitsAndUpkeep()
    expect(warnings).toEqual(['removed files could not be deleted'])
    const checkpoints = [...store.objects.keys()].filter((path) => path.endsWith('.checkpoint.parquet'))
    expect(checkpoints).toHaveLength(2)
    store.before = () => {}
    await hundredCommitsAndUpkeep()
    expect(before.filter((path) => store.objects.has(path)).length).toBeLessThan(20)
  })

  test('that a restore brought back behind our back stay', async () => {
    await hundredCommitsAndUpkeep()
    const { version } = (await loadSnapshot(store, TABLE_PATH))!
    dayLater()
    await commits(100)
    await restoreTable(ports(), TABLE_PATH, version)
    await writer.upkeepWhenDue()
    expect(await rows()).toBe(10)
  })

  test('that a stranger names outside of the table stay', async () => {
    await commits(1)
    store.seed('public/other/part.parquet', 'of another table')
    store.seed(`${TABLE_PATH}/_graves/x`, 'no file of rows')
    const stranger = new ForeignWriter(store)
    const remove = { kind: 'remove', dataChange: true, deletionTimestamp: 1 } as const
    await stranger.commit(async () => [
      { ...remove, path: 'memory://lake/public/other/part.parquet' },
      { ...remove, path: '_graves/x' },
      { ...remove, path: 's3://elsewhere/part.parquet' },
      { ...remove, path: '../other/part.parquet' },
    ])
    await hundredCommitsAndUpkeep()
    expect(store.objects.has('public/other/part.parquet')).toBe(true)
    expect(store.objects.has(`${TABLE_PATH}/_graves/x`)).toBe(true)
    expect((await loadSnapshot(store, TABLE_PATH))!.tombstones.size).toBeLessThan(400)
  })
})

describe('files that only log entries name', () => {
  test('change files go with the entries that name them', async () => {
    writer = await open({ changeFeed: 'full', replicaIdentity: 'full' })
    await hundredCommitsAndUpkeep()
    const changeFiles = () => dataFiles().filter((path) => path.includes('_change_data/'))
    // The first ten rows are new: their commits need no change files.
    expect(changeFiles()).toHaveLength(90)
    clock.now += 9 * DAY_MS
    await hundredCommitsAndUpkeep()
    const entries = [...store.objects.keys()].filter((path) => /_delta_log\/\d+\.json$/.test(path))
    expect(changeFiles().length).toBeLessThan(110)
    // The entry of the checkpoint stays, and those after it.
    expect(Math.abs(entries.length - changeFiles().length)).toBeLessThan(20)
  })

  test('and these entries stay while the table is held', async () => {
    writer = await open({ changeFeed: 'full', replicaIdentity: 'full' })
    await hundredCommitsAndUpkeep()
    clock.now += 9 * DAY_MS
    await hundredCommitsAndUpkeep(() => false)
    expect(store.objects.has(`${TABLE_PATH}/_delta_log/${'0'.repeat(20)}.json`)).toBe(true)
  })
})
