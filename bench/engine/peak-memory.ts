import { readFileSync } from 'node:fs'

/** The most memory that this process ever had resident (`VmHWM`), in MB. */
export function peakMemoryMb(): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return Math.round(Number(found![1]) / 1024)
}
