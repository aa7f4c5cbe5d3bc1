/** What one step costs when nothing else runs in the process. */
export interface StepCost {
  readonly step: string
  /** What a row is here. */
  readonly unit: string
  readonly rows: number
  readonly nanosecondsPerRow: number
  readonly cpuNanosecondsPerRow: number
  readonly rowsPerCpuSecond: number
}

const WARM_UP_MS = 500
const MEASURE_MS = 1500

/**
 * Does the work again and again, first until it is warm, and then for a while.
 *
 * @param rows that one call works on
 */
export async function measureStep(
  step: string,
  unit: string,
  rows: number,
  work: () => void | Promise<void>,
): Promise<StepCost> {
  await repeat(work, WARM_UP_MS)
  globalThis.gc?.()
  const cpu = process.cpuUsage()
  const startedMs = performance.now()
  const calls = await repeat(work, MEASURE_MS)
  const wallNs = (performance.now() - startedMs) * 1e6
  const { user, system } = process.cpuUsage(cpu)
  const cpuNs = (user + system) * 1000
  const all = calls * rows
  return {
    ...{ step, unit, rows },
    nanosecondsPerRow: Math.round(wallNs / all),
    cpuNanosecondsPerRow: Math.round(cpuNs / all),
    rowsPerCpuSecond: Math.round((all / cpuNs) * 1e9),
  }
}

async function repeat(work: () => void | Promise<void>, forMs: number): Promise<number> {
  const endMs = performance.now() + forMs
  let calls = 0
  while (performance.now() < endMs || calls === 0) {
    const working = work()
    if (working !== undefined) await working
    calls++
  }
  return calls
}
