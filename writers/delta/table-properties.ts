type Configuration = Readonly<Record<string, string>>

const DAY_MS = 86_400_000

const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
}

/** True when the property is set to `true`; Delta keeps every value as text. */
export function isSet(configuration: Configuration, property: string): boolean {
  return configuration[property]?.toLowerCase() === 'true'
}

/** How long removed files are kept for slow readers and time travel; 7 days when the table says nothing. */
export function deletedFileRetentionMs(configuration: Configuration): number {
  return intervalMs(configuration['delta.deletedFileRetentionDuration']) ?? 7 * DAY_MS
}

/** How long log entries are kept; 30 days when the table says nothing. */
export function logRetentionMs(configuration: Configuration): number {
  return intervalMs(configuration['delta.logRetentionDuration']) ?? 30 * DAY_MS
}

/** `undefined` = transactions never expire, the rule of the protocol. */
export function transactionRetentionMs(configuration: Configuration): number | undefined {
  return intervalMs(configuration['delta.setTransactionRetentionDuration'])
}

/** Leaf columns that get statistics: a count from the left (-1 = all), or names. */
export function statisticsColumns(configuration: Configuration): number | readonly string[] {
  const names = configuration['delta.dataSkippingStatsColumns']
  if (names !== undefined) return names.split(',').map((name) => name.trim())
  const count = Number(configuration['delta.dataSkippingNumIndexedCols'] ?? 32)
  return Number.isInteger(count) ? count : 32
}

/**
 * An interval as Spark writes it: `interval 1 week`, `interval 2 days 12 hours`, `168 hours`.
 *
 * @returns `undefined` for text that is no such interval: the default stands then, as months have no fixed length
 */
function intervalMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const words = text
    .trim()
    .toLowerCase()
    .replace(/^interval\s+/, '')
    .split(/\s+/)
  if (words.length === 0 || words.length % 2 !== 0) return undefined
  let total = 0
  for (let at = 0; at < words.length; at += 2) {
    const unit = UNIT_MS[words[at + 1]!.replace(/s$/, '')]
    const count = Number(words[at])
    if (unit === undefined || !Number.isFinite(count)) return undefined
    total += unit * count
  }
  return total
}
