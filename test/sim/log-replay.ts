/** An `add`, `remove` or `cdc` as it stands in a log entry. */
export interface FileEntry {
  readonly path: string
  readonly partitionValues?: Readonly<Record<string, string | null>>
  readonly size: number
  readonly dataChange: boolean
  readonly deletionVector?: VectorEntry
  readonly stats?: string
}

export interface VectorEntry {
  readonly storageType: 'u' | 'i' | 'p'
  readonly pathOrInlineDv: string
  readonly offset?: number
  readonly sizeInBytes: number
  readonly cardinality: number
}

/** What one log entry says. Read by itself, so that the engine's own reader is not its judge. */
export interface LogEntry {
  readonly adds: readonly FileEntry[]
  readonly removes: readonly FileEntry[]
  readonly cdcs: readonly FileEntry[]
  /** `appId` → version. */
  readonly txns: ReadonlyMap<string, number>
  readonly schemaString: string | null
  /** Paths that are removed after they were added: readers who go through an entry in order end without the file. */
  readonly removedLate: readonly string[]
}

export function parseEntry(bytes: Uint8Array): LogEntry {
  const actions = Buffer.from(bytes)
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  const all = <T>(name: string): T[] => actions.flatMap((action) => (action[name] ? [action[name] as T] : []))
  const txns = all<{ appId: string; version: number }>('txn')
  const added = new Set<string>()
  const removedLate: string[] = []
  for (const { add, remove } of actions) {
    if (add !== undefined) added.add(add.path)
    if (remove !== undefined && added.has(remove.path)) removedLate.push(remove.path)
  }
  return {
    removedLate,
    adds: all('add'),
    removes: all('remove'),
    cdcs: all('cdc'),
    txns: new Map(txns.map(({ appId, version }) => [appId, version])),
    schemaString: all<{ schemaString: string }>('metaData')[0]?.schemaString ?? null,
  }
}

export function identityOf(vector: VectorEntry | undefined): string {
  return vector === undefined ? '' : `${vector.storageType}${vector.pathOrInlineDv}@${vector.offset ?? ''}`
}
