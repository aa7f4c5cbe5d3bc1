import type { Clock, ObjectStore, Random } from '../../core/ports.ts'
import { type Cell, type StructField, type StructType, struct } from '../../schemas/delta-types.ts'
import { type PackedColumn, packedColumn } from '../../schemas/packed-columns.ts'
import { partitionText } from '../../schemas/partition-value.ts'
import { DATA_FILE, dataFilePath } from '../data-file.ts'
import type { AddFile } from '../delta/actions.ts'
import { joinTablePath } from '../delta/log-path.ts'
import { encodeStatistics } from '../delta/statistics.ts'
import { statisticsColumns } from '../delta/table-properties.ts'
import { ColumnSet } from '../parquet/column-set.ts'
import { ParquetFileEncoder } from '../parquet/encode-parquet.ts'
import { systemReader } from '../system-cells.ts'
import type { TableLayout } from '../table/table-layout.ts'

/** Rows column by column: those of the table's layout, in its order. */
export interface LoadedRows {
  readonly columns: readonly PackedColumn[]
  readonly rowCount: number
}

export interface LoadFilesPorts {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
}

export interface LoadedTable {
  readonly path: string
  readonly layout: TableLayout
  /** Names of the stored partition columns. */
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  /** When the rows were read, microseconds: they have no other time. */
  readonly readAtUs: bigint
}

/** Bytes of rows before compression that are held as columns, and that make a file. */
const GROUP_BYTES = 16 * 1024 * 1024
const FILE_BYTES = 48 * 1024 * 1024
/** So many rows are a group, if they are not too wide. */
const GROUP_ROWS = 65_536
/** What a file mostly has, compressed. */
const FILE_BYTES_USUAL = 8 * 1024 * 1024

/** A file that comes into being. */
interface OpenFile {
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly encoder: ParquetFileEncoder
  columns: ColumnSet
  /** Of row groups that are encoded. */
  sizeBytes: number
}

/** Turns rows that were read of the source into data files, a partition's rows into files of its own. */
export class LoadFiles {
  readonly #ports: LoadFilesPorts
  readonly #table: LoadedTable
  /** What stands in the files: partition columns do not. */
  readonly #stored: StructType
  /** By stored column its place among the rows that come, or what it holds in all of them. */
  readonly #sources: readonly (number | PackedColumn)[]
  readonly #partitions: readonly { readonly place: number; readonly field: StructField }[]
  readonly #open = new Map<string, OpenFile>()
  readonly #added: AddFile[] = []
  #rows = new Int32Array()

  constructor(ports: LoadFilesPorts, table: LoadedTable) {
    this.#ports = ports
    this.#table = table
    const { fields } = table.layout.schema
    const places = fields.map((_, i) => i)
    const isPartition = (i: number) => table.partitionColumns.includes(fields[i]!.name)
    const stored = places.filter((i) => !isPartition(i))
    this.#stored = struct(stored.map((i) => fields[i]!))
    this.#sources = stored.map((i) => this.#sourceOf(i))
    this.#partitions = places.filter(isPartition).map((place) => ({ place, field: fields[place]! }))
  }

  /** Takes a copy of rows. @throws EngineError of the store */
  async add(rows: LoadedRows): Promise<void> {
    if (rows.rowCount === 0) return
    const { columns } = rows
    for (const [key, numbers] of this.#byPartition(rows)) {
      const file = this.#fileOf(key, columns, numbers[0]!)
      const { length } = numbers
      const sameRow = new Int32Array(length)
      file.columns.appendByColumn(length, (node, i) => {
        const source = this.#sources[i]!
        if (typeof source === 'number') node.writePacked(columns[source]!, numbers, 0, length)
        else node.writePacked(source, sameRow, 0, length)
      })
      const isGroup = file.columns.rowCount >= GROUP_ROWS
      if (isGroup || file.columns.sizeBytesEstimate >= GROUP_BYTES) await this.#encode(file)
    }
    await this.#closeWhenLarge()
  }

  /** @returns what was added, all of it in the store */
  async finish(): Promise<readonly AddFile[]> {
    for (const [key, file] of this.#open) await this.#close(key, file)
    return this.#added
  }

  /** A column of the source, or one of ours, which is the same in all rows. */
  #sourceOf(field: number): number | PackedColumn {
    const { schema, shape } = this.#table.layout
    if (field < shape.columns.length) return field
    const { name, type } = schema.fields[field]!
    const cell = systemReader(name)!({ position: null, sourceTimeUs: this.#table.readAtUs })
    const column = packedColumn(type, 1)
    if (cell === null) column.putNull(0)
    else column.putCell(0, cell)
    return column
  }

  /** Numbers of the rows of each partition. */
  #byPartition({ columns, rowCount }: LoadedRows): ReadonlyMap<string, Int32Array> {
    const all = this.#firstRows(rowCount)
    if (this.#partitions.length === 0) return new Map([['', all]])
    const groups = new Map<string, number[]>()
    for (const row of all) {
      const key = JSON.stringify(this.#partitionTexts(columns, row))
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [row])
      else group.push(row)
    }
    return new Map([...groups].map(([key, rows]) => [key, Int32Array.from(rows)]))
  }

  /** 0, 1, 2 … */
  #firstRows(count: number): Int32Array {
    if (this.#rows.length < count) this.#rows = Int32Array.from({ length: count }, (_, row) => row)
    return this.#rows.subarray(0, count)
  }

  #partitionTexts(columns: readonly PackedColumn[], row: number): readonly (string | null)[] {
    return this.#partitions.map(({ field, place }) =>
      partitionText(field.type, columns[place]!.cell(row) as Cell),
    )
  }

  #fileOf(key: string, columns: readonly PackedColumn[], row: number): OpenFile {
    const known = this.#open.get(key)
    if (known !== undefined) return known
    const texts = this.#partitionTexts(columns, row)
    const file = {
      partitionValues: Object.fromEntries(this.#partitions.map(({ field }, i) => [field.name, texts[i]!])),
      encoder: new ParquetFileEncoder(this.#stored, DATA_FILE, this.#isWhole ? FILE_BYTES_USUAL : 0),
      columns: this.#newColumns(),
      sizeBytes: 0,
    }
    this.#open.set(key, file)
    return file
  }

  /** Room for all rows of a group at once, where there is one group at a time. */
  #newColumns(): ColumnSet {
    return new ColumnSet(this.#stored, this.#isWhole ? GROUP_ROWS : 0)
  }

  get #isWhole(): boolean {
    return this.#partitions.length === 0
  }

  /** Between two columns others have a turn: rows go on coming while these are encoded. */
  async #encode(file: OpenFile): Promise<void> {
    const { columns } = file
    if (columns.rowCount === 0) return
    file.columns = this.#newColumns()
    file.sizeBytes += columns.sizeBytesEstimate
    for (const _ of file.encoder.add(columns)) await this.#ports.clock.sleep(0)
  }

  /** Rows of many partitions come together: none is held until it alone makes a file. */
  async #closeWhenLarge(): Promise<void> {
    let sizeBytes = 0
    let largest: readonly [string, OpenFile] | null = null
    for (const each of this.#open) {
      const fileBytes = sizeOf(each[1])
      sizeBytes += fileBytes
      if (largest === null || fileBytes > sizeOf(largest[1])) largest = each
    }
    if (largest !== null && sizeBytes >= FILE_BYTES) await this.#close(...largest)
  }

  async #close(key: string, file: OpenFile): Promise<void> {
    const { store, clock, random } = this.#ports
    await this.#encode(file)
    this.#open.delete(key)
    const { bytes, rowCount, statistics } = file.encoder.finish()
    const path = dataFilePath(random.uuid())
    await store.put('data.put', joinTablePath(this.#table.path, path), bytes)
    this.#added.push({
      kind: 'add',
      path,
      partitionValues: file.partitionValues,
      size: bytes.length,
      modificationTime: clock.nowMs(),
      dataChange: true,
      stats: encodeStatistics(rowCount, statistics, statisticsColumns(this.#table.configuration)),
    })
  }
}

function sizeOf({ sizeBytes, columns }: OpenFile): number {
  return sizeBytes + columns.sizeBytesEstimate
}
