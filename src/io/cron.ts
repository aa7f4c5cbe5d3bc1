import { Cron } from 'croner'

/**
 * When a cron line is due next after a time, in UTC. No timer is started.
 *
 * @returns epoch milliseconds; `Infinity`: never again
 */
export function nextRunMs(line: string, afterMs: number): number {
  return (
    new Cron(line, { timezone: 'UTC', paused: true }).nextRun(new Date(afterMs))?.getTime() ??
    Number.POSITIVE_INFINITY
  )
}
