import type { Clock, Random } from '../core/ports.ts'
import type { Check } from './verdict.ts'

/** When checks are due. */
export interface SchedulePlan {
  /** Cron lines, in UTC, by check. */
  readonly lines: Readonly<Partial<Record<Check, string>>>
  /** When a cron line is due next after a time; epoch milliseconds. */
  readonly nextRunMs: (line: string, afterMs: number) => number
  /** When each check was begun last, by whatever process; epoch milliseconds. */
  readonly lastRunsMs: ReadonlyMap<Check, number>
}

export interface SchedulePorts {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
}

/** So many that begin at the full hour do not begin together: a share of the time between two runs, */
const JITTER_SHARE = 0.1
/** and no more than this. */
const JITTER_MS_MAX = 60_000
/** The clock of the machine may jump: it is looked at again after this. */
const SLEEP_MS_MAX = 60_000

/**
 * Runs checks when they are due, one at a time, until the signal. What was due while nobody ran, or while another check
 * took its time, is done once and not once for each time that was missed.
 *
 * @param run checks all tables; must not throw for what may be better next time
 */
export async function runSchedule(
  plan: SchedulePlan,
  { clock, random, signal }: SchedulePorts,
  run: (check: Check) => Promise<void>,
): Promise<void> {
  const begun = new Map(plan.lastRunsMs)
  const startMs = clock.nowMs()
  const dueMs = (check: Check, line: string) => {
    const dueMs = plan.nextRunMs(line, begun.get(check) ?? startMs)
    return dueMs + jitterMs(random, plan.nextRunMs(line, dueMs) - dueMs)
  }
  const due = new Map<Check, number>()
  for (const [check, line] of entriesOf(plan)) due.set(check, dueMs(check, line))
  while (!signal.aborted && due.size > 0) {
    const [check, atMs] = [...due].reduce((first, each) => (each[1] < first[1] ? each : first))
    const waitMs = atMs - clock.nowMs()
    if (waitMs > 0) {
      await clock.sleep(Math.min(waitMs, SLEEP_MS_MAX), signal)
      continue
    }
    begun.set(check, clock.nowMs())
    await run(check)
    due.set(check, dueMs(check, plan.lines[check]!))
  }
}

function entriesOf({ lines }: SchedulePlan): readonly (readonly [Check, string])[] {
  return Object.entries(lines) as [Check, string][]
}

function jitterMs(random: Random, intervalMs: number): number {
  const share = random.bytes(1)[0]! / 255
  return share * Math.min(intervalMs * JITTER_SHARE, JITTER_MS_MAX)
}
