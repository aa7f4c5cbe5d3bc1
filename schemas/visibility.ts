/**
 * Which transactions a moment of the source sees: `pg_current_snapshot()`. The order of the log is not the order in which
 * transactions become visible, so no position in the log says it.
 *
 * @see reliability §0 fact 8
 */
export interface Visibility {
  /** As Postgres writes it: `xmin:xmax:xip,xip`. */
  readonly snapshot: string
  /** @param txid of a commit that was streamed, its lower 32 bits or all of it */
  sees(txid: bigint): boolean
  /** Whether a transaction had begun and was not visible yet. Says nothing of ids that have come round since. @param txid as of `sees` */
  wasOpen(txid: bigint): boolean
}

const XID_BITS = 32n

export function visibilityOf(snapshot: string): Visibility {
  const [xmin, xmax, running] = snapshot.split(':') as [string, string, string]
  const [first, next] = [BigInt(xmin), BigInt(xmax)]
  const inProgress = new Set(running === '' ? [] : running.split(',').map(BigInt))
  return {
    snapshot,
    sees: (txid) => {
      const full = widened(txid, next)
      return full < next && (full < first || !inProgress.has(full))
    },
    wasOpen: (txid) => inProgress.has(widened(txid, next)),
  }
}

/** A stream tells the lower 32 bits of transaction ids: the whole one is the nearest to `next` that has them. */
function widened(txid: bigint, next: bigint): bigint {
  if (txid >> XID_BITS > 0n) return txid
  const distance = BigInt.asIntN(Number(XID_BITS), txid - next)
  return next + distance
}
