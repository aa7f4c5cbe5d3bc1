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

/** `2026-01-31 12:34:56`, UTC. */
export function instantText(ms: number): string {
  return timestampText(BigInt(ms) * 1000n, ' ').slice(0, -'.123456'.length)
}

/** `2026-01-31T12:34:56.789Z` */
export function instantJson(ms: number): string {
  return `${timestampText(BigInt(ms) * 1000n, 'T').slice(0, -'456'.length)}Z`
}
