import { assert } from '../../core/assert.ts'
import type { PartitionPosition, Random } from '../../core/ports.ts'
import type { RowKey, RowShape } from '../../schemas/change-event.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import { cellOf, type PackedRow, PackedRows } from '../../schemas/packed-rows.ts'
import { MOMENT_ROWS_MAX, type MomentRow } from '../../writers/moment-rows.ts'
import type { TableWriter } from '../../writers/table-writer.ts'
import { copyStatement, writtenBefore } from './chunk-plan.ts'
import { CopyRows, type CopyTarget } from './copy-rows.ts'
import type { LoadTask } from './load-table.ts'

const NOWHERE: readonly PartitionPosition[] = []

/**
 * Brings what was written since a table was begun with another snapshot: each row is held against the one of its key that
 * is there, if any. Rows that are gone since then stay: the stream tells of them.
 *
 * @returns how many rows were looked at
 */
export async function catchUp(task: LoadTask, writer: TableWriter, random: Random): Promise<number> {
  const { load, snapshot, columns } = task
  const { state, layout } = load
  const key = load.key!
  let count = 0
  for (const part of await snapshot.parts(load.options.table)) {
    const isLater = `NOT (${writtenBefore(state!.snapshot)})`
    const statement = copyStatement(part, columns, isLater, state!.where)
    await snapshot.session(async (session) => {
      const rows = new CopyRows(load.options.contract.name, columns)
      const images = new Images(layout.shape)
      const give = async () => {
        if (images.rows.length === 0) return
        const given = images.rows.map((image) => momentRow(image, key))
        const id = BigInt.asUintN(63, Buffer.from(random.bytes(8)).readBigUInt64BE())
        const watch = await writer.watch()
        const report = await writer.give({ id, watch, snapshot: snapshot.text, rows: given }, NOWHERE)
        assert(report.deferred.length === 0, `rows of a backfill were put off: ${report.why}`)
        count += given.length
        images.rows = []
      }
      for await (const piece of session.copyOut('backfill.catch-up', statement)) {
        task.signal.throwIfAborted()
        rows.take(piece)
        while (rows.fill(images)) await give()
      }
      rows.end()
      await give()
    })
  }
  return count
}

function momentRow(image: PackedRow, key: readonly string[]): MomentRow {
  const places = key.map((name) => image.shape.indexOf.get(name)!)
  const of: RowKey = {
    columns: places.map((at) => image.shape.columns[at]!),
    values: places.map((at) => cellOf(image, at) as Cell),
  }
  return { key: of, image }
}

/** Rows that are kept for themselves. */
class Images implements CopyTarget {
  rows: PackedRow[] = []
  readonly #shape: RowShape
  #block: PackedRows

  constructor(shape: RowShape) {
    this.#shape = shape
    this.#block = new PackedRows(shape)
  }

  get columns(): PackedRows['columns'] {
    return this.#block.columns
  }

  get isFull(): boolean {
    return this.rows.length === MOMENT_ROWS_MAX
  }

  begin(): number {
    if (this.#block.isFull) this.#block = new PackedRows(this.#shape)
    return this.#block.begin()
  }

  add(): void {
    this.rows.push(this.#block.add(false))
  }
}
