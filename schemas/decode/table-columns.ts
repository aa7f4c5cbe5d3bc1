import type { Column, RowShape, TableId } from '../change-event.ts'
import type { ColumnSpec, Wire } from '../column-spec.ts'
import type { ConnectField } from '../connect-types.ts'
import type { TableContract } from '../contract.ts'
import type { DeltaType } from '../delta-types.ts'
import { parsePostgresType } from '../postgres-types.ts'
import { cellDecoder } from './cell-decoder.ts'
import { type CellPacker, cellPacker } from './cell-packers.ts'
import { inferSpec } from './inferred-spec.ts'
import type { JsonTape } from './json-tape.ts'
import type { CellDecoder } from './number-cells.ts'
import type { Placeholder, UnavailableTest } from './unavailable.ts'
import { Fault } from './undecodable-reasons.ts'

/** Postgres has at most 1,600 columns in a table. */
export const COLUMNS_MAX = 2000
const SHAPES_MAX = 256

const TOO_MANY = new Fault(
  'TOO_MANY_COLUMNS',
  `has a column that would be one of more than ${COLUMNS_MAX} of its table`,
)

/** A column and all that is needed to read it. */
export interface ReadableColumn {
  readonly column: Column
  readonly decode: CellDecoder
  readonly pack: CellPacker
  readonly isUnavailable: UnavailableTest | null
}

/**
 * What the columns of one table are (design §3.6): the contract decides, then the event's own schema, then, for the
 * types that JSON itself shows, the first value that was seen. That first value decides for good: a later one of
 * another type is undecodable, because a column has one type.
 */
export class TableColumns {
  readonly table: TableId
  readonly contract: TableContract
  readonly #declared: ReadonlyMap<string, ColumnSpec>
  readonly #inferred = new Map<string, ReadableColumn>()
  readonly #shapes = new Map<string, RowShape>()
  readonly #placeholder: Placeholder

  /** @throws EngineError `usage` when the contract names a type that is not known */
  constructor(table: TableId, contract: TableContract, placeholder: Placeholder) {
    this.table = table
    this.contract = contract
    this.#placeholder = placeholder
    this.#declared = declaredSpecs(contract)
  }

  /**
   * The column of this name.
   *
   * @param fromEvent what the event's schema says of it; `null` when the event has none
   * @returns `null` when nothing tells its type yet
   */
  resolve(name: string, fromEvent: ConnectField | null): ReadableColumn | Fault | null {
    const declared = this.#declared.get(name)
    if (declared === undefined && fromEvent === null) return this.#inferred.get(name) ?? null
    return this.#readable(name, combine(declared, fromEvent?.spec), fromEvent)
  }

  /** Lets a value decide the type of a column of which nothing else tells. @returns `null` when it shows none */
  infer(name: string, json: JsonTape, token: number): ReadableColumn | Fault | null {
    const known = this.#inferred.get(name)
    if (known !== undefined) return known
    const spec = inferSpec(json, token)
    const read = spec === null ? null : this.#readable(name, spec, null)
    if (read === null || read instanceof Fault) return read
    if (this.#inferred.size === COLUMNS_MAX) return TOO_MANY
    const decode = clashing(read.decode)
    const inferred = { ...read, decode, pack: cellPacker(spec!, decode) }
    this.#inferred.set(name, inferred)
    return inferred
  }

  /** The one shape object of these columns. */
  shapeOf(columns: readonly Column[]): RowShape {
    const identity = JSON.stringify(columns)
    let shape = this.#shapes.get(identity)
    if (shape === undefined) {
      // Shapes that vary without end must not fill the memory: they are then equal, but no longer the same.
      if (this.#shapes.size === SHAPES_MAX) this.#shapes.clear()
      shape = { columns, indexOf: new Map(columns.map((c, i) => [c.name, i])) }
      this.#shapes.set(identity, shape)
    }
    return shape
  }

  #readable(name: string, spec: ColumnSpec, fromEvent: ConnectField | null): ReadableColumn | Fault {
    const decode = cellDecoder(spec)
    if (decode === null) {
      const found = `is ${describeType(spec.type)} by its contract, but the event brings it as ${spec.wire.form}`
      return new Fault('TYPE_CLASH', `has a column ${JSON.stringify(name)} that ${found}`)
    }
    return {
      column: { name, type: spec.type, hasDefault: fromEvent?.hasDefault ?? false },
      decode,
      pack: cellPacker(spec, decode),
      isUnavailable: this.#placeholder.testFor(spec.wire, fromEvent?.placeholder ?? null),
    }
  }
}

/** Types of a contract's columns. @throws EngineError `usage`, naming the column, for a type that is not known */
export function declaredSpecs(contract: TableContract): ReadonlyMap<string, ColumnSpec> {
  const specs = new Map<string, ColumnSpec>()
  for (const [column, type] of Object.entries(contract.columns ?? {})) {
    const spec = parsePostgresType(type, `${contract.name}.${column}`)
    specs.set(column, contract.decimalHandling === 'string' ? withTextDecimals(spec) : spec)
  }
  return specs
}

/** As `decimal.handling.mode=string` writes decimals: the digits. */
function withTextDecimals(spec: ColumnSpec): ColumnSpec {
  return { ...spec, wire: textForDecimal(spec.wire) }
}

function textForDecimal(wire: Wire): Wire {
  if (wire.form === 'array') return { form: 'array', element: textForDecimal(wire.element) }
  return wire.form === 'decimal' || wire.form === 'variable-decimal' ? { form: 'text' } : wire
}

/** The contract says what the column is; the event, when it has a schema, how its values are written. */
function combine(declared: ColumnSpec | undefined, fromEvent: ColumnSpec | undefined): ColumnSpec {
  if (declared === undefined) return fromEvent!
  if (fromEvent === undefined) return declared
  if (declared.followsEvent === true) return fromEvent
  // Only the contract can tell varbit(n) from bit(n).
  const wire =
    declared.wire.form === 'bits' && fromEvent.wire.form === 'bits' ? declared.wire : fromEvent.wire
  return { type: declared.type, wire }
}

function clashing(decode: CellDecoder): CellDecoder {
  return (json, token) => {
    const cell = decode(json, token)
    if (!(cell instanceof Fault)) return cell
    return new Fault('TYPE_CLASH', `${cell.found}, which its first value was: name its type under "columns"`)
  }
}

function describeType(type: DeltaType): string {
  return typeof type === 'string' ? type : type.kind
}
