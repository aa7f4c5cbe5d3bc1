import { compareUtf8 } from '../../core/utf8-order.ts'
import type { Cell, DeltaType, StructField } from '../../schemas/delta-types.ts'
import { mergeBounds } from './column-bounds.ts'
import type { ColumnSet } from './column-set.ts'
import { type ColumnNode, LeafColumn, RepeatedColumn, type StructColumn } from './column-tree.ts'
import type { ChunkRecord } from './encode-column-chunk.ts'
import type { Bounds } from './value-store.ts'

/** What the Delta log tells about one column of a file. @see delta-protocol §7 */
export interface LeafStatistics {
  /** Field names from the top-level column down. */
  readonly path: readonly string[]
  /** Never a struct: its fields stand for it. */
  readonly type: DeltaType
  /** Rows in which the leaf, or the array or map itself, is null, also because a struct around it is. */
  readonly nullCount: number
  /** Over the rows that are neither null nor NaN; `undefined` where there is none or the type has no bounds. */
  readonly min: Cell | undefined
  readonly max: Cell | undefined
  readonly hasNaN: boolean
}

/** Statistics of all columns that no array or map contains, in schema order, over the chunks of all row groups. */
export function leafStatistics(
  columns: ColumnSet,
  chunks: readonly Pick<ChunkRecord, 'leaf' | 'bounds'>[],
): readonly LeafStatistics[] {
  const boundsOf = new Map<LeafColumn, Bounds | undefined>()
  for (const { leaf, bounds } of chunks) {
    boundsOf.set(leaf, mergeBounds(leaf.values, boundsOf.get(leaf), bounds))
  }
  const statistics: LeafStatistics[] = []
  const visit = (node: ColumnNode, field: StructField, outer: readonly string[]): void => {
    const { type } = field
    const path = [...outer, field.name]
    if (node instanceof LeafColumn) {
      statistics.push({ path, type, nullCount: node.nullCount, ...boundCells(node, boundsOf.get(node)) })
    } else if (node instanceof RepeatedColumn) {
      statistics.push({
        path,
        type,
        nullCount: node.nullCount,
        min: undefined,
        max: undefined,
        hasNaN: false,
      })
    } else if (typeof type !== 'string' && type.kind === 'struct') {
      type.fields.forEach((child, i) => {
        visit((node as StructColumn).children[i]!, child, path)
      })
    }
  }
  columns.schema.fields.forEach((field, i) => {
    visit(columns.nodes[i]!, field, [])
  })
  return statistics
}

/** Statistics of two runs of rows of one schema taken together. */
export function mergeLeafStatistics(
  a: readonly LeafStatistics[],
  b: readonly LeafStatistics[],
): readonly LeafStatistics[] {
  return a.map((left, i) => {
    const right = b[i]!
    const hasNaN = left.hasNaN || right.hasNaN
    const bounds = hasNaN ? { min: undefined, max: undefined } : widerBounds(left, right)
    return { ...left, ...bounds, hasNaN, nullCount: left.nullCount + right.nullCount }
  })
}

function widerBounds(a: LeafStatistics, b: LeafStatistics): Pick<LeafStatistics, 'min' | 'max'> {
  if (a.min === undefined || a.max === undefined) return { min: b.min, max: b.max }
  if (b.min === undefined || b.max === undefined) return { min: a.min, max: a.max }
  return {
    min: isLessCell(b.min, a.min) ? b.min : a.min,
    max: isLessCell(a.max, b.max) ? b.max : a.max,
  }
}

/** Only types with an order have bounds; of two zeros either is right, as both bounds are written with their sign. */
function isLessCell(a: Cell, b: Cell): boolean {
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b) < 0
  return (a as number | bigint) < (b as number | bigint)
}

function boundCells(
  leaf: LeafColumn,
  bounds: Bounds | undefined,
): Pick<LeafStatistics, 'min' | 'max' | 'hasNaN'> {
  const hasNaN = bounds?.hasNaN ?? false
  if (bounds === undefined || hasNaN || leaf.type === 'boolean' || leaf.type === 'binary') {
    return { min: undefined, max: undefined, hasNaN }
  }
  const { values } = leaf
  return {
    min: values.boundCell(bounds.minIndex, 'min'),
    max: values.boundCell(bounds.maxIndex, 'max'),
    hasNaN,
  }
}
