import type { Clock, ObjectStore, Random } from '../../core/ports.ts'
import type { Column } from '../../schemas/change-event.ts'
import { type Cell, struct, UNAVAILABLE } from '../../schemas/delta-types.ts'
import { parseSchemaString, renderSchemaString } from '../../writers/delta/schema-string.ts'
import type { MomentRow } from '../../writers/moment-rows.ts'
import { rowShape } from '../../writers/table/table-layout.ts'
import { pipelineFolder, REQUEST_KEPT_MS, requestName } from './request.ts'

export interface ShelfPorts {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
}

/**
 * Rows of a moment on their way to the process that owns their table: objects `_alluvium/<pipeline>/rows/<name>.jsonl`,
 * each put before the request that names it and deleted by who put it. Lines of JSON: the columns, then each row.
 */
export class MomentRowsShelf {
  readonly #ports: ShelfPorts
  readonly #folder: string

  constructor(ports: ShelfPorts, pipeline: string) {
    this.#ports = ports
    this.#folder = `${pipelineFolder(pipeline)}/rows/`
  }

  /** @returns their name */
  async put(rows: readonly MomentRow[]): Promise<string> {
    const { store, clock, random } = this.#ports
    const name = requestName(clock.nowMs(), random)
    await store.put('request.put', this.#pathOf(name), Buffer.from(renderMomentRows(rows)))
    return name
  }

  /** @returns `null` when they are not there any more, or damaged */
  async get(name: string): Promise<readonly MomentRow[] | null> {
    const bytes = await this.#ports.store.get('request.get', this.#pathOf(name))
    return bytes === null ? null : parseMomentRows(Buffer.from(bytes).toString())
  }

  async delete(name: string): Promise<void> {
    await this.#ports.store.delete('request.delete', this.#pathOf(name))
  }

  /** Takes away what those have left who died. */
  async sweep(): Promise<void> {
    const { store, clock } = this.#ports
    for (const { path } of await store.list('request.list', this.#folder)) {
      const putAtMs = Number(/(\d{13})-[0-9a-f]{8}\.jsonl$/.exec(path)?.[1] ?? Number.NaN)
      if (clock.nowMs() - putAtMs > REQUEST_KEPT_MS) await store.delete('request.delete', path)
    }
  }

  #pathOf(name: string): string {
    return `${this.#folder}${name}.jsonl`
  }
}

/** The name as a number, by which rows are known in the log of their table (`MomentRows.id`). */
export function momentIdOf(name: string): bigint {
  const [time, digits] = name.split('-') as [string, string]
  return (BigInt(time) << 20n) | BigInt(Number.parseInt(digits, 16) >>> 12)
}

type Known = Cell | typeof UNAVAILABLE

/** @param rows of one shape */
export function renderMomentRows(rows: readonly MomentRow[]): string {
  const [first] = rows
  const columns = rows.find(({ image }) => image !== null)?.image?.shape.columns ?? []
  const keys = first?.key.columns ?? []
  const head = { format: 1, key: schemaText(keys), columns: schemaText(columns) }
  const lines = rows.map(({ key, image }) => [key.values.map(packed), image?.cells.map(packed) ?? null])
  return [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** @returns `null` when it is no such text */
export function parseMomentRows(text: string): readonly MomentRow[] | null {
  const lines = text.split('\n').slice(0, -1)
  try {
    const [head, ...rows] = lines.map((line) => JSON.parse(line)) as [Head, ...Line[]]
    const keys = columnsOf(head.key)
    const shape = rowShape(columnsOf(head.columns))
    return rows.map(([values, cells]) => ({
      key: { columns: keys, values: values.map((value) => unpacked(value) as Cell) },
      image: cells === null ? null : { shape, cells: cells.map(unpacked) },
    }))
  } catch {
    return null
  }
}

interface Head {
  readonly key: string
  readonly columns: string
}

type Line = readonly [values: readonly Packed[], cells: readonly Packed[] | null]

/** A cell as JSON that needs no type to be read back: what JSON has no form for is an object of one member. */
type Packed = null | boolean | number | string | PackedObject | readonly Packed[]
type PackedObject = Readonly<Record<string, string>>

function packed(cell: Known): Packed {
  if (cell === UNAVAILABLE) return { gap: '' }
  if (typeof cell === 'bigint') return { int: String(cell) }
  if (cell instanceof Uint8Array) return { bytes: Buffer.from(cell).toString('base64') }
  if (typeof cell === 'number')
    return isPlain(cell) ? cell : { number: Object.is(cell, -0) ? '-0' : String(cell) }
  return Array.isArray(cell) ? (cell as readonly Cell[]).map(packed) : (cell as null | boolean | string)
}

function unpacked(value: Packed): Known {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return (value as readonly Packed[]).map((each) => unpacked(each) as Cell)
  const [[form, text]] = Object.entries(value as PackedObject) as [[string, string]]
  switch (form) {
    case 'int':
      return BigInt(text)
    case 'bytes':
      return Uint8Array.from(Buffer.from(text, 'base64'))
    case 'number':
      return Number(text)
    default:
      return UNAVAILABLE
  }
}

function isPlain(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0)
}

function schemaText(columns: readonly Column[]): string {
  return renderSchemaString(
    struct(columns.map(({ name, type }) => ({ name, type, nullable: true, metadata: {} }))),
  )
}

function columnsOf(text: string): readonly Column[] {
  return parseSchemaString(text).fields.map(({ name, type }) => ({ name, type, hasDefault: false }))
}
