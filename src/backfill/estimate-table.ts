import type { Clock } from '../../core/ports.ts'
import { rowShape } from '../../writers/table/table-layout.ts'
import type { PostgresConnectionManager } from '../postgres/connection-manager.ts'
import type { BackfilledTable } from './backfill-table.ts'
import { type Chunk, chunkBlocksFor, chunksOf, copyStatement, inBlocks } from './chunk-plan.ts'
import { CopyBlock } from './copy-block.ts'
import { CopyRows } from './copy-rows.ts'
import type { ReadColumn } from './load-table.ts'
import { type SourceColumns, sourceColumns } from './source-columns.ts'
import { SourceSnapshot } from './source-snapshot.ts'

/** What a backfill of a table would be, told without writing anything. */
export interface TableEstimate {
  readonly table: string
  /** By the planner's statistics, else by the sample. */
  readonly rows: number
  /** Of the table at the source, without what is stored out of line. */
  readonly heapBytes: number
  readonly chunks: number
  /** For one connection, by the sample: reading alone. `null`: there is nothing to sample. */
  readonly readSeconds: number | null
  readonly leftOut: SourceColumns['leftOut']
}

const BLOCK_BYTES = 8192
/** Blocks in the middle of the largest part: a hundredth of it, and no more than a second of reading. */
const SAMPLE_BLOCKS_MAX = 2048

/** @throws EngineError as a backfill does that cannot begin */
export async function estimateTable(
  database: PostgresConnectionManager,
  clock: Clock,
  { source, contract, where }: BackfilledTable,
  workers: number,
): Promise<TableEstimate> {
  const columns = sourceColumns(source, contract)
  return SourceSnapshot.hold(database, async (snapshot) => {
    const parts = await snapshot.parts(source)
    const largest = parts.reduce((a, b) => (b.blocks > a.blocks ? b : a), parts[0] ?? NOTHING)
    const blocks = parts.reduce((sum, part) => sum + part.blocks, 0)
    const size = Math.min(Math.max(Math.ceil(largest.blocks / 100), 16), SAMPLE_BLOCKS_MAX)
    const firstBlock = Math.max(Math.floor((largest.blocks - size) / 2), 0)
    const sample = { part: largest, firstBlock, endBlock: Math.min(firstBlock + size, largest.blocks) }
    const startMs = clock.monotonicMs()
    const sampled = blocks === 0 ? 0 : await readSample(snapshot, sample, contract.name, columns, where)
    const seconds = (clock.monotonicMs() - startMs) / 1000
    const share = blocks === 0 ? 0 : (sample.endBlock - firstBlock) / blocks
    const known = where === null ? await database.getTableEstimate(contract.name) : null
    return {
      table: contract.name,
      rows: known === null || known === 0n ? Math.round(sampled / Math.max(share, 1e-9)) : Number(known),
      heapBytes: blocks * BLOCK_BYTES,
      chunks: chunksOf({ parts, chunkBlocks: chunkBlocksFor(parts, workers) }).length,
      readSeconds: share === 0 ? null : seconds / share,
      leftOut: columns.leftOut,
    }
  })
}

const NOTHING = { schema: '', table: '', storage: '', blocks: 0 }

async function readSample(
  snapshot: SourceSnapshot,
  sample: Chunk,
  table: string,
  { columns, reads }: SourceColumns,
  where: string | null,
): Promise<number> {
  const asked = columns.map(({ name }): ReadColumn => reads.get(name)!)
  return snapshot.session(async (session) => {
    const rows = new CopyRows(table, asked)
    const block = new CopyBlock(rowShape(columns))
    let count = 0
    for await (const piece of session.copyOut(
      'backfill.sample',
      copyStatement(sample.part, asked, inBlocks(sample), where),
    )) {
      rows.take(piece)
      while (rows.fill(block)) {
        count += block.rowCount
        block.clear()
      }
    }
    rows.end()
    return count + block.rowCount
  })
}
