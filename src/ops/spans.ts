import { type Attributes, ROOT_CONTEXT, type Tracer, trace } from '@opentelemetry/api'
import type { BatchCommitted, BatchRead, Observe } from '../../core/fact.ts'

/**
 * Spans of a pipeline for whatever OpenTelemetry SDK the process was started with (`node --import`); without one they
 * go nowhere. `alluvium.read` holds `poll` and `decode` of a batch of records, `alluvium.flush` holds `merge`, `encode`,
 * `put` and `commit` of a table's batch. They are made when all is over, from the times that were told: nothing waits
 * for them, and threads need no SDK of their own.
 */
export function spansOf(pipeline: string, version: string): Observe {
  const tracer = trace.getTracer('alluvium', version)
  return (fact) => {
    if (fact.kind === 'batch-read') traceRead(tracer, pipeline, fact)
    if (fact.kind === 'batch-committed') traceFlush(tracer, pipeline, fact)
  }
}

function traceRead(tracer: Tracer, pipeline: string, fact: BatchRead): void {
  const attributes = {
    ...{ 'alluvium.pipeline': pipeline, 'messaging.destination.name': fact.topic },
    ...{ 'messaging.destination.partition.id': String(fact.partition) },
    ...{ 'messaging.batch.message_count': fact.records, 'alluvium.bytes': fact.sizeBytes },
  }
  traceSteps(tracer, 'alluvium.read', fact.startedMs, attributes, [
    ['poll', fact.waitedMs],
    ['decode', fact.takenMs],
  ])
}

function traceFlush(tracer: Tracer, pipeline: string, fact: BatchCommitted): void {
  const { table, version, events, phases } = fact
  const attributes = {
    ...{ 'alluvium.pipeline': pipeline, 'alluvium.table': table, 'alluvium.events': events },
    ...(version === null ? {} : { 'alluvium.version': version }),
  }
  traceSteps(tracer, 'alluvium.flush', fact.startedMs, attributes, [
    ['merge', phases.planMs],
    ['encode', phases.encodeMs],
    ['put', phases.putMs],
    ['commit', phases.commitMs],
  ])
}

/** A span with steps in it, one after the other. */
function traceSteps(
  tracer: Tracer,
  name: string,
  startedMs: number,
  attributes: Attributes,
  steps: readonly (readonly [name: string, durationMs: number])[],
): void {
  const whole = tracer.startSpan(name, { startTime: startedMs, attributes, root: true })
  const within = trace.setSpan(ROOT_CONTEXT, whole)
  let atMs = startedMs
  for (const [step, durationMs] of steps) {
    const span = tracer.startSpan(step, { startTime: atMs }, within)
    atMs += durationMs
    span.end(atMs)
  }
  whole.end(atMs)
}
