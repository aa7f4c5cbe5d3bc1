import type { TableId } from '../change-event.ts'
import type { DecodeOptions } from './decode-options.ts'
import type { InlineSchema } from './inline-schemas.ts'
import { RowReader } from './row-reader.ts'
import { TableColumns } from './table-columns.ts'
import { Placeholder } from './unavailable.ts'

/** Tables kept per topic: a topic that names more of them every day must not fill the memory. */
const TABLES_MAX = 4096

interface Readers {
  readonly columns: TableColumns
  /** Rows without an inline schema. */
  readonly bare: RowReader
  readonly bySchema: WeakMap<InlineSchema, RowReader>
}

/** What was learned of each table whose events came by one topic. */
export class TableReaders {
  readonly #options: DecodeOptions
  readonly #placeholder: Placeholder
  readonly #readers = new Map<string, Readers>()
  #last: { readonly id: TableId; readonly readers: Readers } | null = null

  constructor(options: DecodeOptions) {
    this.#options = options
    this.#placeholder = new Placeholder(options.unavailablePlaceholder)
  }

  of(id: TableId): TableColumns {
    return this.#readersOf(id).columns
  }

  rowsOf({ table }: TableColumns, schema: InlineSchema | null): RowReader {
    const { columns, bare, bySchema } = this.#readersOf(table)
    if (schema === null) return bare
    let rows = bySchema.get(schema)
    if (rows === undefined) {
      rows = new RowReader(columns, schema)
      bySchema.set(schema, rows)
    }
    return rows
  }

  #readersOf(id: TableId): Readers {
    if (this.#last?.id === id || this.#last?.readers.columns.table === id) return this.#last.readers
    const name = JSON.stringify([id.sourceName, id.database, id.schema, id.table])
    let readers = this.#readers.get(name)
    if (readers === undefined) {
      const columns = new TableColumns(id, this.#options.contractFor(id), this.#placeholder)
      readers = { columns, bare: new RowReader(columns, null), bySchema: new WeakMap() }
      if (this.#readers.size === TABLES_MAX) this.#readers.delete(this.#readers.keys().next().value!)
      this.#readers.set(name, readers)
    }
    this.#last = { id, readers }
    return readers
  }
}
