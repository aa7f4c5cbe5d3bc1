import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { PYTHON, ROOT, SPARK_PYTHON } from './places.ts'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly kernel: string
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
  }
}

/** The commit that is measured, with a `+` when the tree differs from it. */
export function describeCommit(root = ROOT): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no')
    return git('rev-parse', '--short=10', 'HEAD') + (changed === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}

export function describeVersions(): Readonly<Record<string, string>> {
  return {
    node: process.version,
    ...versionsIn(PYTHON, ['deltalake', 'duckdb', 'pyarrow', 'numpy']),
    ...(existsSync(SPARK_PYTHON) ? versionsIn(SPARK_PYTHON, ['pyspark', 'delta-spark']) : {}),
  }
}

function versionsIn(python: string, packages: readonly string[]): Record<string, string> {
  const script = `import importlib.metadata as m, json; print(json.dumps({p: m.version(p) for p in ${JSON.stringify(packages)}}))`
  return JSON.parse(execFileSync(python, ['-c', script], { encoding: 'utf8' })) as Record<string, string>
}

export function loadOfLastMinute(): number {
  return Number(loadavg()[0]!.toFixed(2))
}

/** How busy all cores were and what the clock said, to tell what others did meanwhile. */
export interface BusyMark {
  readonly busySeconds: number
  readonly atMs: number
}

const TICKS_A_SECOND = 100

export function markBusy(): BusyMark {
  const line = readFileSync(join('/proc', 'stat'), 'utf8').split('\n', 1)[0]!
  const [user, nice, system, , , irq, softirq] = line.split(/\s+/).slice(1).map(Number)
  const ticks = user! + nice! + system! + irq! + softirq!
  return { busySeconds: ticks / TICKS_A_SECOND, atMs: performance.now() }
}

/** Cores that somebody else kept busy since the mark; ours is what the contestants and this process used. */
export function othersSince(mark: BusyMark, oursSeconds: number): number {
  const now = markBusy()
  const wallSeconds = (now.atMs - mark.atMs) / 1000
  const others = now.busySeconds - mark.busySeconds - oursSeconds
  return Number(Math.max(0, others / wallSeconds).toFixed(2))
}
