/**
 * What it costs to make the locator of a table anew from its key columns: `node locator-rebuild.js [millions] [uuid]`.
 * Files of a million rows in memory; CPU time.
 */
import { field, struct } from '../../schemas/delta-types.ts'
import { systemClock } from '../../src/io/system-clock.ts'
import { systemRandom } from '../../src/io/system-random.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import { DATA_FILE } from '../../writers/data-file.ts'
import { KeyHasher } from '../../writers/locator/key-encoding.ts'
import { KeyLocator } from '../../writers/locator/key-locator.ts'
import { readKeys } from '../../writers/locator/read-keys.ts'
import { Pace } from '../../writers/pace.ts'
import { ColumnSet } from '../../writers/parquet/column-set.ts'
import { encodeParquet } from '../../writers/parquet/encode-parquet.ts'
import { TableLayout } from '../../writers/table/table-layout.ts'
import { TableReader } from '../../writers/table/table-reader.ts'

const FILE_ROWS = 1_000_000

const files = Math.round(Number(process.argv[2] ?? '5'))
const isUuid = process.argv[3] === 'uuid'
const type = isUuid ? 'string' : 'long'
const layout = new TableLayout(
  [{ name: 'id', type, hasDefault: false }],
  { withOperation: false, withDeleted: false },
  't',
)
const store = new MemoryStore()
const reader = new TableReader(store, 't')

async function writeFile(
  number: number,
): Promise<{ path: string; size: number; partitionValues: Record<string, never> }> {
  const system = layout.system.slice(0, 3)
  const columns = new ColumnSet(struct([field('id', type), ...system]))
  for (let row = 0; row < FILE_ROWS; row++) {
    const id = isUuid ? systemRandom.uuid() : BigInt(number * FILE_ROWS + row)
    const lsn = (1n << 40n) + BigInt(row * 300)
    columns.append(number % 2 === 0 ? [id, null, null, null] : [id, 0, lsn, lsn + 56n])
  }
  const { bytes } = encodeParquet(columns, DATA_FILE)
  await store.put('data.put', `t/${number}.parquet`, bytes)
  return { path: `${number}.parquet`, size: bytes.length, partitionValues: {} }
}

const written = []
for (let number = 0; number < files; number++) written.push(await writeFile(number))
const source = { layout, reader, columns: layout.shape.columns }
const hasher = new KeyHasher(systemRandom)
const locator = new KeyLocator()
const before = process.cpuUsage()
for (const file of written) for await (const _ of readKeys(file, source, hasher, locator));
await locator.takeIn(new Pace(systemClock, new AbortController().signal))
const { user, system } = process.cpuUsage(before)
const keys = files * FILE_ROWS
console.log(
  JSON.stringify({
    keys,
    type,
    keysPerCpuSecond: Math.round((keys / (user + system)) * 1e6),
    bytesPerKey: Number((locator.sizeBytes / keys).toFixed(1)),
  }),
)
