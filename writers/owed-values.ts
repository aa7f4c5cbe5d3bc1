import type { RowImage } from '../schemas/change-event.ts'
import { UNAVAILABLE } from '../schemas/delta-types.ts'
import { comparePositions, formatPosition, type Position } from '../schemas/position.ts'

/** Of all debts of a table, as they stand in its properties. The oldest beyond it are given up. */
const TEXT_LENGTH_MAX = 128 * 1024

/**
 * Values that a row has not been told: it moved to another key with values that are stored out of line, and came before
 * the delete of its old key was read, from another partition. That delete will tell what they are.
 *
 * @typeParam Key a key's number in a batch; as stored, see `KeyHasher.keyText`
 */
export interface OwedValue<Key = string> {
  /** The key whose delete is waited for, and where that stands. */
  readonly from: Key
  readonly at: Position
  /** The key that the row has now, or had when it left. */
  readonly row: Key
  /** Where it left by another key change, of which the second half has not come; `null`: the row is there. */
  readonly leftAt: Position | null
  /** Source names. */
  readonly columns: readonly string[]
}

/** The debts of one table while the events of a batch pass. */
export class OwedValues {
  #owed: readonly OwedValue<number>[]
  /** Paid in this batch: the values are nowhere but in its memory until it is committed. */
  #paid: readonly OwedValue<number>[] = []

  constructor(owed: readonly OwedValue<number>[]) {
    this.#owed = owed
  }

  list(): readonly OwedValue<number>[] {
    return this.#owed
  }

  add(debt: OwedValue<number>): void {
    if (debt.columns.length > 0) this.#owed = [...this.#owed, debt]
  }

  remove(debt: OwedValue<number>): void {
    this.#owed = this.#owed.filter((each) => each !== debt)
  }

  /** The row has the values now. */
  settle(debt: OwedValue<number>): void {
    this.remove(debt)
    this.#paid = [...this.#paid, debt]
  }

  /** What waits for the delete of a key. */
  waitingFor(from: number, at: Position): readonly OwedValue<number>[] {
    return this.#owed.filter((debt) => debt.from === from && comparePositions(debt.at, at) === 0)
  }

  /** Columns that the row under this key has not been told. */
  columnsOf(row: number): readonly string[] {
    return this.#owed.flatMap((debt) => (debt.row === row && debt.leftAt === null ? debt.columns : []))
  }

  /** The row got values: what they tell is owed no more. `null`: it is gone. */
  told(row: number, image: RowImage | null): void {
    if (this.#owed.length + this.#paid.length === 0) return
    const unsent = new Set(image === null ? [] : gapColumns(image))
    const untold = (debt: OwedValue<number>) => debt.columns.filter((name) => unsent.has(name))
    this.#change(
      (debt) => debt.row === row && debt.leftAt === null,
      (debt) => ({ ...debt, columns: untold(debt) }),
    )
    this.#paid = this.#paid.map((debt) => (debt.row === row ? { ...debt, columns: untold(debt) } : debt))
  }

  /** The row leaves its key for another. What was paid in this batch was never stored: it is due again there. */
  left(row: number, at: Position): void {
    const paid = this.#paid.filter((debt) => debt.row === row)
    this.#paid = this.#paid.filter((debt) => debt.row !== row)
    for (const debt of paid) this.add(debt)
    this.#change(
      (debt) => debt.row === row && debt.leftAt === null,
      (debt) => ({ ...debt, leftAt: at }),
    )
  }

  /**
   * A row that left `from` at this position is under the key `row` now, or on its way from there (`leftAt`). Of its
   * debts those of `columns` go with it.
   *
   * @returns those that went with it
   */
  follow(
    from: number,
    at: Position,
    to: Pick<OwedValue<number>, 'row' | 'leftAt' | 'columns'>,
  ): readonly OwedValue<number>[] {
    return this.#change(
      (debt) => debt.row === from && debt.leftAt !== null && comparePositions(debt.leftAt, at) === 0,
      (debt) => ({ ...debt, ...to, columns: debt.columns.filter((name) => to.columns.includes(name)) }),
    )
  }

  /** @returns what is left of the changed ones */
  #change(
    concerns: (debt: OwedValue<number>) => boolean,
    change: (debt: OwedValue<number>) => OwedValue<number>,
  ): readonly OwedValue<number>[] {
    const changed: OwedValue<number>[] = []
    this.#owed = this.#owed.flatMap((debt) => {
      if (!concerns(debt)) return [debt]
      const now = change(debt)
      if (now.columns.length === 0) return []
      changed.push(now)
      return [now]
    })
    return changed
  }
}

/** Names of the columns whose values an image does not tell. */
export function gapColumns({ shape, cells }: RowImage): string[] {
  return shape.columns.flatMap(({ name }, i) => (cells[i] === UNAVAILABLE ? [name] : []))
}

/** What a TRUNCATE leaves: rows that moved before it are gone. */
export function owedValuesAbove(owed: readonly OwedValue[], floor: Position): readonly OwedValue[] {
  return owed.filter(({ at }) => comparePositions(at, floor) >= 0)
}

/**
 * The newest debts, as many as a table's properties may hold.
 *
 * @returns with the number of values that were given up
 */
export function boundOwedValues(owed: readonly OwedValue[]): {
  readonly owed: readonly OwedValue[]
  readonly givenUp: number
} {
  let length = 0
  let kept = owed.length
  while (kept > 0 && length <= TEXT_LENGTH_MAX) length += owedValueText(owed[--kept]!).length
  if (length > TEXT_LENGTH_MAX) kept++
  const givenUp = owed.slice(0, kept).reduce((sum, { columns }) => sum + columns.length, 0)
  return { owed: owed.slice(kept), givenUp }
}

/** Public format: `epoch:seq:lsn from row leftAt columns`, keys as in a grave, `-` for no position, names as JSON. */
export function owedValueText({ at, from, row, leftAt, columns }: OwedValue): string {
  return [
    formatPosition(at),
    from,
    row,
    leftAt === null ? '-' : formatPosition(leftAt),
    JSON.stringify(columns),
  ].join(' ')
}

export function parseOwedValues(texts: readonly string[]): OwedValue[] {
  return texts.map((text) => {
    const [at, from, row, leftAt, ...columns] = text.split(' ')
    return {
      at: parsePosition(at!),
      from: from!,
      row: row!,
      leftAt: leftAt === '-' ? null : parsePosition(leftAt!),
      columns: JSON.parse(columns.join(' ')) as string[],
    }
  })
}

function parsePosition(text: string): Position {
  const [epoch, seq, lsn] = text.split(':')
  return { epoch: Number(epoch), seq: BigInt(seq!), lsn: BigInt(lsn!) }
}
