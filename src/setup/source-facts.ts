import type { ReplicaIdentity } from '../../core/ports.ts'
import type { CdcReadiness } from '../postgres/cdc-readiness.ts'

/** What a source database says of itself, as far as a connector depends on it. Plans and findings are made of it. */
export interface SourceFacts {
  readonly readiness: CdcReadiness
  readonly login: LoginFact
  readonly server: ServerFact
  /** Ordinary and partitioned tables outside the system's schemas, by `schema.table`. */
  readonly tables: ReadonlyMap<string, TableFact>
  /** `null`: there is none of that name. */
  readonly publication: PublicationFact | null
  /** All of the server, also of other databases. */
  readonly slots: readonly SlotFact[]
  /** The roles that were asked for, as far as there are such. */
  readonly roles: ReadonlyMap<string, RoleFact>
}

/** Who asks. */
export interface LoginFact {
  readonly name: string
  readonly database: string
  readonly isSuperuser: boolean
  readonly mayCreateRoles: boolean
  /** The connection is encrypted. */
  readonly isEncrypted: boolean
}

export interface ServerFact {
  /** Settings that a restart would change. */
  readonly pendingRestart: readonly string[]
  readonly walSendersUsed: number
  /** Log written, measured over a moment or since the statistics began, whichever is more; `null`: not known. */
  readonly walBytesPerSecond: number | null
  /** Milliseconds since the epoch, by the server's clock. */
  readonly nowMs: number
}

export interface TableFact {
  /** Columns of the primary key; `null`: it has none. */
  readonly key: readonly string[] | null
  readonly isKeyDeferrable: boolean
  readonly replicaIdentity: ReplicaIdentity
  readonly isPartitioned: boolean
  /** Roles that were asked for and may read all of it. */
  readonly readableBy: readonly string[]
  /** Roles that were asked for and may look into its schema. */
  readonly schemaOpenTo: readonly string[]
}

export interface PublicationFact {
  readonly isForAllTables: boolean
  /** Columns by table, `null`: all of them; tables that it holds by name, or by its schema. */
  readonly tables: ReadonlyMap<string, readonly string[] | null>
  /** Among `insert`, `update`, `delete`, `truncate`. */
  readonly operations: readonly string[]
  /** A partitioned table shows under its own name, not by its leaves. */
  readonly isViaRoot: boolean
}

export interface SlotFact {
  readonly name: string
  readonly plugin: string | null
  readonly database: string | null
  readonly isActive: boolean
  /** `reserved` and `extended` are well; `unreserved` and `lost` are not. */
  readonly walStatus: string | null
  /** Log that is kept for it, bytes. */
  readonly retainedBytes: number | null
  /** Log that may still be written before it is lost, bytes; `null`: no limit. */
  readonly safeBytes: number | null
  /** Bytes of transactions that did not fit in memory when they were decoded, since the statistics began. */
  readonly spilledBytes: number | null
  readonly inactiveSinceMs: number | null
}

export interface RoleFact {
  readonly mayLogIn: boolean
  readonly mayReplicate: boolean
  readonly isSuperuser: boolean
}
