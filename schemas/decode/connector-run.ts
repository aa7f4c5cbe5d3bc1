import type { RawRecord } from '../../core/ports.ts'

/** Debezium 3 says here which of its runs sent a record: a UUID that is made when the connector's task starts. */
const RUN_HEADER = '__debezium.context.runId'

const FNV_OFFSET = 0xcbf29ce484222325n
const FNV_PRIME = 0x100000001b3n
/** Less than 2^53: readers of a log may take its integers for doubles. */
const RUN_BITS = 52

/** Which run of the connector sent a record. Records of one run follow each other: their number is made once. */
export class ConnectorRun {
  #bytes: Uint8Array = new Uint8Array(0)
  #number = 0n

  /** @returns a number that stands for the run; `null`: the connector does not tell */
  of({ headers }: Pick<RawRecord, 'headers'>): bigint | null {
    const bytes = headers.findLast(([name]) => name === RUN_HEADER)?.[1] ?? null
    if (bytes === null) return null
    if (Buffer.compare(bytes, this.#bytes) !== 0) {
      this.#bytes = Uint8Array.from(bytes)
      this.#number = numberOf(bytes)
    }
    return this.#number
  }
}

/** FNV-1a. */
function numberOf(bytes: Uint8Array): bigint {
  let hash = FNV_OFFSET
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME)
  return BigInt.asUintN(RUN_BITS, hash)
}
