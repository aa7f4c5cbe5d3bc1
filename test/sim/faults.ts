import type { SeededRandom } from '../support/seeded-random.ts'

/**
 * How one call goes wrong.
 *
 * - `before`: an error, and nothing was done
 * - `after`: done, and an error returned
 * - `hang`: no answer until the client gives up; done or not, perhaps only later
 * - `slow`: right, but late
 * - `torn`: of a put that is not atomic, a part of the bytes is left, and an error returned
 * - `kill`: the process dies in the call; what it asked for is done, is not done, or is done later
 */
export const FAULT_MODES = ['before', 'after', 'hang', 'slow', 'torn', 'kill'] as const
export type FaultMode = (typeof FAULT_MODES)[number]

/** Decides call by call. */
export interface Faults {
  draw(site: string): FaultMode | null
}

export const NO_FAULTS: Faults = { draw: () => null }

/** One fault: the n-th call (from 1) of a site. */
export class OneFault implements Faults {
  readonly #at: OneFaultAt
  #calls = 0

  constructor(at: OneFaultAt) {
    this.#at = at
  }

  draw(site: string): FaultMode | null {
    return site === this.#at.site && ++this.#calls === this.#at.nth ? this.#at.mode : null
  }
}

export interface OneFaultAt {
  readonly site: string
  readonly nth: number
  readonly mode: FaultMode
}

/** Of a seed: some modes are off, the others have each their own rarity, so that no mode hides behind another. */
export class SwarmOfFaults implements Faults {
  readonly #random: SeededRandom
  readonly #rates: readonly (readonly [FaultMode, number])[]

  constructor(random: SeededRandom) {
    this.#random = random
    this.#rates = FAULT_MODES.flatMap((mode) =>
      random.chance(0.5) ? [[mode, MAX_RATE[mode] * random.next() ** 2] as const] : [],
    )
  }

  draw(): FaultMode | null {
    let dice = this.#random.next()
    for (const [mode, rate] of this.#rates) {
      if (dice < rate) return mode
      dice -= rate
    }
    return null
  }
}

const MAX_RATE: Readonly<Record<FaultMode, number>> = {
  before: 0.1,
  after: 0.1,
  hang: 0.03,
  slow: 0.1,
  torn: 0.05,
  kill: 0.02,
}
