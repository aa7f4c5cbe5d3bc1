import { InvalidArgumentError } from 'commander'
import { parseByteSize, parseDuration } from '../config/quantity.ts'

/** For options that say how many: a whole number above 0. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number above 0.')
}

/** For options that name a version of a table: a whole number from 0 on. */
export function parseVersion(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a version: a whole number from 0 on.')
}

/** For options that say how long: `90s`, `2h`. @returns milliseconds */
export function parseTime(text: string): number {
  const time = parseDuration(text)
  if (time !== null) return time
  throw new InvalidArgumentError('It must be a duration such as 90s or 2h.')
}

/** For options that name a moment of the past: how long ago (`15m`), or an instant. @returns epoch milliseconds */
export function parsePast(text: string, nowMs: number): number {
  const agoMs = parseDuration(text)
  if (agoMs !== null) return nowMs - agoMs
  const atMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z$/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(atMs)) return atMs
  throw new InvalidArgumentError(
    'It must be how long ago, such as 15m, or an instant, such as 2026-01-31T08:00:00Z.',
  )
}

/** For options that say how many bytes: `10MB`. */
export function parseSize(text: string): number {
  const size = parseByteSize(text)
  if (size !== null) return size
  throw new InvalidArgumentError('It must be a size such as 10MB.')
}

/** For options that list names: `a,b`. */
export function parseNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every((name) => name !== '')) return names
  throw new InvalidArgumentError('It must be names with commas between them.')
}
