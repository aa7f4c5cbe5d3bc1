import { assert } from '../../core/assert.ts'

/** What a name in `_delta_log` stands for; names that we do not know are `undefined`. */
export type LogFile =
  | { readonly kind: 'commit'; readonly version: number }
  | { readonly kind: 'checkpoint'; readonly version: number }
  | {
      readonly kind: 'multi-part-checkpoint'
      readonly version: number
      readonly part: number
      readonly parts: number
    }
  | { readonly kind: 'v2-checkpoint'; readonly version: number; readonly format: 'json' | 'parquet' }
  | { readonly kind: 'checksum'; readonly version: number }
  /** Sums up the entries from `version` on. */
  | { readonly kind: 'compacted'; readonly version: number }

const VERSIONED = /^(\d{20})\.(.+)$/
const MULTI_PART = /^checkpoint\.(\d{10})\.(\d{10})\.parquet$/
const COMPACTED = /^\d{20}\.compacted\.json$/
const UUID_NAMED = /^checkpoint\.[0-9a-fA-F-]{36}\.(json|parquet)$/

/** @param tablePath of the table in its store, without a slash at its ends; empty for the root */
export function joinTablePath(tablePath: string, relative: string): string {
  return tablePath === '' ? relative : `${tablePath}/${relative}`
}

export function commitPath(tablePath: string, version: number): string {
  return joinTablePath(tablePath, `_delta_log/${paddedVersion(version)}.json`)
}

export function checkpointPath(tablePath: string, version: number): string {
  return joinTablePath(tablePath, `_delta_log/${paddedVersion(version)}.checkpoint.parquet`)
}

export function lastCheckpointPath(tablePath: string): string {
  return joinTablePath(tablePath, '_delta_log/_last_checkpoint')
}

/** @param name of a sidecar, as the checkpoint says it: any file name (delta#4807) */
export function sidecarPath(tablePath: string, name: string): string {
  return joinTablePath(tablePath, `_delta_log/_sidecars/${name}`)
}

/** Start of the path of every versioned file, so that a listing leaves out sidecars and staged commits. */
export function logPrefix(tablePath: string): string {
  return joinTablePath(tablePath, '_delta_log/0')
}

/** For `startAfter` of a listing: the names of `version` and of later ones stand behind it. */
export function beforeVersion(tablePath: string, version: number): string {
  return joinTablePath(tablePath, `_delta_log/${paddedVersion(version)}`)
}

/**
 * @param path of an object in `_delta_log`; what stands before the last slash is not looked at
 * @see delta-protocol §1
 */
export function parseLogPath(path: string): LogFile | undefined {
  const match = VERSIONED.exec(path.slice(path.lastIndexOf('/') + 1))
  if (match === null) return undefined
  const version = Number(match[1])
  const rest = match[2]!
  if (!Number.isSafeInteger(version)) return undefined
  if (rest === 'json') return { kind: 'commit', version }
  if (rest === 'checkpoint.parquet') return { kind: 'checkpoint', version }
  if (rest === 'crc') return { kind: 'checksum', version }
  if (COMPACTED.test(rest)) return { kind: 'compacted', version }
  const multiPart = MULTI_PART.exec(rest)
  if (multiPart !== null) {
    return { kind: 'multi-part-checkpoint', version, part: Number(multiPart[1]), parts: Number(multiPart[2]) }
  }
  const uuidNamed = UUID_NAMED.exec(rest)
  if (uuidNamed === null) return undefined
  return { kind: 'v2-checkpoint', version, format: uuidNamed[1] === 'json' ? 'json' : 'parquet' }
}

function paddedVersion(version: number): string {
  assert(Number.isSafeInteger(version) && version >= 0, `not a table version: ${version}`)
  return version.toString().padStart(20, '0')
}
