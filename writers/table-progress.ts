import type { PartitionPosition } from '../core/ports.ts'
import type { Position } from '../schemas/position.ts'
import type { SetTransaction } from './delta/actions.ts'
import { type PartitionMark, PartitionMarks } from './partition-marks.ts'
import { partitionName } from './partition-name.ts'

/** How far one table has come with one pipeline, as its log tells it: the only truth about progress. */
export interface TableProgress {
  /** `topic/partition` → the next offset to read. */
  readonly nextOffsets: ReadonlyMap<string, bigint>
  readonly marks: PartitionMarks
  /** Position of the last TRUNCATE. */
  readonly floor: Position | null
}

type Txns = Iterable<readonly [appId: string, txn: SetTransaction]>

/**
 * Reads a table's progress from its transactions. The names are a public format (design §3.1 "Durable names"):
 * `alluvium/<pipeline>/<topic>/<partition>` = next offset, with `/mark.epoch|seq|lsn|count|seen|twins|run` for the highest
 * position applied, and `alluvium/<pipeline>/floor.epoch|seq|lsn`.
 */
export function readProgress(txns: Txns, pipeline: string): TableProgress {
  const prefix = progressPrefix(pipeline)
  const values = new Map<string, bigint>()
  for (const [appId, txn] of txns)
    if (appId.startsWith(prefix)) values.set(appId.slice(prefix.length), txn.version)

  const nextOffsets = new Map<string, bigint>()
  const marks: (readonly [string, PartitionMark])[] = []
  const seenAgain: (readonly [string, number])[] = []
  const twins: (readonly [string, number])[] = []
  const runs: (readonly [string, bigint])[] = []
  for (const [name, value] of values) {
    if (!/^[^/]+\/\d+$/.test(name)) continue
    nextOffsets.set(name, value)
    const position = readPosition(values, `${name}/mark.`)
    if (position !== null)
      marks.push([name, { position, count: Number(values.get(`${name}/mark.count`) ?? 1n) }])
    const seen = values.get(`${name}/mark.seen`)
    if (seen !== undefined) seenAgain.push([name, Number(seen)])
    const twinsLeft = values.get(`${name}/mark.twins`)
    if (twinsLeft !== undefined) twins.push([name, Number(twinsLeft)])
    const run = values.get(`${name}/mark.run`)
    if (run !== undefined) runs.push([name, run])
  }
  return {
    nextOffsets,
    marks: new PartitionMarks(marks, seenAgain, twins, runs),
    floor: readPosition(values, 'floor.'),
  }
}

function readPosition(values: ReadonlyMap<string, bigint>, prefix: string): Position | null {
  const epoch = values.get(`${prefix}epoch`)
  const seq = values.get(`${prefix}seq`)
  const lsn = values.get(`${prefix}lsn`)
  if (epoch === undefined || seq === undefined || lsn === undefined) return null
  return { epoch: Number(epoch), seq, lsn }
}

/**
 * The transactions that carry progress in a commit.
 *
 * @param positions the next offset of each partition that the commit moves
 * @param marks positions applied, after the commit
 * @param floor set when the commit moves it
 */
export function progressTxns(
  pipeline: string,
  positions: readonly PartitionPosition[],
  marks: PartitionMarks,
  floor: Position | null,
  nowMs: number,
): SetTransaction[] {
  const txns: SetTransaction[] = []
  const put = (name: string, version: bigint): void => {
    txns.push({ kind: 'txn', appId: progressPrefix(pipeline) + name, version, lastUpdated: nowMs })
  }
  for (const { topic, partition, nextOffset } of positions) {
    const name = partitionName(topic, partition)
    put(name, nextOffset)
    const mark = marks.get({ topic, partition })
    if (mark === undefined) continue
    putPosition(`${name}/mark.`, mark.position, put)
    put(`${name}/mark.count`, BigInt(mark.count))
    const seen = marks.seenAgain({ topic, partition })
    if (seen !== null) put(`${name}/mark.seen`, BigInt(seen))
    const twins = marks.twins({ topic, partition })
    if (twins !== null) put(`${name}/mark.twins`, BigInt(twins))
    const run = marks.run({ topic, partition })
    if (run !== null) put(`${name}/mark.run`, run)
  }
  if (floor !== null) putPosition('floor.', floor, put)
  return txns
}

function putPosition(prefix: string, position: Position, put: (name: string, version: bigint) => void): void {
  put(`${prefix}epoch`, BigInt(position.epoch))
  put(`${prefix}seq`, position.seq)
  put(`${prefix}lsn`, position.lsn)
}

/** Names of the transactions that tell of these partitions: who else moves one of them is a second writer. */
export function progressAppIds(pipeline: string, partitions: readonly PartitionPosition[]): Set<string> {
  const prefix = progressPrefix(pipeline)
  return new Set(partitions.map((p) => prefix + partitionName(p.topic, p.partition)))
}

/** Before `topic/partition` in the name of the transaction that tells its next offset. */
export function progressPrefix(pipeline: string): string {
  return `alluvium/${pipeline}/`
}
