import type { ChangeEvent, RecordCoordinates } from '../schemas/change-event.ts'
import type { SetTransaction } from './delta/actions.ts'
import { partitionName } from './partition-name.ts'

/** From this offset of a partition on the source's history is another one: its events beat all that came before. */
export interface PartitionEpoch {
  readonly epoch: number
  readonly fromOffset: bigint
}

/** By `topic/partition`. */
export type PartitionEpochs = ReadonlyMap<string, PartitionEpoch>

/** Public format: `txn` `alluvium/<pipeline>/<topic>/<partition>/epoch` and `/epoch.offset`. */
export function readEpochs(
  txns: Iterable<readonly [appId: string, txn: SetTransaction]>,
  pipeline: string,
): PartitionEpochs {
  const prefix = `alluvium/${pipeline}/`
  const values = new Map<string, bigint>()
  for (const [appId, { version }] of txns)
    if (appId.startsWith(prefix)) values.set(appId.slice(prefix.length), version)
  const epochs = new Map<string, PartitionEpoch>()
  for (const [name, epoch] of values) {
    const partition = /^([^/]+\/\d+)\/epoch$/.exec(name)?.[1]
    const fromOffset = values.get(`${name}.offset`)
    if (partition !== undefined && fromOffset !== undefined) {
      epochs.set(partition, { epoch: Number(epoch), fromOffset })
    }
  }
  return epochs
}

export function epochTxns(
  pipeline: string,
  { topic, partition }: Pick<RecordCoordinates, 'topic' | 'partition'>,
  { epoch, fromOffset }: PartitionEpoch,
  lastUpdated: number,
): SetTransaction[] {
  const appId = `alluvium/${pipeline}/${partitionName(topic, partition)}/epoch`
  return [
    { kind: 'txn', appId, version: BigInt(epoch), lastUpdated },
    { kind: 'txn', appId: `${appId}.offset`, version: fromOffset, lastUpdated },
  ]
}

/** Gives an event the epoch that a person has raised; what was read before belongs to the one before. */
export function withEpoch(event: ChangeEvent, epochs: PartitionEpochs): ChangeEvent {
  if (epochs.size === 0) return event
  const raised = epochs.get(partitionName(event.at.topic, event.at.partition))
  if (raised === undefined || event.position === null) return event
  const epoch = event.at.offset >= raised.fromOffset ? raised.epoch : raised.epoch - 1
  return { ...event, position: { ...event.position, epoch } }
}
