import { EngineError } from '../../core/errors.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { OwnSign } from './process-sign.ts'
import type { Answer, Ask, Outcome, Request } from './request.ts'
import { RequestBox } from './request-box.ts'

/** How often a running process looks for requests: one listing each time. */
const LOOK_EVERY_MS = 5000
/** Who brings rows asks again at once: for so long after each time it is looked so often. */
const HURRY_MS = 10_000
const LOOK_IN_A_HURRY_MS = 250

/** What can be asked of the loop. */
export interface Honours {
  /** From now on nothing of these tables is committed; resolves when no commit of theirs is under way. */
  hold(tables: readonly string[]): Promise<void>
  /** Does what is asked for once. */
  honour(ask: Exclude<Ask, { readonly kind: 'pause' }>): Promise<Omit<Answer, 'process'>>
}

/** Where a running process looks for requests, and answers them. Every process of a pipeline answers each of them. */
export class RequestDesk {
  readonly #ports: TableLogPorts
  readonly #box: RequestBox
  readonly #sign: OwnSign
  readonly #honours: Honours
  readonly #answered = new Map<string, Outcome>()
  /** Pauses that hold, by id of their request. */
  #pauses: ReadonlyMap<string, string> = new Map()
  #lookedAtMs: number | null = null
  #hurryUntilMs = 0

  constructor(ports: TableLogPorts, pipeline: string, honours: Honours) {
    this.#ports = ports
    this.#box = new RequestBox(ports, pipeline)
    this.#sign = new OwnSign(ports.store, ports.clock, pipeline, ports.random.uuid())
    this.#honours = honours
  }

  /** Before anything is committed: pauses hold also for processes that start while they last. */
  async open(): Promise<void> {
    await this.#sign.showWhenDue()
    await this.#hold(await this.#valid())
  }

  async lookWhenDue(): Promise<void> {
    const nowMs = this.#ports.clock.monotonicMs()
    const everyMs = nowMs < this.#hurryUntilMs ? LOOK_IN_A_HURRY_MS : LOOK_EVERY_MS
    if (this.#lookedAtMs === null || nowMs - this.#lookedAtMs >= everyMs) await this.look()
  }

  /** A bad day of the store is no reason to end; what holds goes on holding. */
  async look(): Promise<void> {
    this.#lookedAtMs = this.#ports.clock.monotonicMs()
    try {
      await this.#sign.showWhenDue()
      const valid = await this.#valid()
      await this.#hold(valid)
      for (const request of valid) await this.#answer(request)
    } catch (error) {
      if (!(error instanceof EngineError) || error.remedy !== 'retry') throw error
      this.#ports.logger.warn(
        { event: 'requests.unread', code: error.code },
        `requests could not be looked for: ${error.message}`,
      )
    }
  }

  async close(): Promise<void> {
    try {
      await this.#sign.takeAway()
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      this.#ports.logger.warn(
        { event: 'sign.stays', code: error.code },
        `the sign of this process stays in the lake: ${error.message}`,
      )
    }
  }

  /** The requests that hold; others are taken away. */
  async #valid(): Promise<readonly Request[]> {
    const valid: Request[] = []
    for (const request of await this.#box.list()) {
      if (request.expiresMs > this.#ports.clock.nowMs()) valid.push(request)
      else if (request.ask !== null) await this.#expire(request)
    }
    return valid
  }

  async #hold(requests: readonly Request[]): Promise<void> {
    const pauses = new Map<string, string>()
    for (const { id, ask } of requests) if (ask?.kind === 'pause') pauses.set(id, ask.table)
    const isSame = pauses.size === this.#pauses.size && [...pauses.keys()].every((id) => this.#pauses.has(id))
    if (isSame) return
    const before = new Set(this.#pauses.values())
    const now = new Set(pauses.values())
    await this.#honours.hold([...now])
    this.#pauses = pauses
    for (const table of now)
      if (!before.has(table)) this.#tell('table.held', table, 'paused: nothing is committed to it')
    for (const table of before) if (!now.has(table)) this.#tell('table.released', table, 'no longer paused')
  }

  async #expire(request: Request): Promise<void> {
    if (request.ask?.kind === 'pause') {
      const message = 'a pause has reached its time limit: this table goes on by itself'
      this.#ports.logger.warn({ event: 'table.pause-expired', table: request.ask.table }, message)
    }
    await this.#box.withdraw(request)
  }

  /** What is not for this process now may be later: it is asked again, and told once. */
  async #answer(request: Request): Promise<void> {
    const { ask, id } = request
    const told = this.#answered.get(id)
    if (told !== undefined && told !== 'not-mine') return
    if (ask === null) {
      return this.#put(request, 'refused', 'this release does not know what is asked for')
    }
    if (ask.kind === 'pause') return this.#put(request, 'done', '')
    const { outcome, message, result } = await this.#honours.honour(ask)
    if (outcome !== told) await this.#put(request, outcome, message, result)
    if (ask.kind === 'watch' || ask.kind === 'give')
      this.#hurryUntilMs = this.#ports.clock.monotonicMs() + HURRY_MS
    if (outcome === 'done' && ask.kind !== 'stop') await this.#box.withdraw(request)
  }

  async #put(request: Request, outcome: Outcome, message: string, result?: unknown): Promise<void> {
    const answer = { process: this.#sign.process, outcome, message }
    await this.#box.answer(request, result === undefined ? answer : { ...answer, result })
    this.#answered.set(request.id, outcome)
  }

  #tell(event: string, table: string, message: string): void {
    this.#ports.logger.info({ event, table }, message)
  }
}
