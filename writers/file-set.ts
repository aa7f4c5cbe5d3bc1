import { type StructField, type StructType, struct } from '../schemas/delta-types.ts'
import { partitionText } from '../schemas/partition-value.ts'
import { ColumnFiller } from './column-filler.ts'
import { ColumnSet } from './parquet/column-set.ts'
import { dataCell, type PlannedRow } from './planned-row.ts'

/** So many rows are held as they are before they go into columns together. */
const ROWS_AT_ONCE = 2048

export interface RowInGroup {
  readonly group: RowGroup
  readonly row: number
}

/** Rows of one partition, on their way into one file. */
export class RowGroup {
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly #filler: ColumnFiller
  #rows: PlannedRow[] = []
  #types: number[] = []
  #drained = 0

  constructor(partitionValues: Readonly<Record<string, string | null>>, filler: ColumnFiller) {
    this.partitionValues = partitionValues
    this.#filler = filler
  }

  /** @returns the row's number in the file */
  add(row: PlannedRow, type: number | null): number {
    if (this.#rows.length === ROWS_AT_ONCE) this.#drain()
    if (type !== null) this.#types.push(type)
    return this.#drained + this.#rows.push(row) - 1
  }

  /** All rows that were added. */
  columns(): ColumnSet {
    if (this.#rows.length > 0) this.#drain()
    return this.#filler.columns
  }

  #drain(): void {
    this.#filler.append(this.#rows, this.#types.length === 0 ? null : this.#types)
    this.#drained += this.#rows.length
    this.#rows = []
    this.#types = []
  }
}

/** Sorts rows by partition. Partition columns are left out of the files: the log tells their values. */
export class FileSet {
  readonly #partitionIndexes: readonly number[]
  readonly #partitionFields: readonly StructField[]
  readonly #stored: StructType
  readonly #storedIndexes: readonly number[]
  readonly #rowsExpected: number
  readonly #groups = new Map<string, RowGroup>()
  /** Of a table without partitions: the only group, in which a row has the number that it was added as. */
  #only: RowGroup | null = null
  readonly #placeOf: RowInGroup[] = []
  #count = 0

  /** @param rowsExpected a wrong guess costs only copying */
  constructor(schema: StructType, partitionColumns: readonly string[], rowsExpected = 0) {
    this.#partitionIndexes = partitionColumns.map((name) => schema.fields.findIndex((f) => f.name === name))
    this.#partitionFields = this.#partitionIndexes.map((index) => schema.fields[index]!)
    this.#storedIndexes = schema.fields.map((_, i) => i).filter((i) => !this.#partitionIndexes.includes(i))
    this.#stored = struct(this.#storedIndexes.map((i) => schema.fields[i]!))
    this.#rowsExpected = partitionColumns.length === 0 ? rowsExpected : 0
  }

  /**
   * @param type the number of its change type, in a set of change files
   * @returns how many were added before
   */
  add(row: PlannedRow, type: number | null = null): number {
    if (this.#partitionFields.length > 0) {
      const group = this.#groupFor(row)
      this.#placeOf.push({ group, row: group.add(row, type) })
    } else {
      this.#only ??= this.#groupFor(row)
      this.#only.add(row, type)
    }
    return this.#count++
  }

  /** Where the row stands that was the `number`th to be added, from 0. */
  at(number: number): RowInGroup {
    return this.#only === null ? this.#placeOf[number]! : { group: this.#only, row: number }
  }

  groups(): Iterable<RowGroup> {
    return this.#groups.values()
  }

  #groupFor(row: PlannedRow): RowGroup {
    const texts = this.#partitionFields.map(({ type }, i) =>
      partitionText(type, dataCell(row, this.#partitionIndexes[i]!)),
    )
    const key = texts.length === 0 ? '' : JSON.stringify(texts)
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const partitionValues = Object.fromEntries(this.#partitionFields.map((f, i) => [f.name, texts[i]!]))
    const columns = new ColumnSet(this.#stored, this.#rowsExpected)
    const group = new RowGroup(partitionValues, new ColumnFiller(columns, this.#storedIndexes))
    this.#groups.set(key, group)
    return group
  }
}
