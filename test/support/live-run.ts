import type { RunReport } from '../../src/pipeline/pipeline.ts'
import { RequestBox } from '../../src/pipeline/request-box.ts'
import type { MemoryTopics } from './memory-topics.ts'
import type { PipelineWorld, WorldRun } from './pipeline-world.ts'
import { testPorts } from './test-ports.ts'

/** How often a running process looks for requests. */
const LOOK_EVERY_MS = 5000

/** Where commands leave requests for the processes of a world. */
export function requestBoxOf(world: PipelineWorld): RequestBox {
  return new RequestBox({ ...testPorts(world.store), clock: world.clock }, 'default')
}

/** Runs until `steps` are used up, one before each batch or empty turn; time passes between them. */
export function liveRun(
  world: PipelineWorld,
  topics: MemoryTopics,
  steps: readonly (() => unknown)[],
  options: WorldRun = {},
): Promise<RunReport> {
  const stop = new AbortController()
  const beforeBatch = async (batch: number) => {
    world.clock.advance(LOOK_EVERY_MS)
    if (batch >= steps.length) stop.abort()
    await steps[batch]?.()
  }
  return world.run(topics, { batchRecords: 2, ...options, beforeBatch, signal: stop.signal })
}
