import type { PipelineSample } from '../pipeline/pipeline.ts'
import type { HealthState, PipelineHealth } from './pipeline-sample.ts'

/**
 * The loop waits for records, for its brokers and for the store. Every wait for the first two ends by itself within this
 * time; one for the store may last as long as the store is away.
 */
export const STANDS_STILL_MS = 300_000

export interface HealthFacts {
  /** The source said which partitions are ours, none perhaps. */
  readonly isAssigned: boolean
  /** It was asked lately and answered. */
  readonly isSourceReachable: boolean
  /** Replication slots of the source that are lost, or about to be. */
  readonly lostSlots: readonly string[]
  /** It was asked for something and has not answered yet. */
  readonly waitsForStore: boolean
}

/**
 * Alive unless the loop stands still and not because of the store: a process that waits for a store or a broker is not
 * helped by being started anew. Ready when it has its partitions and its source answers.
 */
export function judgeHealth({ phase, stillMs, work }: PipelineSample, facts: HealthFacts): PipelineHealth {
  const reasons: string[] = []
  const hasEnded = phase === 'ended'
  const standsStill = !hasEnded && stillMs > STANDS_STILL_MS && !facts.waitsForStore
  const isAssigned = work.partitions.length > 0 || facts.isAssigned
  if (hasEnded) reasons.push('the pipeline has ended')
  if (standsStill) reasons.push(`its loop has not gone round for ${Math.round(stillMs / 1000)} s`)
  if (!isAssigned) reasons.push('no partition has been given to this process yet')
  if (!facts.isSourceReachable) reasons.push('the source does not answer')
  for (const slot of facts.lostSlots) reasons.push(`replication slot ${slot} is lost, or about to be`)
  for (const { name, stopped, state } of work.tables) {
    if (state === 'stopped') reasons.push(`table ${name} stopped (${stopped?.code})`)
  }
  const isReady = phase === 'running' && !standsStill && isAssigned && facts.isSourceReachable
  return {
    state: stateOf({ hasEnded, standsStill, isAssigned }, reasons),
    isReady,
    isLive: !standsStill,
    reasons,
  }
}

function stateOf(
  { hasEnded, standsStill, isAssigned }: { hasEnded: boolean; standsStill: boolean; isAssigned: boolean },
  reasons: readonly string[],
): HealthState {
  if (hasEnded || standsStill) return 'stopped'
  if (!isAssigned) return 'starting'
  return reasons.length === 0 ? 'running' : 'degraded'
}
