import { createHash } from 'node:crypto'
import { type ExactJson, parseExactJson, stringifyExactJson } from './exact-json.ts'

/** The pointer to the newest checkpoint. A hint: it may be missing, torn, stale, or newer than the truth. */
export interface LastCheckpoint {
  readonly version: number
  /** Rows (actions) in the checkpoint. */
  readonly size: number
  readonly sizeInBytes: number
  readonly numOfAddFiles: number
}

/** @see delta-protocol §4.4 */
export function renderLastCheckpoint(pointer: LastCheckpoint): Uint8Array {
  const { version, size, sizeInBytes, numOfAddFiles } = pointer
  const body = { version, size, sizeInBytes, numOfAddFiles }
  return new TextEncoder().encode(stringifyExactJson({ ...body, checksum: checksumOf(body) }))
}

/**
 * Version that the pointer names.
 *
 * @returns `undefined` when it is torn, empty, or its checksum says that it was cut: list the log then
 */
export function parseLastCheckpoint(bytes: Uint8Array): number | undefined {
  let json: ExactJson
  try {
    json = parseExactJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
  const { version, checksum } = json as { readonly [key: string]: ExactJson }
  if (checksum !== undefined && checksum !== checksumOf(json)) return undefined
  return Number.isSafeInteger(version) && Number(version) >= 0 ? Number(version) : undefined
}

/**
 * MD5 of the canonical text of a JSON object, its `checksum` member left out.
 *
 * @see PROTOCOL.md "Last Checkpoint File", "JSON checksum"; delta-protocol §4.4
 */
export function checksumOf(json: ExactJson): string {
  const leaves: (readonly [path: string, value: string])[] = []
  const { checksum: _, ...rest } = json as { readonly [key: string]: ExactJson }
  collectLeaves(rest, '', leaves)
  leaves.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const text = leaves.map(([path, value]) => `${path}=${value}`).join(',')
  return createHash('md5').update(text).digest('hex')
}

function collectLeaves(json: ExactJson, path: string, leaves: (readonly [string, string])[]): void {
  if (json === null || typeof json !== 'object') {
    leaves.push([path, typeof json === 'string' ? quoted(json) : String(json)])
    return
  }
  const prefix = path === '' ? '' : `${path}+`
  for (const [key, value] of Object.entries(json)) {
    const segment = Array.isArray(json) ? key : quoted(key)
    collectLeaves(value, prefix + segment, leaves)
  }
}

/** Every UTF-8 byte outside of `[A-Za-z0-9._~-]` is escaped; `encodeURIComponent` lets five more through. */
function quoted(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `"${encoded}"`
}
