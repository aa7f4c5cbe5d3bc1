import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/** Ended with us, whatever ends us: a process that stands still, or waits, would stay for ever. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) killGroup(child)
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** Starts a process in a group of its own, so that what it starts (Spark: a JVM) stops and ends with it. */
export function startChild(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, { ...options, detached: true })
  running.add(child)
  child.on('exit', () => running.delete(child))
  return child
}

function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL')
  } catch {
    // It has just gone by itself.
  }
}
