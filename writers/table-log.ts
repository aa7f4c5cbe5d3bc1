import { EngineError } from '../core/errors.ts'
import type { Observe } from '../core/fact.ts'
import type { Clock, Logger, ObjectStore, Random, StepReached } from '../core/ports.ts'
import type { Action, CommitInfo } from './delta/actions.ts'
import type { SinceCheckpoint } from './delta/checkpoint.ts'
import { tryCommit } from './delta/commit.ts'
import { graver, judgeLoss, type LossVerdict, type OurCommit } from './delta/conflict.ts'
import { loadCommits, loadLog } from './delta/load-snapshot.ts'
import { sinceCheckpoint } from './delta/log-listing.ts'
import { OwnEntries } from './delta/own-entries.ts'
import { replay, type TableSnapshot } from './delta/snapshot.ts'
import { fencedError } from './fenced-error.ts'
import type { LocatorPorts } from './locator/located-keys.ts'
import { LogUpkeep } from './log-upkeep.ts'
import { refuseRestored } from './refuse-restored.ts'

/** Tries after which a table that is written by others without pause is given up. */
const ATTEMPTS_MAX = 100
const BACKOFF_MS = 20
const BACKOFF_MS_MAX = 5000

/** A commit that is staged and can be tried at any version, as long as `ours` is not hit by a winner. */
export interface PreparedCommit {
  /** `commitInfo.operation`. */
  readonly operation: string
  readonly metrics: Readonly<Record<string, string>>
  readonly actions: readonly Action[]
  readonly ours: OurCommit
}

export interface TableLogPorts {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly stepReached: StepReached
  readonly observe: Observe
  /** Not given: locators are held in memory, and made anew at each start. */
  readonly locators?: LocatorPorts
}

/** The log of one table as its writer sees it: the snapshot it stands at, and the one way to move it on. */
export class TableLog {
  readonly tablePath: string
  readonly #ports: TableLogPorts
  readonly #ownEntries: OwnEntries
  #snapshot: TableSnapshot | null
  readonly #upkeep: LogUpkeep

  private constructor(
    ports: TableLogPorts,
    tablePath: string,
    snapshot: TableSnapshot | null,
    sinceCheckpoint: SinceCheckpoint,
  ) {
    this.#ports = ports
    this.#ownEntries = new OwnEntries(ports.store, tablePath, ports.clock)
    this.tablePath = tablePath
    this.#snapshot = snapshot
    this.#upkeep = new LogUpkeep(ports, this, sinceCheckpoint)
  }

  static async open(ports: TableLogPorts, tablePath: string): Promise<TableLog> {
    const loaded = await loadLog(ports.store, tablePath)
    if (loaded === null) return new TableLog(ports, tablePath, null, { commits: 0, jsonBytes: 0 })
    return new TableLog(ports, tablePath, loaded.snapshot, sinceCheckpoint(loaded.listing, loaded.pointer))
  }

  /** Bytes of the entries since the last checkpoint. */
  get bytesSinceCheckpoint(): number {
    return this.#upkeep.bytesSinceCheckpoint
  }

  /** `null`: there is no table yet. */
  get snapshot(): TableSnapshot | null {
    return this.#snapshot
  }

  /**
   * Commits what `prepare` makes of the snapshot, as often as it takes (design §3.4). A lost race that leaves the
   * staged work right costs one small object; any other brings the snapshot up to date and prepares anew.
   *
   * @param prepare `null`: there is nothing to commit
   * @param onForeignChange the snapshot moved to somebody else's version: caches must follow
   * @returns whether something was committed
   * @throws EngineError `E_FENCED`, `E_RESTORED`, `E_TABLE_IDENTITY`, `E_LOG_OVERWRITTEN` or `E_COMMIT_STARVED` (stop-table)
   */
  async commit(
    prepare: (snapshot: TableSnapshot | null) => Promise<PreparedCommit | null>,
    onForeignChange: (snapshot: TableSnapshot) => Promise<void>,
  ): Promise<boolean> {
    const { store, clock, random, observe } = this.#ports
    let isInDoubt = false
    let prepared: PreparedCommit | null = null
    let actions: readonly [CommitInfo, ...Action[]] | null = null
    await this.#ownEntries.lookWhenDue()
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      try {
        prepared ??= await prepare(this.#snapshot)
      } catch (error) {
        await this.#waitOut(error, attempt)
        continue
      }
      if (prepared === null) return false
      actions ??= [this.#commitInfo(prepared), ...prepared.actions]
      const version = (this.#snapshot?.version ?? -1) + 1
      const outcome = await tryCommit(store, this.tablePath, version, actions)
      if (isInDoubt && outcome.kind !== 'unknown') {
        observe({ kind: 'commit-in-doubt', resolved: outcome.kind === 'committed' ? 'ours' : 'theirs' })
      }
      isInDoubt = outcome.kind === 'unknown'
      if (outcome.kind === 'committed') {
        this.#ownEntries.remember(version, actions[0].txnId!)
        this.#snapshot = replay(this.#snapshot, version, actions)
        this.#upkeep.count(outcome.sizeBytes)
        return true
      }
      if (outcome.kind === 'lost') {
        actions = null
        const loss = await this.#followWinners(prepared)
        observe({ kind: 'commit-raced', loss: loss === 'rebase' ? 'rebase' : 'redo' })
        if (loss !== 'rebase') {
          prepared = null
          await onForeignChange(this.#snapshot!)
        }
      }
      await clock.sleep(backoffMs(attempt, random))
    }
    if (isInDoubt) observe({ kind: 'commit-in-doubt', resolved: 'no' })
    throw new EngineError(
      'E_COMMIT_STARVED',
      'stop-table',
      `${ATTEMPTS_MAX} tries to commit were lost to other writers; hold them while alluvium runs`,
      { table: this.tablePath, version: this.#snapshot?.version ?? -1 },
    )
  }

  /** A bad day of the store (`retry`) is waited out; staging again is safe, since nothing of it is visible. */
  async #waitOut(error: unknown, attempt: number): Promise<void> {
    if (!(error instanceof EngineError) || error.remedy !== 'retry' || attempt === ATTEMPTS_MAX) throw error
    const { clock, random, logger } = this.#ports
    logger.warn({ event: 'commit.waits', table: this.tablePath, attempt, code: error.code }, error.message)
    await clock.sleep(backoffMs(attempt, random))
  }

  /** Brings the snapshot to the newest version. @returns what the winners mean for the prepared commit */
  async #followWinners(prepared: PreparedCommit): Promise<LossVerdict> {
    const from = (this.#snapshot?.version ?? -1) + 1
    let verdict: LossVerdict = 'rebase'
    for (const { version, actions } of await loadCommits(this.#ports.store, this.tablePath, from)) {
      const loss = judgeLoss(prepared.ours, actions)
      if (loss === 'fenced') {
        this.#ports.observe({ kind: 'commit-raced', loss })
        throw fencedError(this.tablePath, version, actions)
      }
      refuseRestored(this.tablePath, version, actions)
      refuseReplaced(this.tablePath, version, actions, this.#snapshot)
      verdict = graver(verdict, loss)
      // Ours may stay right, but the locator knows rows in the files that went or that came in their place.
      if (prepared.ours.kind !== 'append' && actions.some(isFileAction)) verdict = graver(verdict, 'redo')
      this.#snapshot = replay(this.#snapshot, version, actions)
    }
    return verdict
  }

  #commitInfo({ operation, metrics, ours }: PreparedCommit): CommitInfo {
    const { clock, random } = this.#ports
    return {
      kind: 'commitInfo',
      timestamp: Math.max(clock.nowMs(), (this.#snapshot?.timestampMs ?? 0) + 1),
      operation,
      operationParameters: {},
      ...(this.#snapshot === null ? {} : { readVersion: this.#snapshot.version }),
      isolationLevel: 'Serializable',
      isBlindAppend: ours.kind === 'append',
      operationMetrics: metrics,
      engineInfo: 'alluvium',
      txnId: random.uuid(),
    }
  }

  /**
   * Writes a checkpoint and cleans the log, when that is due. May run beside commits, which do not wait for it.
   *
   * @param mayDelete asked before the files are deleted that no reader may still ask for; without it they stay
   * @returns whether it was due
   */
  upkeepWhenDue(mayDelete: (() => boolean) | null = null): Promise<boolean> {
    return this.#upkeep.runWhenDue(mayDelete)
  }

  /** @see KeptLog */
  forgetTombstones(without: (snapshot: TableSnapshot) => TableSnapshot): void {
    this.#snapshot = without(this.#snapshot!)
  }
}

function isFileAction({ kind }: Action): boolean {
  return kind === 'add' || kind === 'remove'
}

function backoffMs(attempt: number, random: Random): number {
  const ceiling = Math.min(BACKOFF_MS * 2 ** Math.min(attempt, 16), BACKOFF_MS_MAX)
  return (ceiling * random.bytes(1)[0]!) / 255
}

/** A clone over the table may bring our properties, and other rows than ours with them. */
function refuseReplaced(
  table: string,
  version: number,
  winner: readonly Action[],
  snapshot: TableSnapshot | null,
): void {
  const metadata = winner.find((action) => action.kind === 'metaData')
  if (snapshot === null || metadata === undefined || metadata.id === snapshot.metadata.id) return
  const info = winner.find((action) => action.kind === 'commitInfo')
  throw new EngineError(
    'E_TABLE_IDENTITY',
    'stop-table',
    `another table was put in the place of this one (by ${info?.engineInfo ?? 'an unknown writer'}): restore the version ` +
      'before, or take the topic in anew into another lake',
    { table, version },
  )
}
