import { comparePositions, type Position } from '../schemas/position.ts'
import type { BagRow } from './bag-fold.ts'
import type { BagMatch } from './bag-match.ts'

/** Rows that a table may wait for; beyond them the oldest are given up. */
const OWED_MAX = 1000

/** A row that has left a bag before it came: its delete was read first, from another partition. */
export interface OwedRow {
  /** See `KeyHasher.rowDigest`. */
  readonly digest: string
  /** Of the delete. */
  readonly position: Position
}

export interface Settled {
  /** Rows that came and are not gone yet. */
  readonly added: readonly BagRow[]
  readonly owed: readonly OwedRow[]
  /** Rows that came, and had gone before. */
  readonly paid: number
  readonly givenUp: number
}

/**
 * Settles what a bag gains and what it could not lose against what is owed. Rows of a table without a key have no
 * partition of their own: an update can be read before the insert of its row.
 *
 * @param digestOf a row as it is told
 */
export function settleOwed(
  { added, missing }: Pick<BagMatch, 'added' | 'missing'>,
  owed: readonly OwedRow[],
  digestOf: (image: BagRow['image']) => string,
): Settled {
  const due = [...owed]
  const pays = ({ image }: BagRow): boolean => {
    if (due.length === 0) return false
    const digest = digestOf(image)
    const at = due.findIndex((row) => row.digest === digest)
    if (at >= 0) due.splice(at, 1)
    return at >= 0
  }
  const left = added.filter((row) => !pays(row))
  for (const { event } of missing) due.push({ digest: digestOf(event.before!), position: event.position! })
  return {
    added: left,
    owed: due.slice(-OWED_MAX),
    paid: added.length - left.length,
    givenUp: Math.max(0, due.length - OWED_MAX),
  }
}

/** What a TRUNCATE leaves: the inserts of rows that went before it are stale when they come. */
export function owedAbove(owed: readonly OwedRow[], floor: Position): readonly OwedRow[] {
  return owed.filter(({ position }) => comparePositions(position, floor) >= 0)
}

/** Public format: `epoch:seq:lsn:digest` a row. */
export function owedTexts(owed: readonly OwedRow[]): string[] {
  return owed.map(({ digest, position: { epoch, seq, lsn } }) => `${epoch}:${seq}:${lsn}:${digest}`)
}

export function parseOwed(texts: readonly string[]): OwedRow[] {
  return texts.map((text) => {
    const [epoch, seq, lsn, digest] = text.split(':')
    return { digest: digest!, position: { epoch: Number(epoch), seq: BigInt(seq!), lsn: BigInt(lsn!) } }
  })
}
