import type { Cell, DeltaType, StructType } from '../../schemas/delta-types.ts'
import { field, struct } from '../../schemas/delta-types.ts'
import type { LeafStatistics } from '../parquet/leaf-statistics.ts'
import type { ParquetReader } from '../parquet/read-parquet.ts'
import { encodeStatistics, widenBounds } from './statistics.ts'

/** A column of the table that can have statistics. */
interface Leaf {
  readonly path: readonly string[]
  readonly type: DeltaType
}

/**
 * Statistics that a checkpoint keeps as typed columns (`add.stats_parsed`), as the JSON text they stand for. Needed where
 * the table says `delta.checkpoint.writeStatsAsJson=false`: they are nowhere else.
 *
 * @param schema of the table
 * @returns text by path of the file
 * @see PROTOCOL.md "Checkpoint Schema"; delta-protocol §4.2
 */
export async function readStructStatistics(
  reader: ParquetReader,
  schema: StructType,
): Promise<ReadonlyMap<string, string>> {
  const leaves = leavesOf(schema, [])
  const parsed = struct([
    field('numRecords', 'long'),
    field('tightBounds', 'boolean'),
    field('minValues', mirror(schema, boundType)),
    field('maxValues', mirror(schema, boundType)),
    field(
      'nullCount',
      mirror(schema, () => 'long'),
    ),
  ])
  const wanted = struct([field('add', struct([field('path', 'string'), field('stats_parsed', parsed)]))])
  const texts = new Map<string, string>()
  for await (const batch of reader.batches(wanted)) {
    for (const add of batch.columns[0]!) {
      if (add === null) continue
      const [path, statistics] = add as readonly [string, readonly Cell[] | null]
      if (statistics !== null && statistics[0] !== null) texts.set(path, textOf(statistics, parsed, leaves))
    }
  }
  return texts
}

function textOf(statistics: readonly Cell[], parsed: StructType, leaves: readonly Leaf[]): string {
  const [numRecords, tightBounds] = statistics
  const known: LeafStatistics[] = []
  for (const { path, type } of leaves) {
    const at = (member: string) => cellAt(statistics, parsed, [member, ...path])
    const nullCount = at('nullCount')
    if (nullCount === null) continue
    const min = at('minValues') ?? undefined
    const max = at('maxValues') ?? undefined
    known.push({ path, type, nullCount: Number(nullCount), min, max, hasNaN: false })
  }
  const text = encodeStatistics(Number(numRecords), known, -1)
  return tightBounds === false ? widenBounds(text) : text
}

function cellAt(cells: readonly Cell[], type: StructType, path: readonly string[]): Cell {
  const at = type.fields.findIndex(({ name }) => name === path[0])
  const cell = cells[at] ?? null
  if (path.length === 1 || cell === null) return cell
  return cellAt(cell as readonly Cell[], type.fields[at]!.type as StructType, path.slice(1))
}

function leavesOf(schema: StructType, outer: readonly string[]): readonly Leaf[] {
  return schema.fields.flatMap(({ name, type }): readonly Leaf[] => {
    const path = [...outer, name]
    return typeof type !== 'string' && type.kind === 'struct' ? leavesOf(type, path) : [{ path, type }]
  })
}

/** A struct that nests as `schema` does, with other types at its leaves; those without one are left out. */
function mirror(schema: StructType, typeOf: (type: DeltaType) => DeltaType | undefined): StructType {
  const fields = schema.fields.map(({ name, type }) => {
    const mirrored = typeof type !== 'string' && type.kind === 'struct' ? mirror(type, typeOf) : typeOf(type)
    return mirrored === undefined ? undefined : field(name, mirrored)
  })
  return struct(fields.filter((mirrored) => mirrored !== undefined))
}

function boundType(type: DeltaType): DeltaType | undefined {
  if (typeof type !== 'string') return type.kind === 'decimal' ? type : undefined
  return type === 'boolean' || type === 'binary' ? undefined : type
}
