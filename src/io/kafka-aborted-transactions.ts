/** A record of a fetch response, as far as its transaction is concerned. Offsets are decimal texts. */
export interface FetchedMessage {
  readonly offset: string
  readonly key: Uint8Array | null
  readonly batchContext?: {
    readonly producerId: string
    readonly inTransaction: boolean
    readonly isControlBatch: boolean
  }
}

/** A transaction that a broker names as aborted in the range of a fetch. */
export interface AbortedTransaction {
  readonly producerId: string
  readonly firstOffset: string
}

/** A control record's key: version, then type; both 16 bit. Type 0 ends a transaction that was aborted. */
const ABORT_TYPE = 0

/**
 * The messages of one fetch without those of aborted transactions; control records stay.
 *
 * A broker lists aborted transactions in the order in which they ended, and several of them may have begun before the
 * fetched offset: each is entered at its first offset, and left at its producer's abort marker.
 *
 * @see kafka protocol, Fetch response `aborted_transactions` (KIP-98)
 */
export function withoutAborted<Message extends FetchedMessage>(
  messages: readonly Message[],
  aborted: readonly AbortedTransaction[] | null | undefined,
): Message[] {
  if (aborted === null || aborted === undefined || aborted.length === 0) return [...messages]
  const ahead = aborted
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) }))
    .sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0))
  let entered = 0
  const open = new Set<string>()
  return messages.filter((message) => {
    const offset = BigInt(message.offset)
    for (; entered < ahead.length && ahead[entered]!.firstOffset <= offset; entered++) {
      open.add(ahead[entered]!.producerId)
    }
    const { batchContext } = message
    if (batchContext === undefined) return true
    if (batchContext.isControlBatch) {
      if (isAbortMarker(message)) open.delete(batchContext.producerId)
      return true
    }
    return !(batchContext.inTransaction && open.has(batchContext.producerId))
  })
}

function isAbortMarker({ key }: FetchedMessage): boolean {
  return key !== null && key.length >= 4 && ((key[2]! << 8) | key[3]!) === ABORT_TYPE
}
