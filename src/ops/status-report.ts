import { lagSeconds } from './lag.ts'
import type { PipelineHealth } from './pipeline-sample.ts'
import type { PipelineWatch } from './pipeline-watch.ts'

/** What `/api/status` answers and the status page draws. Times are epoch milliseconds, or seconds for the curves. */
export async function statusReport(watch: PipelineWatch) {
  const sample = await watch.sample()
  const { name, history } = watch
  if (sample === null) return { name, health: NOT_OPEN, tables: [], commits: [], slots: [] }
  const { health, phase, atMs, startedMs, work, slots, proofs } = sample
  return {
    ...{ name, health, phase, startedMs, atMs, records: work.records, tally: work.tally, slots },
    heldBytes: work.heldBytes,
    heartbeatMs: work.heartbeatMs,
    behind: recordsBehind(sample),
    series: {
      times: history.times.values,
      events: history.events.values,
      lags: history.lags.values,
      held: history.held.values,
    },
    tables: work.tables.map((table) => ({
      ...{ name: table.name, state: table.state, stopped: table.stopped, version: table.version },
      ...{ growth: table.growth, logBytes: table.logBytes },
      ...{ pending: table.pendingEvents, parked: table.parked },
      lag: lagSeconds(table, atMs, startedMs),
      durableMs: table.durableMs,
      letters: Object.fromEntries(table.letters),
      events: history.totalOf(table.name),
      curve: history.eventsOf.get(table.name)?.values ?? [],
      verifiedThrough: proofs.get(table.name)?.verifiedThrough ?? null,
      proofs: (proofs.get(table.name)?.last ?? []).map(({ check, verdict, startedMs: at, mismatches }) => ({
        ...{ check, verdict, at, mismatches },
      })),
    })),
    commits: history.commits.map(
      ({ table, version, events, rows, startedMs: at, durationMs, sizeBytes }) => ({
        ...{ table, version, events, rows, at, durationMs, sizeBytes },
      }),
    ),
  }
}

const NOT_OPEN: PipelineHealth = {
  state: 'starting',
  isReady: false,
  isLive: true,
  reasons: ['the pipeline is being opened'],
}

/** Offsets to the ends of its partitions; `null`: the source has not told them. */
function recordsBehind({
  ends,
  work,
}: NonNullable<Awaited<ReturnType<PipelineWatch['sample']>>>): number | null {
  if (ends === null) return null
  return work.partitions.reduce((sum, { topic, partition, nextOffset }) => {
    const end = ends.get(`${topic}/${partition}`) ?? nextOffset
    return sum + (end > nextOffset ? Number(end - nextOffset) : 0)
  }, 0)
}
