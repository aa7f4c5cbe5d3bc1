/**
 * What the locator of a table costs: filling it, a batch of 10,000 random keys looked up and moved, and the memory.
 * `node locator.js [keys in millions] [locator.memory in MB]`; CPU time, the median of many batches.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalDirectory } from '../../src/io/local-files.ts'
import { systemClock } from '../../src/io/system-clock.ts'
import { systemRandom } from '../../src/io/system-random.ts'
import { HASH_WORDS, KeyHasher } from '../../writers/locator/key-encoding.ts'
import { KeyLocator } from '../../writers/locator/key-locator.ts'
import { LocatorKeeper } from '../../writers/locator/locator-keeper.ts'
import { LocatorMemory } from '../../writers/locator/locator-memory.ts'
import { RunShelf } from '../../writers/locator/run-shelf.ts'
import { Pace } from '../../writers/pace.ts'

const BATCH = 10_000
const BATCHES = 50

const keys = Math.round(Number(process.argv[2] ?? '10') * 1e6)
const hasher = new KeyHasher(systemRandom)
const words = new Uint32Array(HASH_WORDS * BATCH)
const batch = new Array<bigint>(BATCH)

function hashBatch(keyOf: (i: number) => number, count = BATCH): void {
  for (let i = 0; i < count; i++) {
    batch[i] = BigInt(keyOf(i))
    hasher.hashKey(['long'], [batch[i]!], words, i * HASH_WORDS)
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function median(samples: readonly number[]): string {
  return [...samples].sort((a, b) => a - b)[samples.length >> 1]!.toFixed(2)
}

const directory = mkdtempSync(join(tmpdir(), 'locator-'))
const shelf = new RunShelf(new LocalDirectory(directory), 'locator', systemRandom)
const memory = new LocatorMemory(Number(process.argv[3] ?? '100000') * 2 ** 20)
const locator = new KeyLocator({ disk: { shelf, memory } })
const keeper = new LocatorKeeper(locator, ['id'], '')
const pace = new Pace(systemClock, new AbortController().signal)
let filledMs = 0
let longestMs = 0
for (let from = 0; from < keys; from += BATCH) {
  hashBatch((i) => from + i)
  const file = locator.files.ordinalOf(`part-${from}`)
  const before = cpuMs()
  for (let i = 0; i < BATCH; i++) locator.put(words, i * HASH_WORDS, { file, row: i }, null)
  const tookMs = cpuMs() - before
  longestMs = Math.max(longestMs, tookMs)
  filledMs += tookMs
  await keeper.keep(async (work) => work(null), pace)
}

const finds: number[] = []
const puts: number[] = []
let lsn = 1n << 40n
for (let run = 0; run < BATCHES; run++) {
  hashBatch(() => Math.floor(Math.random() * keys))
  const file = locator.files.ordinalOf(`batch-${run}`)
  const begin = cpuMs()
  const located = await locator.findAll(words, BATCH)
  const found = cpuMs()
  for (let i = 0; i < BATCH; i++) {
    lsn += 200n
    locator.put(words, i * HASH_WORDS, { file, row: i }, { epoch: 0, seq: lsn, lsn: lsn + 56n })
  }
  finds.push(found - begin)
  puts.push(cpuMs() - found)
  if (located.includes(null)) throw new Error('a key is not found')
}

const { rss } = process.memoryUsage()
rmSync(directory, { recursive: true })
console.log(
  JSON.stringify({
    keys,
    inMemoryMb: Math.round(locator.sizeBytes / 2 ** 20),
    onDiskMb: Math.round(shelf.runs.reduce((sum, run) => sum + run.sizeBytes, 0) / 2 ** 20),
    runs: shelf.runs.length,
    fillKeysPerCpuSecond: Math.round((keys / filledMs) * 1000),
    longestFillMs: Number(longestMs.toFixed(1)),
    batch: BATCH,
    findMs: median(finds),
    putMs: median(puts),
    rssMb: Math.round(rss / 2 ** 20),
  }),
)
