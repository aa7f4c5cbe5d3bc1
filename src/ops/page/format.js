const COUNT = new Intl.NumberFormat('en')
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

/** @param {number | null} value */
export function count(value) {
  return value === null ? '–' : value < 100_000 ? COUNT.format(Math.round(value)) : SHORT.format(value)
}

/** @param {number} value */
export function rate(value) {
  return `${value > 0 && value < 10 ? value.toFixed(1) : count(value)}/s`
}

/** @param {number | null} value */
export function bytes(value) {
  if (value === null) return '–'
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(Math.floor(Math.log(Math.max(value, 1)) / Math.log(1000)), units.length - 1)
  const scaled = value / 1000 ** power
  return `${scaled < 10 && power > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${units[power]}`
}

/** @param {number | null} seconds */
export function duration(seconds) {
  if (seconds === null) return '–'
  if (seconds < 1) return seconds === 0 ? '0 s' : `${Math.max(Math.round(seconds * 1000), 1)} ms`
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}

/** @param {number} seconds */
export function ago(seconds) {
  return seconds < 1 ? 'now' : `${duration(seconds)} ago`
}

/** @param {number} share from 0 to 1 */
export function percent(share) {
  return `${share > 0 && share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`
}
