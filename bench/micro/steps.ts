import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RawRecord } from '../../core/ports.ts'
import type { ChangeEvent } from '../../schemas/change-event.ts'
import { field, struct } from '../../schemas/delta-types.ts'
import { LocalStore } from '../../src/io/local-store.ts'
import { systemRandom } from '../../src/io/system-random.ts'
import { BatchKeys } from '../../writers/batch-keys.ts'
import { DATA_FILE, dataFilePath } from '../../writers/data-file.ts'
import type { Action } from '../../writers/delta/actions.ts'
import { tryCommit } from '../../writers/delta/commit.ts'
import { encodeDeletionVectorFile } from '../../writers/delta/deletion-vector.ts'
import { writeCommit } from '../../writers/delta/log-entry.ts'
import { RowSet } from '../../writers/delta/row-set.ts'
import { type FoldKey, foldEvents } from '../../writers/fold.ts'
import { HASH_WORDS, KeyHasher } from '../../writers/locator/key-encoding.ts'
import { KeyLocator } from '../../writers/locator/key-locator.ts'
import { ColumnSet } from '../../writers/parquet/column-set.ts'
import { encodeParquet } from '../../writers/parquet/encode-parquet.ts'
import { PartitionMarks } from '../../writers/partition-marks.ts'
import { eventsOf, ordersDecoder, recordsOf } from './orders.ts'
import { measureStep, type StepCost } from './stopwatch.ts'

/** The same every time: what is spread over a table is spread alike. */
class Spread {
  #state = 1

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * limit)
  }
}

const STORED_AT = { epoch: 0, seq: 24_000_000n, lsn: 24_000_000n }
const TYPES = ['long'] as const

/** @param data a workload with whole rows before */
export async function measureSteps(data: string, note: (cost: StepCost) => void): Promise<void> {
  const plain = recordsOf(data, 0, 'off')
  note(await decodeStep('decode, schemas off', plain))
  note(await decodeStep('decode, inline schemas', recordsOf(data, 0, 'inline')))
  const events = eventsOf(plain)
  note(await keysStep(events))
  note(await foldStep(events))
  for (const rows of [1_000_000, 10_000_000]) note(await locateStep(rows))
  for (const rows of [10_000, 100_000]) note(await encodeStep(events, rows))
  for (const rows of [1_000_000, 10_000_000]) note(await vectorStep(rows))
  note(await logEntryStep())
  note(await commitStep())
}

function decodeStep(step: string, records: readonly RawRecord[]): Promise<StepCost> {
  const decoder = ordersDecoder()
  return measureStep(step, 'event', records.length, () => {
    for (const record of records) decoder.decode(record)
  })
}

function keysStep(events: readonly ChangeEvent[]): Promise<StepCost> {
  const hasher = new KeyHasher(systemRandom)
  return measureStep('hash and number keys', 'event', events.length, () => {
    const keys = new BatchKeys(hasher)
    for (const { key } of events) keys.numberOf(key!)
  })
}

function foldStep(events: readonly ChangeEvent[]): Promise<StepCost> {
  const batch = new BatchKeys(new KeyHasher(systemRandom))
  const keyOf = Int32Array.from(events, ({ key }) => batch.numberOf(key!))
  const keys: FoldKey[] = []
  events.forEach(({ op }, i) => {
    const stored = op === 'c' ? null : { place: { file: 0, row: i }, position: STORED_AT }
    keys[keyOf[i]!] ??= { stored, storedRow: null, grave: null }
  })
  const none = new Int32Array(events.length).fill(-1)
  return measureStep('fold', 'event', events.length, () => {
    foldEvents({
      ...{ events, keyOf, oldKeyOf: none, keys, owed: [], floor: null, table: 'public.orders' },
      ...{ leftBefore: () => null, storedRowAt: () => null, marks: new PartitionMarks() },
      ...{ isSpread: false, hasTwoRoads: false, fullBefore: true, softDeletes: false },
    })
  })
}

/** @param size rows of the table */
async function locateStep(size: number): Promise<StepCost> {
  const hasher = new KeyHasher(systemRandom)
  const locator = new KeyLocator()
  const words = new Uint32Array(HASH_WORDS * LOOKUPS)
  for (let id = 0; id < size; id++) {
    hasher.hashKey(TYPES, [BigInt(id)], words, 0)
    locator.put(words, 0, { file: 0, row: id }, STORED_AT)
  }
  const spread = new Spread()
  return measureStep(`locate among ${size / 1e6} million`, 'key', LOOKUPS, async () => {
    for (let i = 0; i < LOOKUPS; i++)
      hasher.hashKey(TYPES, [BigInt(spread.below(size))], words, i * HASH_WORDS)
    await locator.findAll(words, LOOKUPS)
  })
}

const LOOKUPS = 10_000

function encodeStep(events: readonly ChangeEvent[], rows: number): Promise<StepCost> {
  const images = events.flatMap(({ after }) => (after === null ? [] : [after]))
  const [first] = images
  const schema = struct(first!.shape.columns.map(({ name, type }) => field(name, type)))
  const cells = Array.from({ length: rows }, (_, i) => images[i % images.length]!.cells as readonly never[])
  return measureStep(`encode Parquet, ${rows / 1000} thousand rows`, 'row', rows, () => {
    const columns = new ColumnSet(schema, rows)
    for (const row of cells) columns.append(row)
    encodeParquet(columns, DATA_FILE)
  })
}

/** Of one large file with a twentieth of its rows deleted, 8,000 more. */
function vectorStep(size: number): Promise<StepCost> {
  const spread = new Spread()
  const before = RowSet.of(Array.from({ length: size / 20 }, () => spread.below(size)))
  const rows = Array.from({ length: 8000 }, () => spread.below(size))
  return measureStep(`deletion vector of ${size / 1e6} million rows`, 'deleted row', rows.length, () => {
    encodeDeletionVectorFile([before.union(RowSet.of(rows))])
  })
}

/** As a batch of ours writes: its file, its feed, ten files with new vectors. */
function entryActions(): readonly Action[] {
  const uuid = systemRandom.uuid()
  const stats = '{"numRecords":3000000,"minValues":{"id":0},"maxValues":{"id":2999999},"nullCount":{"id":0}}'
  const add = (path: string): Action => ({
    ...{ kind: 'add', path, partitionValues: {}, size: 100_000_000, modificationTime: 1_767_225_600_000 },
    ...{ dataChange: true, stats },
  })
  return [
    {
      ...{ kind: 'commitInfo', timestamp: 1_767_225_600_000, operation: 'MERGE', operationParameters: {} },
      ...{ isBlindAppend: false, engineInfo: 'alluvium', txnId: uuid },
    },
    ...Array.from({ length: 11 }, () => add(dataFilePath(systemRandom.uuid()))),
    {
      kind: 'cdc',
      path: `_change_data/cdc-00000-${uuid}.c000.snappy.parquet`,
      partitionValues: {},
      size: 800_000,
    },
  ]
}

function logEntryStep(): Promise<StepCost> {
  const actions = entryActions()
  return measureStep('log entry', 'entry', 1, () => {
    writeCommit(actions)
  })
}

/** On the disk of the temporary folder, synced. */
async function commitStep(): Promise<StepCost> {
  const directory = mkdtempSync(join(tmpdir(), 'alluvium-micro-'))
  const store = new LocalStore(directory, { random: systemRandom })
  let version = 1
  try {
    return await measureStep('commit on the local disk', 'commit', 1, async () => {
      await tryCommit(store, 'orders', version++, entryActions())
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
}
