import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes below the table, by what they are. */
export interface BytesWritten {
  readonly data: number
  readonly vectors: number
  readonly feed: number
  readonly log: number
}

const FOLDERS = [
  { folder: '', part: 'data' },
  { folder: '_change_data', part: 'feed' },
  { folder: '_delta_log', part: 'log' },
] as const

/** Files of a table on this disk that were not there when it was last asked. */
export class NewFiles {
  readonly #table: string
  readonly #seen = new Set<string>()

  /** @param table need not be there yet */
  constructor(table: string) {
    this.#table = table
    this.take()
  }

  take(): { readonly bytes: BytesWritten; readonly files: number } {
    const bytes = { data: 0, vectors: 0, feed: 0, log: 0 }
    let files = 0
    for (const { folder, part } of FOLDERS) {
      for (const entry of entriesOf(join(this.#table, folder))) {
        const name = `${folder}/${entry.name}`
        if (!entry.isFile() || this.#seen.has(name)) continue
        this.#seen.add(name)
        bytes[name.endsWith('.bin') ? 'vectors' : part] += sizeOf(join(this.#table, name))
        files++
      }
    }
    return { bytes, files }
  }
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    return []
  }
}

/** What is deleted or renamed while we look was in nobody's way. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
