const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const BYTES_PER: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
}

/** `500ms`, `1s`, `1.5m`, `2h`, `7d`. @returns milliseconds above zero, or `null` when it is no duration */
export function parseDuration(text: string): number | null {
  return parseQuantity(text, /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/, MS_PER)
}

/** `64MB`, `512 KiB`, `1000` (bytes); KB is 1024 bytes. @returns bytes above zero, or `null` when it is no size */
export function parseByteSize(text: string): number | null {
  return parseQuantity(text.toUpperCase(), /^(\d+(?:\.\d+)?)\s*([KMG]?I?B|)$/, { ...BYTES_PER, '': 1 })
}

function parseQuantity(text: string, form: RegExp, factors: Readonly<Record<string, number>>): number | null {
  const found = form.exec(text.trim())
  const factor = factors[found?.[2] ?? 'none']
  if (found === null || factor === undefined) return null
  const quantity = Math.round(Number(found[1]) * factor)
  return quantity > 0 && Number.isSafeInteger(quantity) ? quantity : null
}

/** The shortest text that `parseDuration` reads back: `90000` is `90s`. */
export function formatDuration(ms: number): string {
  const [unit, factor] = Object.entries(MS_PER)
    .reverse()
    .find(([, factor]) => ms % factor === 0)!
  return `${ms / factor}${unit}`
}

/** The shortest text that `parseByteSize` reads back: `67108864` is `64MB`. */
export function formatBytes(bytes: number): string {
  const [unit, factor] = (['GB', 'MB', 'KB'] as const)
    .map((unit) => [unit, BYTES_PER[unit]!] as const)
    .find(([, factor]) => bytes % factor === 0) ?? ['', 1]
  return `${bytes / factor}${unit}`
}
