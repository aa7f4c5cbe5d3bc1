import type { EngineError } from '../../../core/errors.ts'
import type { PipelineConfig, Profile } from '../../config/config.ts'
import type { Upstream } from '../../config/upstream.ts'
import type { ConnectorStatus } from '../connect-client.ts'
import type { SourceFacts } from '../source-facts.ts'
import type { Gathered } from './finding.ts'

/** All that a pipeline stands on, as it was found. Checks are made of it, and of nothing else. */
export interface ChainFacts {
  readonly pipeline: PipelineConfig
  readonly upstream: Upstream
  readonly deployment: DeploymentFacts
  readonly source: Gathered<SourceFacts>
  readonly connector: Gathered<ConnectorFacts>
  readonly topics: Gathered<TopicsFacts>
  readonly group: Gathered<GroupFacts>
  readonly store: Gathered<StoreFacts>
  readonly tables: Gathered<readonly LakeTableFact[]>
  /** Milliseconds since the epoch, by our clock, when the source was asked for its own. */
  readonly nowMs: number
}

/** How the process is set up, for the checklist of production. */
export interface DeploymentFacts {
  readonly profile: Profile
  readonly lake: 'local' | 's3'
  readonly storeIsEncrypted: boolean
  readonly listensTo: string
  /** Warnings of the configuration. */
  readonly warnings: readonly string[]
  readonly schedule: readonly string[]
  /** Files that hold secrets, with who may read them. */
  readonly secretFiles: readonly SecretFileFact[]
}

export interface SecretFileFact {
  readonly path: string
  /** Others than its owner and group may read it; `null`: there is no such file. */
  readonly isOpenToAll: boolean | null
}

export interface ConnectorFacts {
  /** `null`: Connect does not have it. */
  readonly status: ConnectorStatus | null
  readonly config: Readonly<Record<string, string>> | null
}

export interface TopicsFacts {
  readonly brokerCount: number
  readonly topics: readonly TopicFact[]
}

export interface TopicFact {
  readonly name: string
  readonly partitions: readonly TopicPartitionFact[]
  /** Of the partition that has fewest. */
  readonly replicas: number
  /** `null`: records are kept for ever. */
  readonly retentionMs: number | null
  readonly isCompacted: boolean
  readonly isDeleted: boolean
  readonly minInSyncReplicas: number | null
  /** Tables that it feeds, by `schema.table`. */
  readonly feeds: readonly string[]
}

export interface TopicPartitionFact {
  readonly partition: number
  readonly startOffset: bigint
  readonly endOffset: bigint
  /** Next offset that our tables read, by the lake; `null`: not read yet. */
  readonly nextOffset: bigint | null
  /** Age of the record at `nextOffset`, milliseconds; `null`: there is none, or it is not known. */
  readonly lagMs: number | null
  /** It has a leader that takes writes. */
  readonly hasLeader: boolean
}

export interface GroupFacts {
  readonly state: string
  readonly members: number
  /** A process of the pipeline has shown itself in the lake lately. */
  readonly isRunning: boolean
  /** `topic/partition` of which the group's offset is beyond what our tables have. */
  readonly aheadOf: readonly string[]
}

export interface StoreFacts {
  /** `null`: a put is refused when the object is there, as it must be. */
  readonly conditionalPut: EngineError | null
  /** Rights that the store refused: `get`, `put`, `list`, `delete`. */
  readonly refused: readonly string[]
}

export interface LakeTableFact {
  readonly name: string
  readonly path: string
  /** Why it cannot be read; the rest is empty then. */
  readonly problem: EngineError | null
  readonly readerFeatures: readonly string[]
  readonly writerFeatures: readonly string[]
  /** By which its rows are told apart; empty: by nothing. */
  readonly key: readonly string[]
  /** Columns whose older rows the stream could not tell. */
  readonly incomplete: readonly string[]
  readonly isPaused: boolean
}
