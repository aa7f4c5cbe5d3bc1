import { timestampText } from '../../schemas/time-text.ts'

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const

/** `1.5 MB`; a KB is 1024 bytes, as in the configuration. */
export function sizeText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** `12.5%`; a share above 0 is never shown as none. */
export function shareText(share: number): string {
  if (share === 0) return '0%'
  return share < 0.001 ? '<0.1%' : `${(share * 100).toFixed(1)}%`
}

/** `90 s`, `2 h`, `1.5 h`: in the largest unit that there is one of. */
export function durationText(ms: number): string {
  const [size, unit] = DURATIONS.find(([each]) => ms >= each) ?? [1, 'ms']
  return `${Number((ms / size).toFixed(1))} ${unit}`
}

const DURATIONS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
]

/** `2026-01-31 12:34:56`, UTC. */
export function instantText(ms: number): string {
  return timestampText(BigInt(ms) * 1000n, ' ').slice(0, -'.123456'.length)
}

/** `2026-01-31T12:34:56.789Z` */
export function instantJson(ms: number): string {
  return `${timestampText(BigInt(ms) * 1000n, 'T').slice(0, -'456'.length)}Z`
}
