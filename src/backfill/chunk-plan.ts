import { quoteName, quoteTable } from '../../schemas/postgres-name.ts'
import type { BackfillState, LoadPart } from '../../writers/backfill/backfill-state.ts'

/** Some blocks of a table that holds rows: what one connection reads at a time, and one commit adds. */
export interface Chunk {
  readonly part: LoadPart
  readonly firstBlock: number
  readonly endBlock: number
}

/** Blocks of 8 kB: no chunk is larger, so that no death costs more, and small tables are still read by several. */
const CHUNK_BLOCKS_MAX = 16_384
const CHUNK_BLOCKS_MIN = 1024
const CHUNKS_A_WORKER = 4

/** Blocks of a chunk for tables of that size. */
export function chunkBlocksFor(parts: readonly LoadPart[], workers: number): number {
  const blocks = parts.reduce((sum, part) => sum + part.blocks, 0)
  const fair = Math.ceil(blocks / (workers * CHUNKS_A_WORKER))
  return Math.min(Math.max(fair, CHUNK_BLOCKS_MIN), CHUNK_BLOCKS_MAX)
}

/** All chunks, in the order in which they are counted. */
export function chunksOf({
  parts,
  chunkBlocks,
}: Pick<BackfillState, 'parts' | 'chunkBlocks'>): readonly Chunk[] {
  return parts.flatMap((part) => {
    const chunks: Chunk[] = []
    for (let firstBlock = 0; firstBlock < part.blocks; firstBlock += chunkBlocks) {
      chunks.push({ part, firstBlock, endBlock: firstBlock + chunkBlocks })
    }
    return chunks
  })
}

/** A column as it is asked for. */
export interface AskedColumn {
  readonly name: string
  sql(value: string): string
}

/** @param conditions on rows `s` of the part; those that are `null` ask for nothing */
export function copyStatement(
  part: LoadPart,
  columns: readonly AskedColumn[],
  ...conditions: readonly (string | null)[]
): string {
  const values = columns.map((column) => column.sql(`s.${quoteName(column.name)}`))
  const asked = conditions.filter((condition) => condition !== null)
  const condition = asked.map((each) => `(${each})`).join(' AND ')
  return `COPY (SELECT ${values.join(', ')} FROM ONLY ${quoteTable(part)} s WHERE ${condition}) TO STDOUT (FORMAT binary)`
}

export function inBlocks({ firstBlock, endBlock }: Chunk): string {
  return `s.ctid >= '(${firstBlock},0)' AND s.ctid < '(${endBlock},0)'`
}

/**
 * Rows that were written by no transaction that may have run when a snapshot was taken, or began later. Such a row was
 * there then, as it is now, and in its place. Ids of transactions go in a circle.
 *
 * @param snapshot as `pg_current_snapshot()` writes it
 */
export function writtenBefore(snapshot: string): string {
  const first = BigInt(snapshot.slice(0, snapshot.indexOf(':'))) & 0xffff_ffffn
  return `((s.xmin::text::int8 - ${first}) & 4294967295) >= 2147483648`
}
