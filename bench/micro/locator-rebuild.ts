/**
 * What it costs to make the locator of a table anew from its key columns, and then to look up and move 10,000 random
 * rows: `node locator-rebuild.js [millions] [long or uuid] [locator.memory in MB]`. Files of a million rows in memory;
 * CPU time, and the longest that nobody else got a turn.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Logger } from '../../core/ports.ts'
import { field, struct } from '../../schemas/delta-types.ts'
import { LocalDirectory } from '../../src/io/local-files.ts'
import { systemClock } from '../../src/io/system-clock.ts'
import { systemRandom } from '../../src/io/system-random.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { DATA_FILE } from '../../writers/data-file.ts'
import type { TableSnapshot } from '../../writers/delta/snapshot.ts'
import { HASH_WORDS } from '../../writers/locator/key-encoding.ts'
import { LocatedKeys } from '../../writers/locator/located-keys.ts'
import { LocatorMemory } from '../../writers/locator/locator-memory.ts'
import { Pace } from '../../writers/pace.ts'
import { ColumnSet } from '../../writers/parquet/column-set.ts'
import { encodeParquet } from '../../writers/parquet/encode-parquet.ts'
import { TableLayout } from '../../writers/table/table-layout.ts'
import { TableReader } from '../../writers/table/table-reader.ts'

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const FILE_ROWS = 1_000_000
const BATCH = 10_000
const BATCHES = 40

const fileCount = Math.round(Number(process.argv[2] ?? '5'))
const isUuid = process.argv[3] === 'uuid'
const type = isUuid ? 'string' : 'long'
const layout = new TableLayout(
  [{ name: 'id', type, hasDefault: false }],
  { withOperation: false, withDeleted: false },
  't',
)
const store = new MemoryStore()
const reader = new TableReader(store, 't')
/** Some of the keys, where they cannot be made again. */
const ids: string[] = []

async function writeFile(
  number: number,
): Promise<{ path: string; size: number; partitionValues: Record<string, never> }> {
  const system = layout.system.slice(0, 3)
  const columns = new ColumnSet(struct([field('id', type), ...system]))
  for (let row = 0; row < FILE_ROWS; row++) {
    const id = isUuid ? systemRandom.uuid() : BigInt(number * FILE_ROWS + row)
    if (isUuid && row % 16 === 0) ids.push(id as string)
    const lsn = (1n << 40n) + BigInt(row * 300)
    columns.append(number % 2 === 0 ? [id, null, null, null] : [id, 0, lsn, lsn + 56n])
  }
  const { bytes } = encodeParquet(columns, DATA_FILE)
  await store.put('data.put', `t/${number}.parquet`, bytes)
  return { path: `${number}.parquet`, size: bytes.length, partitionValues: {} }
}

const files = new Map<string, Awaited<ReturnType<typeof writeFile>>>()
for (let number = 0; number < fileCount; number++) {
  const file = await writeFile(number)
  files.set(file.path, file)
}
const snapshot = { files, version: 1, commitId: 'c', metadata: { id: 't' } } as unknown as TableSnapshot
const source = { layout, reader, columns: layout.shape.columns }
const directory = mkdtempSync(join(tmpdir(), 'locator-'))
const memory = new LocatorMemory(Number(process.argv[4] ?? '256') * 2 ** 20)
const locators = { files: new LocalDirectory(directory), memory }
const ports = { store, clock: systemClock, random: systemRandom, logger: SILENT, locators }

async function measured<T>(
  work: () => Promise<T>,
): Promise<{ cpuMs: number; ms: number; longestMs: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const before = process.cpuUsage()
  const began = performance.now()
  delay.enable()
  await work()
  delay.disable()
  const { user, system } = process.cpuUsage(before)
  const [cpuMs, ms] = [Math.round((user + system) / 1000), Math.round(performance.now() - began)]
  return { cpuMs, ms, longestMs: Math.round(delay.max / 1e6) }
}

const keys = fileCount * FILE_ROWS
const pace = new Pace(systemClock, new AbortController().signal)
const located = new LocatedKeys(ports, 't')
const rebuilt = await measured(() => located.open(snapshot, source))
const kept = await measured(() => located.keep(async (work) => work(snapshot), pace))

const words = new Uint32Array(HASH_WORDS * BATCH)
const batches: number[] = []
for (let batch = 0; batch < BATCHES; batch++) {
  for (let i = 0; i < BATCH; i++) {
    const id = isUuid
      ? ids[Math.floor(Math.random() * ids.length)]!
      : BigInt(Math.floor(Math.random() * keys))
    located.hasher.hashKey([type], [id], words, i * HASH_WORDS)
  }
  const file = located.locator.files.ordinalOf(`batch-${batch}`)
  const { user, system } = process.cpuUsage()
  const found = await located.findAll(words, BATCH, snapshot, source)
  const seq = (1n << 41n) + BigInt(batch << 20)
  for (let i = 0; i < BATCH; i++) {
    located.locator.put(words, i * HASH_WORDS, { file, row: i }, { epoch: 0, seq, lsn: seq + BigInt(i) })
  }
  const after = process.cpuUsage()
  batches.push((after.user + after.system - user - system) / 1000)
  if (found.includes(null)) throw new Error('a key is not found')
}

const runs = located.locator.disk!.shelf.runs
rmSync(directory, { recursive: true })
console.log(
  JSON.stringify({
    keys,
    type,
    keysPerCpuSecond: Math.round((keys / rebuilt.cpuMs) * 1000),
    rebuilt,
    kept,
    runs: runs.map(({ entryCount }) => entryCount),
    inMemoryMb: Math.round(located.locator.sizeBytes / 2 ** 20),
    batchMs: Number([...batches].sort((a, b) => a - b)[BATCHES >> 1]!.toFixed(1)),
    rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
  }),
)
