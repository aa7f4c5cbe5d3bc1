import { isUtf8 } from 'node:buffer'
import type { RawRecord } from '../../core/ports.ts'

/** Which record a line holds. */
export interface LineCoordinates {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

/** Why a line is not a record, as the end of a sentence. */
export interface MalformedLine {
  readonly malformed: string
}

/** The field order that recorders write: it lets a line be placed without being parsed. */
const USUAL_START = /^\{"topic":"([\x20\x21\x23-\x5b\x5d-\x7e]+)","partition":(\d{1,9}),"offset":(\d{1,19}),/
/** A topic's name has at most 249 characters. */
const USUAL_START_BYTES_MAX = 320
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const INT64_MAX = 2n ** 63n - 1n

type JsonObject = Readonly<Record<string, unknown>>

/** Reads topic, partition and offset; of a line in the usual field order nothing else is looked at. */
export function placeLine(line: Buffer): LineCoordinates | MalformedLine {
  const usual = USUAL_START.exec(line.toString('latin1', 0, USUAL_START_BYTES_MAX))
  if (usual === null) return placeUnusual(line)
  const offset = BigInt(usual[3]!)
  if (offset > INT64_MAX) return { malformed: '`offset` is not an int64' }
  return { topic: usual[1]!, partition: Number(usual[2]), offset }
}

/**
 * Reads a line as a record: `{"topic","partition","offset","timestamp","timestampType","key","value","headers"}`.
 *
 * - `offset`: a number (digits beyond 2^53 are kept exactly) or a string of digits
 * - `key` and `value`: the bytes as text, or `null`; bytes that are not UTF-8 stand in `keyBase64` and `valueBase64`
 *   instead. A line without any key has a null key; a line without any value is malformed, as it would be a tombstone
 *   by accident
 * - `headers`: `[[name, value], …]`, may be missing; a value is text, `null`, or `{"base64": …}`
 *
 * @param place what `placeLine` found in this very line
 */
export function parseLine(line: Buffer, place: LineCoordinates): RawRecord | MalformedLine {
  const fields = parseObject(line)
  if (isMalformed(fields)) return fields
  const { timestamp } = fields
  if (!Number.isSafeInteger(timestamp))
    return { malformed: '`timestamp` is not a whole number of milliseconds' }
  const key = bytesOf(fields, 'key', 'keyBase64')
  if (isMalformed(key)) return key
  const value = bytesOf(fields, 'value', 'valueBase64')
  if (isMalformed(value)) return value
  if (value === undefined) return { malformed: 'there is neither `value` nor `valueBase64`' }
  const headers = headersOf(fields['headers'])
  if (isMalformed(headers)) return headers
  return { ...place, timestampMs: timestamp as number, key: key ?? null, value, headers }
}

/** Reads the `headers` of a line that stand alone. */
export function parseHeaders(json: Buffer): RawRecord['headers'] | MalformedLine {
  const headers = parseJson(json)
  return isMalformed(headers) ? headers : headersOf(headers.value)
}

/** Whether these bytes are one whole JSON value: then nothing more can belong to the line. */
export function isWholeLine(line: Buffer): boolean {
  return !isMalformed(parseObject(line))
}

export function isMalformed(value: unknown): value is MalformedLine {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'malformed')
}

function placeUnusual(line: Buffer): LineCoordinates | MalformedLine {
  const fields = parseObject(line)
  if (isMalformed(fields)) return fields
  const { topic, partition } = fields
  if (typeof topic !== 'string' || topic === '') return { malformed: '`topic` is not a name' }
  if (!Number.isInteger(partition) || (partition as number) < 0 || (partition as number) > 0x7fffffff) {
    return { malformed: '`partition` is not a partition number' }
  }
  const digits = offsetDigits(fields['offset'], line)
  if (digits === null || BigInt(digits) > INT64_MAX) return { malformed: '`offset` is not an int64' }
  return { topic, partition: partition as number, offset: BigInt(digits) }
}

/** A number beyond 2^53 has lost its last digits in `JSON.parse`: they are taken from the text. */
function offsetDigits(offset: unknown, line: Buffer): string | null {
  if (typeof offset === 'string') return /^\d{1,19}$/.test(offset) ? offset : null
  if (typeof offset !== 'number' || offset < 0 || !Number.isInteger(offset)) return null
  if (Number.isSafeInteger(offset)) return String(offset)
  return /(?<!\\)"offset"\s*:\s*(\d{1,19})\s*[,}]/.exec(line.toString('utf8'))?.[1] ?? null
}

function parseObject(line: Buffer): JsonObject | MalformedLine {
  const parsed = parseJson(line)
  if (isMalformed(parsed)) return parsed
  const { value } = parsed
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { malformed: 'it is not an object' }
  return value as JsonObject
}

function parseJson(bytes: Buffer): { readonly value: unknown } | MalformedLine {
  if (!isUtf8(bytes)) return { malformed: 'it is not UTF-8; bytes that are not text belong in `valueBase64`' }
  try {
    return { value: JSON.parse(bytes.toString('utf8')) }
  } catch {
    return { malformed: 'it is not JSON, or was cut off' }
  }
}

function bytesOf(
  fields: JsonObject,
  name: string,
  base64Name: string,
): Uint8Array | null | undefined | MalformedLine {
  const text = fields[name]
  const base64 = fields[base64Name]
  if (base64 === undefined || base64 === null) {
    return text === undefined && base64 === null
      ? null
      : text === undefined
        ? undefined
        : textBytes(text, name)
  }
  if (text !== undefined && text !== null)
    return { malformed: `both \`${name}\` and \`${base64Name}\` are given` }
  return base64Bytes(base64, base64Name)
}

function textBytes(text: unknown, name: string): Uint8Array | null | MalformedLine {
  if (text === null) return null
  if (typeof text !== 'string') return { malformed: `\`${name}\` is neither text nor null` }
  if (!text.isWellFormed()) return { malformed: `\`${name}\` holds half a character (a lone surrogate)` }
  return Buffer.from(text, 'utf8')
}

function base64Bytes(base64: unknown, name: string): Uint8Array | MalformedLine {
  if (typeof base64 !== 'string' || !BASE64.test(base64)) return { malformed: `\`${name}\` is not base64` }
  return Buffer.from(base64, 'base64')
}

function headersOf(headers: unknown): RawRecord['headers'] | MalformedLine {
  if (headers === undefined || headers === null) return []
  if (!Array.isArray(headers)) return { malformed: '`headers` is not an array' }
  const read: [string, Uint8Array | null][] = []
  for (const pair of headers as readonly unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string') {
      return { malformed: 'a header is not a pair of name and value' }
    }
    const [name, value] = pair as [string, unknown]
    const bytes = isBase64Value(value) ? base64Bytes(value.base64, name) : textBytes(value, name)
    if (isMalformed(bytes)) return bytes
    read.push([name, bytes])
  }
  return read
}

function isBase64Value(value: unknown): value is { readonly base64: unknown } {
  return typeof value === 'object' && value !== null && 'base64' in value
}
