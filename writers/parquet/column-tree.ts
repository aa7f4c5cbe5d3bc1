import { assert } from '../../core/assert.ts'
import {
  type Cell,
  type DecimalType,
  type DeltaType,
  type StructField,
  UNAVAILABLE,
} from '../../schemas/delta-types.ts'
import { PACKED_UNSENT, PACKED_VALUE, type PackedColumn } from '../../schemas/packed-columns.ts'
import { BooleanValues } from './boolean-values.ts'
import { ByteArrayValues, FixedDecimalValues } from './byte-values.ts'
import type { CellConversion, StoredValues } from './cell-conversion.ts'
import { FloatValues } from './float-values.ts'
import { Int32Values, Int64Values } from './integer-values.ts'
import { isLeafType, type LeafType, physicalTypeOf } from './physical-types.ts'
import type { ValueStore } from './value-store.ts'

/**
 * One node of the schema while rows are taken apart into columns (Dremel). `rep` tells at which repeated ancestor the
 * entry goes on (0: a new row), `def` how many optional or repeated ancestors are there.
 */
export interface ColumnNode {
  write(cell: Cell, rep: number, def: number): void
  /** Of a top-level field: a cell for each of `rows[start, end)`, which are row numbers of a column of its type. */
  writePacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void
  /** An ancestor is null or empty: the leaves below note only how far down the row goes. */
  writeAbsent(rep: number, def: number): void
}

/** Where a node stands: its path in the Parquet schema, and the levels that its ancestors have used up. */
interface Place {
  readonly path: readonly string[]
  readonly nullable: boolean
  readonly maxRep: number
  readonly maxDef: number
}

/** The entries of one Parquet column: levels for every entry, values for those that are not null. */
export class LeafColumn implements ColumnNode {
  /** As Parquet spells it, with `list.element` and `key_value.key`. */
  readonly path: readonly string[]
  readonly type: LeafType
  readonly maxRep: number
  readonly maxDef: number
  readonly values: ValueStore
  entryCount = 0
  /** `null` where the level can only be 0. */
  reps: Uint8Array | null
  defs: Uint8Array | null
  private readonly nullable: boolean
  private capacity: number

  constructor(type: LeafType, place: Place, capacityHint: number) {
    this.path = place.path
    this.type = type
    this.nullable = place.nullable
    this.maxRep = place.maxRep
    this.maxDef = place.maxDef + (place.nullable ? 1 : 0)
    this.values = valueStoreFor(type, capacityHint)
    this.capacity = Math.max(capacityHint, 64)
    this.reps = this.maxRep > 0 ? new Uint8Array(this.capacity) : null
    this.defs = this.maxDef > 0 ? new Uint8Array(this.capacity) : null
  }

  /** Entries without a value, for whatever reason. */
  get nullCount(): number {
    return this.entryCount - this.values.count
  }

  get sizeBytes(): number {
    const levelBytes = (this.reps === null ? 0 : 1) + (this.defs === null ? 0 : 1)
    return this.values.sizeBytes + this.entryCount * levelBytes
  }

  write(cell: Cell, rep: number, def: number): void {
    if (cell === null) {
      assert(this.nullable, `null in the column ${this.path.join('.')}, which is not nullable`)
      this.addEntry(rep, def)
      return
    }
    this.values.append(cell)
    this.addEntry(rep, this.maxDef)
  }

  writePacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void {
    const { states } = column
    const count = end - start
    while (this.entryCount + count > this.capacity) this.grow()
    this.defs?.fill(this.maxDef, this.entryCount, this.entryCount + count)
    let present = 0
    for (let i = start; i < end; i++) present += states[rows[i]!] === PACKED_VALUE ? 1 : 0
    if (present === count) this.values.appendPacked(column, rows, start, end)
    else this.writePresent(column, rows.subarray(start, end), present)
    this.entryCount += count
  }

  private writePresent(column: PackedColumn, rows: Int32Array, count: number): void {
    assert(this.nullable, `null in the column ${this.path.join('.')}, which is not nullable`)
    const present = new Int32Array(count)
    let at = 0
    rows.forEach((row, i) => {
      const state = column.states[row]
      assert(state !== PACKED_UNSENT, 'a gap was left in a row that is to be written')
      if (state === PACKED_VALUE) present[at++] = row
      else this.defs![this.entryCount + i] = 0
    })
    this.values.appendPacked(column, present, 0, count)
  }

  /**
   * Of a top-level field: values of a file that was read.
   *
   * @param places in `stored`, a row each; -1: it is null
   */
  writeStored(stored: StoredValues, places: Int32Array, convert: CellConversion): void {
    const { length } = places
    while (this.entryCount + length > this.capacity) this.grow()
    this.defs?.fill(this.maxDef, this.entryCount, this.entryCount + length)
    const present = new Int32Array(length)
    let count = 0
    for (let i = 0; i < length; i++) {
      if (places[i]! >= 0) present[count++] = places[i]!
      else this.noteNull(this.entryCount + i)
    }
    this.values.appendStored(stored, present.subarray(0, count), convert)
    this.entryCount += length
  }

  private noteNull(entry: number): void {
    assert(this.nullable, `null in the column ${this.path.join('.')}, which is not nullable`)
    this.defs![entry] = 0
  }

  writeAbsent(rep: number, def: number): void {
    this.addEntry(rep, def)
  }

  private addEntry(rep: number, def: number): void {
    if (this.entryCount === this.capacity) this.grow()
    if (this.reps !== null) this.reps[this.entryCount] = rep
    if (this.defs !== null) this.defs[this.entryCount] = def
    this.entryCount++
  }

  private grow(): void {
    this.capacity *= 2
    this.reps = this.reps === null ? null : enlarged(this.reps, this.capacity)
    this.defs = this.defs === null ? null : enlarged(this.defs, this.capacity)
  }
}

/** array (one child: the element) and map (two: key and value); both repeat one group under an optional one. */
export class RepeatedColumn implements ColumnNode {
  /** Rows in which the container itself is null; counted while no ancestor repeats. */
  nullCount = 0
  readonly children: readonly ColumnNode[]
  private readonly place: Place
  /** A map's items are `[key, value]`; an array's are the element itself. */
  private readonly isMap: boolean

  constructor(children: readonly ColumnNode[], place: Place) {
    this.children = children
    this.isMap = children.length === 2
    this.place = place
  }

  write(cell: Cell, rep: number, def: number): void {
    const { nullable, path, maxRep } = this.place
    if (cell === null) {
      assert(nullable, `null in the column ${path.join('.')}, which is not nullable`)
      this.writeAbsent(rep, def)
      return
    }
    const items = cell as readonly Cell[]
    const present = def + (nullable ? 1 : 0)
    if (items.length === 0) {
      for (const child of this.children) child.writeAbsent(rep, present)
      return
    }
    for (let i = 0; i < items.length; i++) {
      const itemRep = i === 0 ? rep : maxRep + 1
      for (let c = 0; c < this.children.length; c++) {
        const item = this.isMap ? (items[i] as readonly Cell[])[c]! : items[i]!
        this.children[c]!.write(item, itemRep, present + 1)
      }
    }
  }

  writePacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void {
    writeCells(this, column, rows, start, end)
  }

  writeAbsent(rep: number, def: number): void {
    this.nullCount++
    for (const child of this.children) child.writeAbsent(rep, def)
  }
}

export class StructColumn implements ColumnNode {
  readonly children: readonly ColumnNode[]
  private readonly place: Place

  constructor(children: readonly ColumnNode[], place: Place) {
    assert(children.length > 0, `the struct ${place.path.join('.')} has no field, which Parquet cannot hold`)
    this.children = children
    this.place = place
  }

  write(cell: Cell, rep: number, def: number): void {
    const { nullable, path } = this.place
    if (cell === null) {
      assert(nullable, `null in the column ${path.join('.')}, which is not nullable`)
      this.writeAbsent(rep, def)
      return
    }
    const cells = cell as readonly Cell[]
    assert(cells.length === this.children.length, `the struct ${path.join('.')} has another number of cells`)
    const present = def + (nullable ? 1 : 0)
    for (let i = 0; i < cells.length; i++) this.children[i]!.write(cells[i]!, rep, present)
  }

  writePacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void {
    writeCells(this, column, rows, start, end)
  }

  writeAbsent(rep: number, def: number): void {
    for (const child of this.children) child.writeAbsent(rep, def)
  }
}

function writeCells(
  node: ColumnNode,
  column: PackedColumn,
  rows: Int32Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) {
    const cell = column.cell(rows[i]!)
    assert(cell !== UNAVAILABLE, 'a gap was left in a row that is to be written')
    node.write(cell, 0, 0)
  }
}

/** Builds the nodes below top-level fields; every leaf is also added to `leaves`, in Parquet's depth-first order. */
export function columnNodes(
  fields: readonly StructField[],
  capacityHint: number,
  leaves: LeafColumn[],
): readonly ColumnNode[] {
  return structChildren(fields, { path: [], nullable: false, maxRep: 0, maxDef: 0 }, capacityHint, leaves)
}

function structChildren(
  fields: readonly StructField[],
  parent: Place,
  capacityHint: number,
  leaves: LeafColumn[],
): readonly ColumnNode[] {
  return fields.map(({ name, type, nullable }) =>
    columnNode(type, { ...parent, path: [...parent.path, name], nullable }, capacityHint, leaves),
  )
}

function columnNode(type: DeltaType, place: Place, capacityHint: number, leaves: LeafColumn[]): ColumnNode {
  if (isLeafType(type)) {
    const leaf = new LeafColumn(type, place, capacityHint)
    leaves.push(leaf)
    return leaf
  }
  const maxDef = place.maxDef + (place.nullable ? 1 : 0)
  const child = (childType: DeltaType, nullable: boolean, ...steps: string[]): ColumnNode => {
    const inside = { path: [...place.path, ...steps], nullable, maxRep: place.maxRep + 1, maxDef: maxDef + 1 }
    return columnNode(childType, inside, capacityHint, leaves)
  }
  switch (type.kind) {
    case 'struct':
      return new StructColumn(structChildren(type.fields, { ...place, maxDef }, capacityHint, leaves), place)
    case 'array':
      return new RepeatedColumn([child(type.element, true, 'list', 'element')], place)
    case 'map': {
      const key = child(type.key, false, 'key_value', 'key')
      return new RepeatedColumn([key, child(type.value, true, 'key_value', 'value')], place)
    }
  }
}

function valueStoreFor(type: LeafType, capacityHint: number): ValueStore {
  if (typeof type !== 'string') return decimalStoreFor(type, capacityHint)
  switch (type) {
    case 'boolean':
      return new BooleanValues(capacityHint)
    case 'byte':
      return new Int32Values(capacityHint, -(2 ** 7), 2 ** 7 - 1, false)
    case 'short':
      return new Int32Values(capacityHint, -(2 ** 15), 2 ** 15 - 1, false)
    case 'integer':
    case 'date':
      return new Int32Values(capacityHint, -(2 ** 31), 2 ** 31 - 1, false)
    case 'long':
    case 'timestamp':
    case 'timestamp_ntz':
      return new Int64Values(capacityHint, -(2n ** 63n), 2n ** 63n - 1n)
    case 'float':
      return new FloatValues(capacityHint, 4)
    case 'double':
      return new FloatValues(capacityHint, 8)
    case 'string':
    case 'binary':
      return new ByteArrayValues(capacityHint, type === 'string')
  }
}

function decimalStoreFor(type: DecimalType, capacityHint: number): ValueStore {
  const greatest = 10n ** BigInt(type.precision) - 1n
  switch (physicalTypeOf(type)) {
    case 'INT32':
      return new Int32Values(capacityHint, Number(-greatest), Number(greatest), true)
    case 'INT64':
      return new Int64Values(capacityHint, -greatest, greatest)
    default:
      return new FixedDecimalValues(capacityHint, type.precision)
  }
}

function enlarged(bytes: Uint8Array, capacity: number): Uint8Array {
  const larger = new Uint8Array(capacity)
  larger.set(bytes)
  return larger
}
