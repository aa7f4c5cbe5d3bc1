import type { PartitionPosition, RawRecord } from '../../core/ports.ts'
import { field, struct } from '../../schemas/delta-types.ts'
import { comparePositions, type Position } from '../../schemas/position.ts'
import { decodePathPart, encodePathPart } from '../../schemas/table-path.ts'
import type { Action, SetTransaction } from '../../writers/delta/actions.ts'
import { protocolFor } from '../../writers/delta/protocol.ts'
import { renderSchemaString } from '../../writers/delta/schema-string.ts'
import type { TableSnapshot } from '../../writers/delta/snapshot.ts'
import { SipHash128 } from '../../writers/locator/sip-hash.ts'
import { partitionName } from '../../writers/partition-name.ts'
import { TableLog, type TableLogPorts } from '../../writers/table-log.ts'
import { TablePatterns } from './table-patterns.ts'

/** The last record that was passed: by it we know the topic again (design §3.4). */
export interface Fingerprint {
  readonly offset: bigint
  readonly timestampMs: bigint
  /** 63 bits. */
  readonly keyHash: bigint
}

export interface PassedPartition extends PartitionPosition {
  /** `null`: no record of the partition was seen, only offsets. */
  readonly fingerprint: Fingerprint | null
}

/** A table that is not there yet was truncated: what lies below this position is stale. */
export interface TableFloor {
  /** `schema.table`. */
  readonly table: string
  readonly position: Position
}

export interface MarkContent {
  readonly partitions: readonly PassedPartition[]
  /** The tables that it holds for. */
  readonly tables: TablePatterns
  readonly floors: readonly TableFloor[]
}

/**
 * How far all tables of a pipeline have come: a tiny table `_alluvium/<pipeline>` whose commits carry only `txn`
 * actions. It covers what no table of its own remembers (tombstones, messages, records for nobody) and is never ahead
 * of a table.
 */
export class PassedMark {
  readonly #ports: TableLogPorts
  readonly #pipeline: string
  readonly #log: TableLog
  readonly #passed = new Map<string, PassedPartition>()
  readonly #floors = new Map<string, TableFloor>()
  #writtenAtMs: number

  private constructor(ports: TableLogPorts, pipeline: string, log: TableLog) {
    this.#ports = ports
    this.#pipeline = pipeline
    this.#log = log
    this.#writtenAtMs = ports.clock.monotonicMs()
  }

  static async open(ports: TableLogPorts, pipeline: string): Promise<PassedMark> {
    const mark = new PassedMark(
      ports,
      pipeline,
      await TableLog.open(ports, `_alluvium/${encodePathPart(pipeline)}`),
    )
    mark.#readTxns()
    return mark
  }

  /** What was passed of a partition; `null`: nothing is known. */
  passed(topic: string, partition: number): PassedPartition | null {
    return this.#passed.get(partitionName(topic, partition)) ?? null
  }

  /** Milliseconds (monotonic clock) since it was written. */
  get ageMs(): number {
    return this.#ports.clock.monotonicMs() - this.#writtenAtMs
  }

  /** The tables that the pipeline took when it wrote the mark; `null`: there is no mark yet. */
  get tables(): TablePatterns | null {
    return tablesOfMark(this.#log.snapshot)
  }

  /** Truncates of tables that were not there yet when it was written. */
  get floors(): readonly TableFloor[] {
    return [...this.#floors.values()]
  }

  /** Writes what has moved, and the tables that it holds for. @returns whether there was anything: one commit, or none */
  async write({ partitions, tables, floors }: MarkContent): Promise<boolean> {
    this.#writtenAtMs = this.#ports.clock.monotonicMs()
    const list = JSON.stringify(tables.list())
    const nowMs = this.#ports.clock.nowMs()
    const hasMoved = await this.#log.commit(
      async (snapshot) => {
        // Asked for each try: another process may have come further, and a mark only moves forward.
        const moved = partitions.filter(
          ({ topic, partition, nextOffset }) =>
            nextOffset > (this.passed(topic, partition)?.nextOffset ?? 0n),
        )
        const isNew = this.tables !== null && JSON.stringify(this.tables.list()) !== list
        const raised = floors.filter(({ table, position }) => {
          const known = this.#floors.get(table)
          return known === undefined || comparePositions(position, known.position) > 0
        })
        if (moved.length === 0 && raised.length === 0 && !isNew) return null
        return {
          operation: 'WRITE',
          metrics: {},
          actions: [
            ...(snapshot === null ? this.#creation(nowMs, list) : isNew ? [withTables(snapshot, list)] : []),
            ...moved.flatMap((passed) => this.#txns(passed, nowMs)),
            ...raised.flatMap((floor) => this.#floorTxns(floor, nowMs)),
          ],
          ours: { kind: 'progress', touched: new Set(), appIds: new Set() },
        }
      },
      async () => this.#readTxns(),
    )
    this.#readTxns()
    await this.#log.upkeepWhenDue()
    return hasMoved
  }

  /** Puts partitions where a person wants them, back too; the records before are known no more. */
  async reset(positions: readonly PartitionPosition[]): Promise<void> {
    if (positions.length === 0) return
    const nowMs = this.#ports.clock.nowMs()
    const fingerprint = { offset: NO_PRINT, timestampMs: 0n, keyHash: 0n }
    await this.#log.commit(
      async () => ({
        operation: 'RESET CHECKPOINT',
        metrics: {},
        actions: positions.flatMap((position) => this.#txns({ ...position, fingerprint }, nowMs)),
        ours: { kind: 'metadata', touched: new Set(), appIds: new Set() },
      }),
      async () => this.#readTxns(),
    )
    this.#readTxns()
  }

  #creation(nowMs: number, tables: string): Action[] {
    return [
      protocolFor({ deletionVectors: false, changeDataFeed: false, timestampNtz: false }),
      {
        kind: 'metaData',
        id: this.#ports.random.uuid(),
        name: `alluvium pipeline ${this.#pipeline}`,
        format: { provider: 'parquet', options: {} },
        schemaString: renderSchemaString(struct([field('note', 'string')])),
        partitionColumns: [],
        configuration: { 'alluvium.format': '1', 'alluvium.tables': tables },
        createdTime: nowMs,
      },
    ]
  }

  #txns(
    { topic, partition, nextOffset, fingerprint }: PassedPartition,
    lastUpdated: number,
  ): SetTransaction[] {
    const appId = `alluvium/${this.#pipeline}/${partitionName(topic, partition)}`
    const txn = (suffix: string, version: bigint): SetTransaction => ({
      kind: 'txn',
      appId: appId + suffix,
      version,
      lastUpdated,
    })
    if (fingerprint === null) return [txn('', nextOffset)]
    return [
      txn('', nextOffset),
      txn('/print.offset', fingerprint.offset),
      txn('/print.time', fingerprint.timestampMs),
      txn('/print.key', fingerprint.keyHash),
    ]
  }

  #floorTxns({ table, position }: TableFloor, lastUpdated: number): SetTransaction[] {
    const appId = `alluvium/${this.#pipeline}/floor/${encodePathPart(table)}`
    const { epoch, seq, lsn } = position
    return Object.entries({ epoch: BigInt(epoch), seq, lsn }).map(([part, version]) => ({
      kind: 'txn',
      appId: `${appId}/${part}`,
      version,
      lastUpdated,
    }))
  }

  #readTxns(): void {
    const prefix = `alluvium/${this.#pipeline}/`
    const txns = this.#log.snapshot?.txns
    if (txns === undefined) return
    for (const [appId, { version }] of txns) {
      const match = /^([^/]+)\/(\d+)$/.exec(appId.startsWith(prefix) ? appId.slice(prefix.length) : '')
      if (match === null) continue
      const offset = txns.get(`${appId}/print.offset`)?.version
      const timestampMs = txns.get(`${appId}/print.time`)?.version
      const keyHash = txns.get(`${appId}/print.key`)?.version
      const isWhole =
        offset !== undefined && offset !== NO_PRINT && timestampMs !== undefined && keyHash !== undefined
      this.#passed.set(match[0], {
        topic: match[1]!,
        partition: Number(match[2]),
        nextOffset: version,
        fingerprint: isWhole ? { offset, timestampMs, keyHash } : null,
      })
    }
    this.#readFloors(txns)
  }

  #readFloors(txns: TableSnapshot['txns']): void {
    const prefix = `alluvium/${this.#pipeline}/floor/`
    for (const [appId, { version: epoch }] of txns) {
      if (!appId.startsWith(prefix) || !appId.endsWith('/epoch')) continue
      const path = appId.slice(0, -'/epoch'.length)
      const seq = txns.get(`${path}/seq`)?.version
      const lsn = txns.get(`${path}/lsn`)?.version
      if (seq === undefined || lsn === undefined) continue
      const table = decodePathPart(path.slice(prefix.length))
      this.#floors.set(table, { table, position: { epoch: Number(epoch), seq, lsn } })
    }
  }
}

/** @param snapshot of the mark; `null`: there is none */
export function tablesOfMark(snapshot: TableSnapshot | null): TablePatterns | null {
  if (snapshot === null) return null
  const stored = snapshot.metadata.configuration['alluvium.tables']
  return stored === undefined ? TablePatterns.ALL : TablePatterns.of(JSON.parse(stored) as string[])
}

function withTables({ metadata }: TableSnapshot, tables: string): Action {
  return { ...metadata, configuration: { ...metadata.configuration, 'alluvium.tables': tables } }
}

/** `print.offset` of a position that a person has set: what an action says cannot be taken back. */
const NO_PRINT = -1n

/** A public format: the key of the hash is fixed. */
const PRINT_HASH = new SipHash128(new Uint8Array(16))

export function fingerprintOf(record: RawRecord): Fingerprint {
  const key = record.key ?? new Uint8Array(0)
  const words = new Uint32Array(4)
  PRINT_HASH.hash(key, key.length, words, 0)
  const keyHash = (BigInt(words[1]! & 0x7fffffff) << 32n) | BigInt(words[0]!)
  return { offset: record.offset, timestampMs: BigInt(record.timestampMs), keyHash }
}

export function isSameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  return a.offset === b.offset && a.timestampMs === b.timestampMs && a.keyHash === b.keyHash
}
