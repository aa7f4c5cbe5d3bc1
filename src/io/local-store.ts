import type { Dirent } from 'node:fs'
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import type { ObjectInfo, ObjectStore, PutIfAbsentOutcome, Random, StepReached } from '../../core/ports.ts'
import { compareUtf8 } from '../../core/utf8-order.ts'
import { systemCode, toEngineError } from './fs-error.ts'
import { refuseEscape, refuseEscapingPrefix } from './plain-path.ts'

/** Objects being written. Hidden from readers and from `list`; what a crash leaves behind is swept by age. */
const TEMPORARY_PREFIX = '.tmp-'
const STATS_AT_ONCE = 32

type Content = Uint8Array | AsyncIterable<Uint8Array>

export interface LocalStoreOptions {
  readonly random: Random
  /** Told `<site>:temp-written` and `<site>:linked` by `putIfAbsent`, `<site>:temp-written` and `<site>:written` by `put`. */
  readonly stepReached?: StepReached
}

/**
 * A directory as an object store: writes are durable (file and directory are synced) when they resolve, and an object
 * is either whole or not there. `putIfAbsent` rests on `link`, which fails when the name is taken.
 */
export class LocalStore implements ObjectStore {
  readonly location: string
  readonly #root: string
  readonly #random: Random
  readonly #stepReached: StepReached

  /** @param directory need not exist yet: it is made by the first write */
  constructor(directory: string, options: LocalStoreOptions) {
    this.location = directory
    this.#root = resolve(directory)
    this.#random = options.random
    this.#stepReached = options.stepReached ?? (() => {})
  }

  async get(_site: string, path: string): Promise<Uint8Array | null> {
    return this.#attempt('read', path, () => this.#withFile(path, (file) => file.readFile()))
  }

  /** A range that passes the end of the object is cut off there. */
  async getRange(_site: string, path: string, start: number, end: number): Promise<Uint8Array | null> {
    return this.#attempt('read', path, () => this.#withFile(path, (file) => readRange(file, start, end)))
  }

  async head(_site: string, path: string): Promise<ObjectInfo | null> {
    return this.#attempt('look up', path, () => describeFile(this.#fileOf(path), path))
  }

  put(site: string, path: string, bytes: Uint8Array): Promise<void> {
    return this.#replace(site, path, bytes)
  }

  /** The parts go into the temporary file as they come. */
  putParts(site: string, path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#replace(site, path, parts)
  }

  async #replace(site: string, path: string, content: Content): Promise<void> {
    await this.#attempt('write', path, async () => {
      const file = this.#fileOf(path)
      await this.#withTemporary(site, file, content, async (temporary) => {
        await rename(temporary, file)
        this.#stepReached(`${site}:written`)
        await syncDirectory(dirname(file))
      })
    })
  }

  async putIfAbsent(site: string, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    return this.#attempt('create', path, async () => {
      const file = this.#fileOf(path)
      return this.#withTemporary(site, file, bytes, async (temporary) => {
        const outcome = await linkIfAbsent(temporary, file)
        this.#stepReached(`${site}:linked`)
        await unlink(temporary)
        // Also when it exists: the writer before may have died before it synced, and we are about to build on it.
        await syncDirectory(dirname(file))
        return outcome
      })
    })
  }

  async list(
    _site: string,
    prefix: string,
    startAfter = '',
    limit = Number.POSITIVE_INFINITY,
  ): Promise<readonly ObjectInfo[]> {
    return this.#attempt('list', prefix, async () => {
      refuseEscapingPrefix(prefix)
      const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
      const paths: string[] = []
      for await (const path of this.#walk(folder, prefix, startAfter)) if (paths.push(path) >= limit) break
      return describeAll(this.#root, paths)
    })
  }

  async delete(_site: string, path: string): Promise<void> {
    await this.#attempt('delete', path, async () => {
      try {
        await unlink(this.#fileOf(path))
      } catch (error) {
        if (!isAbsence(error)) throw error
      }
    })
  }

  /** Paths under `folder` (empty or ending in `/`), in order; goes only where prefix and start can be met. */
  async *#walk(folder: string, prefix: string, startAfter: string): AsyncGenerator<string> {
    const names = (await entriesOf(join(this.#root, folder))).filter(isObjectOrFolder).map(nameInOrder)
    for (const name of names.sort(compareUtf8)) {
      const path = folder + name
      if (path.endsWith('/')) {
        const mayMatch = path.startsWith(prefix) || prefix.startsWith(path)
        const mayFollow = startAfter.startsWith(path) || compareUtf8(path, startAfter) > 0
        if (mayMatch && mayFollow) yield* this.#walk(path, prefix, startAfter)
      } else if (path.startsWith(prefix) && compareUtf8(path, startAfter) > 0) {
        yield path
      }
    }
  }

  async #withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T | null> {
    let file: FileHandle
    try {
      file = await open(this.#fileOf(path), 'r')
    } catch (error) {
      if (isAbsence(error)) return null
      throw error
    }
    try {
      if ((await file.stat()).isDirectory()) return null
      return await use(file)
    } finally {
      await file.close()
    }
  }

  /** Writes and syncs a temporary file beside `file`, hands it over, and leaves no trace when that fails. */
  async #withTemporary<T>(
    site: string,
    file: string,
    content: Content,
    publish: (temporary: string) => Promise<T>,
  ): Promise<T> {
    const temporary = join(dirname(file), TEMPORARY_PREFIX + this.#random.uuid())
    try {
      await writeSynced(temporary, content)
      this.#stepReached(`${site}:temp-written`)
      return await publish(temporary)
    } catch (error) {
      await unlink(temporary).catch(() => {}) // the first error is the one to tell
      throw error
    }
  }

  #fileOf(path: string): string {
    refuseEscape(path)
    return join(this.#root, path)
  }

  async #attempt<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw toEngineError(error, `cannot ${verb} ${join(this.location, path)}`)
    }
  }
}

function isAbsence(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    if (isAbsence(error)) return []
    throw error
  }
}

function isObjectOrFolder(entry: Dirent): boolean {
  return entry.isDirectory() || (entry.isFile() && !entry.name.startsWith(TEMPORARY_PREFIX))
}

/** A folder sorts as the paths in it do. */
function nameInOrder(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name
}

async function describeFile(file: string, path: string): Promise<ObjectInfo | null> {
  try {
    const found = await stat(file)
    return found.isFile() ? { path, sizeBytes: found.size, modifiedMs: Math.trunc(found.mtimeMs) } : null
  } catch (error) {
    if (isAbsence(error)) return null
    throw error
  }
}

/** Paths that vanished since they were listed are left out. */
async function describeAll(root: string, paths: readonly string[]): Promise<readonly ObjectInfo[]> {
  const described: ObjectInfo[] = []
  for (let at = 0; at < paths.length; at += STATS_AT_ONCE) {
    const some = paths.slice(at, at + STATS_AT_ONCE)
    for (const info of await Promise.all(some.map((path) => describeFile(join(root, path), path)))) {
      if (info !== null) described.push(info)
    }
  }
  return described
}

async function readRange(file: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, end - start))
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

async function linkIfAbsent(temporary: string, file: string): Promise<PutIfAbsentOutcome> {
  try {
    await link(temporary, file)
    return 'created'
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return 'exists'
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
    throw new EngineError(
      'E_STORE_UNFIT',
      'stop',
      `cannot create ${file}: this file system has no hard links, so two writers could overwrite each other's ` +
        `commits; put the lake on one that has (ext4, xfs, btrfs, apfs, zfs) (${code})`,
      {},
      error,
    )
  }
}

async function writeSynced(file: string, content: Content): Promise<void> {
  const handle = await openNew(file)
  try {
    await writeFile(handle, content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function openNew(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'wx')
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    await makeDirectory(dirname(file))
    return open(file, 'wx')
  }
}

/** Makes a directory and its missing parents, and syncs each entry, so that a power cut cannot take them away. */
async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true })
  if (first === undefined) return
  for (let made = directory; ; made = dirname(made)) {
    await syncDirectory(dirname(made))
    if (made === first) return
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
