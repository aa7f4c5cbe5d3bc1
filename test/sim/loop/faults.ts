import { EngineError } from '../../../core/errors.ts'
import type { ChangeSource, Clock } from '../../../core/ports.ts'
import { STORE_SITES, type StoreSite } from '../../../core/store-sites.ts'

export type SourceSite = `source.${keyof ChangeSource}`
export type Site = StoreSite | SourceSite

const SOURCE_SITES: Readonly<Record<keyof ChangeSource, SourceSite>> = {
  partitions: 'source.partitions',
  read: 'source.read',
  readRange: 'source.readRange',
  stillHolds: 'source.stillHolds',
  ack: 'source.ack',
  close: 'source.close',
}

/** Every place where the engine asks the world for something. */
export const SITES: readonly Site[] = [...STORE_SITES, ...Object.values(SOURCE_SITES)]

/**
 * How the world fails one call.
 *
 * - `fails before`, `fails after`: an error, and nothing is done, or all of it
 * - `hangs`: an error after a minute; what was asked for is done a little later all the same
 * - `torn`: an error, and half of the bytes are there
 * - `killed before`, `killed after`: the process is gone
 * - `killed in flight`: the process is gone, and what it asked for is done in the middle of the next one's life
 */
export type Mode =
  | 'fails before'
  | 'fails after'
  | 'hangs'
  | 'torn'
  | 'killed before'
  | 'killed after'
  | 'killed in flight'

export type Kind = 'read' | 'change' | 'put'

/** The modes that can make a difference to a call. */
export const MODES: Readonly<Record<Kind, readonly Mode[]>> = {
  read: ['fails before', 'hangs', 'killed before'],
  change: ['fails before', 'fails after', 'hangs', 'killed before', 'killed after', 'killed in flight'],
  put: ['fails before', 'fails after', 'hangs', 'torn', 'killed before', 'killed after', 'killed in flight'],
}

export interface Fault {
  readonly site: Site
  /** Which call of the site fails, from 1. */
  readonly call: number
  readonly mode: Mode
}

export interface Call {
  readonly site: Site
  readonly kind: Kind
  /** What it is about: a request in flight collides with the next one for the same. */
  readonly target: string
}

/** The code of every error that the border makes. */
export const BAD_DAY = 'E_STORE_BUSY'

const TIMEOUT_MS = 61_000

/** What the world has still to do for a request whose answer nobody waits for. */
interface InFlight {
  readonly target: string
  readonly work: () => Promise<unknown>
}

/** The border between the engine and its world: counts the calls that cross it and fails one of them. */
export class Border {
  /** Calls by site. */
  readonly counts = new Map<Site, number>()
  /** The first calls' kind, by site. */
  readonly kinds = new Map<Site, Kind>()
  hasFailed = false
  readonly #clock: Clock
  readonly #fault: Fault | null
  #life = { isOver: false, end: () => {} }
  #inFlight: InFlight | null = null
  /** The request in flight was sent by a process that is gone. */
  #isOrphan = false

  constructor(clock: Clock, fault: Fault | null) {
    this.#clock = clock
    this.#fault = fault
  }

  /** A process starts. @returns what its calls go through, and when it is killed */
  startLife(): { readonly cross: Cross; readonly killed: Promise<void> } {
    const life = { isOver: false, end: () => {} }
    this.#life = life
    const killed = new Promise<void>((resolve) => {
      life.end = () => {
        life.isOver = true
        resolve()
      }
    })
    return { killed, cross: (call, work, tear) => (life.isOver ? silence() : this.#pass(call, work, tear)) }
  }

  /** Everything that was asked for is done at some time. */
  async settle(): Promise<void> {
    const late = this.#inFlight
    this.#inFlight = null
    await late?.work()
  }

  async #pass<T>(call: Call, work: () => Promise<T>, tear: () => Promise<unknown>): Promise<T> {
    const { site, target } = call
    const count = (this.counts.get(site) ?? 0) + 1
    this.counts.set(site, count)
    this.kinds.set(site, call.kind)
    if (this.#isOrphan && this.#inFlight?.target === target && call.kind !== 'read') await this.settle()
    const late = this.#isOrphan ? null : this.#inFlight
    if (this.#fault?.site === site && this.#fault.call === count) {
      this.hasFailed = true
      return this.#fail(this.#fault.mode, call, work, tear)
    }
    const answer = await work()
    if (late !== null && late === this.#inFlight) await this.settle()
    return answer
  }

  async #fail<T>(
    mode: Mode,
    { kind, target, site }: Call,
    work: () => Promise<T>,
    tear: () => Promise<unknown>,
  ): Promise<T> {
    if (mode === 'fails after' || mode === 'killed after') await work()
    if (mode === 'torn') await tear()
    if (mode === 'hangs') await this.#clock.sleep(TIMEOUT_MS)
    const goesOn = mode === 'hangs' || mode === 'killed in flight'
    if (goesOn && kind !== 'read') {
      this.#inFlight = { target, work }
      this.#isOrphan = mode === 'killed in flight'
    }
    if (mode.startsWith('killed')) {
      this.#life.end()
      return silence()
    }
    throw new EngineError(BAD_DAY, 'retry', `${site} has a bad day (${mode})`)
  }
}

/** Lets one call through, or not. */
export type Cross = <T>(call: Call, work: () => Promise<T>, tear: () => Promise<unknown>) => Promise<T>

/** What a process hears that is gone. */
function silence<T>(): Promise<T> {
  return new Promise(() => {})
}
