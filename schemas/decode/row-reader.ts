import type { RowImage } from '../change-event.ts'
import type { ConnectField } from '../connect-types.ts'
import { PackedRows } from '../packed-rows.ts'
import type { InlineSchema } from './inline-schemas.ts'
import { JSON_NULL, JSON_OBJECT, type JsonTape } from './json-tape.ts'
import { MemberLayouts } from './member-layouts.ts'
import { COLUMNS_MAX, type ReadableColumn, type TableColumns } from './table-columns.ts'
import { Fault } from './undecodable-reasons.ts'

const NOT_ROW = new Fault('BAD_ROW', 'is not an object')
const NO_NAME = new Fault('EMPTY_COLUMN_NAME', 'has a column without a name')
const TOO_MANY = new Fault('TOO_MANY_COLUMNS', `has more than ${COLUMNS_MAX} columns`)

/** How a row with certain members is read. A member that has no column (`null`) has no type yet. */
interface RowLayout {
  readonly names: readonly string[]
  readonly columns: readonly (ReadableColumn | null)[]
  /** Where the next row goes. */
  block: PackedRows
}

/**
 * Reads the rows of one table that come with one schema (or with none).
 *
 * A column whose value has been null in every row, and of which neither schema nor contract tells, has no type: it is
 * left out of the shape, as it is left out of the table, until a value shows one.
 */
export class RowReader {
  readonly #columns: TableColumns
  readonly #fields: ReadonlyMap<string, ConnectField> | null
  readonly #layouts: MemberLayouts<RowLayout | Fault>
  readonly #resolved = new Map<string, ReadableColumn>()

  constructor(columns: TableColumns, schema: InlineSchema | null) {
    this.#columns = columns
    this.#fields = schema?.row == null ? null : new Map(schema.row.map((f) => [f.name, f]))
    this.#layouts = new MemberLayouts((names) => this.#layoutOf(names))
  }

  /**
   * @param mayLack a value may stand for "not sent": the row is the `after` of an update
   */
  read(json: JsonTape, token: number, mayLack: boolean): RowImage | Fault {
    if (json.kind(token) !== JSON_OBJECT) return NOT_ROW
    const found = this.#layouts.find(json, token)
    if (found instanceof Fault) return found
    const { columns } = found
    const { tokens } = this.#layouts
    const block = found.block.isFull ? this.#nextBlock(found) : found.block
    const row = block.begin()
    let at = 0
    let hasGaps = false
    for (let i = 0; i < columns.length; i++) {
      const value = tokens[i]!
      const column = columns[i]!
      if (column === null) {
        if (json.kind(value) === JSON_NULL) continue
        const isTyped = this.#inferFrom(i, found, json)
        if (isTyped instanceof Fault) return isTyped
        if (isTyped) return this.read(json, token, mayLack)
        continue
      }
      const packed = block.columns[at++]!
      if (json.kind(value) === JSON_NULL) {
        packed.putNull(row)
      } else if (mayLack && column.isUnavailable?.(json, value) === true) {
        packed.putUnsent(row)
        hasGaps = true
      } else {
        const fault = column.pack(json, value, packed, row)
        if (fault !== null)
          return fault.of(`has in column ${JSON.stringify(column.column.name)} a value that`)
      }
    }
    return block.add(hasGaps)
  }

  #nextBlock(layout: RowLayout): PackedRows {
    layout.block = new PackedRows(layout.block.shape, layout.block.count)
    return layout.block
  }

  /** The column of this name as rows have it; `null` when nothing tells its type yet. */
  column(name: string): ReadableColumn | Fault | null {
    const known = this.#resolved.get(name)
    if (known !== undefined) return known
    const resolved = this.#columns.resolve(name, this.#fields?.get(name) ?? null)
    // One object per column, so that keys and rows of it are compared by identity first.
    if (resolved !== null && !(resolved instanceof Fault)) this.#resolved.set(name, resolved)
    return resolved
  }

  /** The column of a key's member: as rows have it, else as the key's own schema or its value shows it. */
  keyColumn(
    name: string,
    fromKey: ConnectField | null,
    json: JsonTape,
    token: number,
  ): ReadableColumn | Fault | null {
    const known = this.column(name)
    if (known !== null) return known
    return fromKey === null ? this.#columns.infer(name, json, token) : this.#columns.resolve(name, fromKey)
  }

  /**
   * Lets the values of a row, from its member `first` on, show the types of the columns that have none.
   *
   * @returns whether one did: then the layouts are made anew, with the columns in their places
   */
  #inferFrom(first: number, { names, columns }: RowLayout, json: JsonTape): boolean | Fault {
    let isTyped = false
    for (let i = first; i < columns.length; i++) {
      if (columns[i] !== null) continue
      const inferred = this.#columns.infer(names[i]!, json, this.#layouts.tokens[i]!)
      if (inferred instanceof Fault) return inferred
      if (inferred !== null) isTyped = true
    }
    if (isTyped) this.#layouts.clear()
    return isTyped
  }

  #layoutOf(names: readonly string[]): RowLayout | Fault {
    if (names.length > COLUMNS_MAX) return TOO_MANY
    const columns: (ReadableColumn | null)[] = []
    for (const name of names) {
      if (name === '') return NO_NAME
      if (this.#fields !== null && !this.#fields.has(name)) {
        return new Fault(
          'SCHEMA_MISMATCH',
          `has a column ${JSON.stringify(name)} that its schema does not have`,
        )
      }
      const column = this.column(name)
      if (column instanceof Fault) return column
      columns.push(column)
    }
    const typed = columns.filter((c) => c !== null)
    const shape = this.#columns.shapeOf(typed.map((c) => c.column))
    return { names, columns, block: new PackedRows(shape) }
  }
}
