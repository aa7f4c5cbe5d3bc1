import type { LocalFiles } from '../../core/ports.ts'
import type { AddFile } from '../delta/actions.ts'
import { crc32 } from '../delta/crc32.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import type { KeyLocator } from './key-locator.ts'

const FORMAT = 1
const CHECKSUM_DIGITS = 8

/** A live file as the locator knew it. */
export type KnownFile = Pick<AddFile, 'path' | 'deletionVector'>

/** What says whose entries the runs of a folder are, and what their numbers stand for. */
export interface SavedLocator {
  readonly format: typeof FORMAT
  /** It is right for this version of this table, and no other. */
  readonly tableId: string
  readonly version: number
  readonly commitId: string
  /** Stored names of the key columns, in key order. */
  readonly key: readonly string[]
  /** Of the keyed hash, hexadecimal. */
  readonly hashKey: string
  readonly files: readonly (readonly [ordinal: number, file: KnownFile])[]
  readonly nextOrdinal: number
  readonly anchors: readonly (readonly [epoch: number, seq: number, distance: number])[]
  /** Their paths, the newest first. */
  readonly runs: readonly string[]
}

/** What a locator that is right for a snapshot says of itself, but for its runs. `null`: the commit has no name. */
export function describeLocator(
  locator: KeyLocator,
  snapshot: TableSnapshot,
  key: readonly string[],
  hashKey: string,
): Omit<SavedLocator, 'runs'> | null {
  const { version, commitId, metadata } = snapshot
  if (commitId === undefined) return null
  const files: [number, KnownFile][] = []
  for (const { path, deletionVector } of snapshot.files.values()) {
    const ordinal = locator.files.ordinalOf(path)
    // Its rows are told by entries that name other files, and where those rows stand is known to this process alone.
    if (locator.files.isTarget(ordinal)) continue
    // Without its vector whoever loads this looks at the one that there is then, and leaves out what it holds.
    const isTold = deletionVector !== undefined && !locator.files.hasDeleted(ordinal)
    files.push([ordinal, isTold ? { path, deletionVector } : { path }])
  }
  const { next: nextOrdinal } = locator.files
  const { anchors } = locator.positions
  return {
    format: FORMAT,
    tableId: metadata.id,
    version,
    commitId,
    key,
    hashKey,
    files,
    nextOrdinal,
    anchors,
  }
}

export async function writeSaved(files: LocalFiles, folder: string, saved: SavedLocator): Promise<void> {
  const body = Buffer.from(JSON.stringify(saved))
  await files.write(savedPath(folder), Buffer.concat([Buffer.from(checksumText(body)), body]))
}

/** @returns `null` when there is none, or it is not what was written */
export async function readSaved(files: LocalFiles, folder: string): Promise<SavedLocator | null> {
  const bytes = await files.read(savedPath(folder))
  if (bytes === null) return null
  const checksum = Buffer.from(bytes.subarray(0, CHECKSUM_DIGITS)).toString('latin1')
  const body = bytes.subarray(CHECKSUM_DIGITS)
  if (checksum !== checksumText(body)) return null
  const saved = JSON.parse(Buffer.from(body).toString('utf8')) as SavedLocator
  return saved.format === FORMAT ? saved : null
}

export async function deleteSaved(files: LocalFiles, folder: string): Promise<void> {
  await files.delete(savedPath(folder))
}

function savedPath(folder: string): string {
  return `${folder}/locator.json`
}

function checksumText(body: Uint8Array): string {
  return crc32(body).toString(16).padStart(CHECKSUM_DIGITS, '0')
}
