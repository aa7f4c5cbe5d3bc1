/** What a record is taken to weigh whose topic nobody has read yet. */
const RECORD_BYTES = 1024
/** More topics than that are not told of: what members say of themselves has to stay small. */
const TOLD_TOPICS_MAX = 2000

/**
 * How large the records of each topic are, as one member has seen them. Brokers tell how many records a partition
 * holds; how many bytes that is they tell only to administrators, and clones of Kafka to nobody.
 */
export class RecordSizes {
  readonly #seen = new Map<string, { records: number; bytes: number }>()

  note(topic: string, records: number, bytes: number): void {
    if (records === 0) return
    const seen = this.#seen.get(topic) ?? { records: 0, bytes: 0 }
    this.#seen.set(topic, { records: seen.records + records, bytes: seen.bytes + bytes })
  }

  /** For the other members of the group: whoever leads it weighs by what all of them have seen. */
  encode(): Buffer {
    const told = [...this.#seen].slice(0, TOLD_TOPICS_MAX)
    const sizes = told.map(([topic, { records, bytes }]) => [topic, Math.ceil(bytes / records)])
    return Buffer.from(JSON.stringify({ recordBytes: Object.fromEntries(sizes) }))
  }
}

/** Bytes of a topic's records as the members told; members of other releases may have told nothing. */
export function recordBytesOf(told: readonly Uint8Array[]): (topic: string) => number {
  const sizes = new Map<string, number>()
  for (const bytes of told) {
    for (const [topic, size] of entriesOf(bytes)) sizes.set(topic, Math.max(size, sizes.get(topic) ?? 0))
  }
  return (topic) => sizes.get(topic) ?? RECORD_BYTES
}

function* entriesOf(bytes: Uint8Array): Generator<readonly [string, number]> {
  let told: unknown
  try {
    told = JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return
  }
  const sizes = (told as { readonly recordBytes?: unknown } | null)?.recordBytes
  if (typeof sizes !== 'object' || sizes === null) return
  for (const [topic, size] of Object.entries(sizes)) {
    if (typeof size === 'number' && size > 0) yield [topic, size]
  }
}
