import type { Stamp } from '../results.ts'
import type { Chain } from './chain.ts'
import type { Freshness } from './freshness.ts'
import type { ScaleOut } from './scale-out.ts'

/** What needs a broker and an object store; a part that was not asked for is not there. */
export interface LiveResult extends Stamp {
  readonly freshness?: Freshness
  readonly chain?: Chain
  readonly scaleOut?: ScaleOut
}
