import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { EngineError } from '../../core/errors.ts'
import type { LocalFile, LocalFiles, LocalFileWriter } from '../../core/ports.ts'
import { systemCode, toEngineError } from './fs-error.ts'

/** Reading holds up the process no longer than this; what is in the page cache comes in microseconds. */
const SLICE_MS = 4
const PIECES_BETWEEN_LOOKS = 32

/** A directory for caches. Nobody else may read them: they hold the key of the hashes. */
export class LocalDirectory implements LocalFiles {
  readonly #root: string

  /** @param directory need not exist yet: it is made by the first write */
  constructor(directory: string) {
    this.#root = directory
  }

  async read(path: string): Promise<Uint8Array | null> {
    return absentAsNull('read', path, () => readFile(join(this.#root, path)))
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await attempt('write', path, async () => {
      const file = await this.#place(path)
      const temporary = `${file}.tmp`
      await writeFile(temporary, bytes, { mode: 0o600, flush: true })
      await rename(temporary, file)
    })
  }

  async create(path: string): Promise<LocalFileWriter> {
    const file = await attempt('create', path, async () => open(await this.#place(path), 'w', 0o600))
    return {
      append: (bytes) => attempt('write', path, () => file.appendFile(bytes)),
      close: () =>
        attempt('write', path, async () => {
          await file.sync()
          await file.close()
        }),
    }
  }

  async open(path: string): Promise<LocalFile | null> {
    return absentAsNull('open', path, async () => {
      return new OpenFile(path, openSync(join(this.#root, path), 'r'))
    })
  }

  async list(folder: string): Promise<readonly string[]> {
    return (await absentAsNull('list', folder, () => readdir(join(this.#root, folder)))) ?? []
  }

  async delete(path: string): Promise<void> {
    await attempt('delete', path, () => rm(join(this.#root, path), { force: true }))
  }

  async #place(path: string): Promise<string> {
    const file = join(this.#root, path)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    return file
  }
}

class OpenFile implements LocalFile {
  readonly sizeBytes: number
  readonly #path: string
  readonly #descriptor: number

  constructor(path: string, descriptor: number) {
    this.#path = path
    this.#descriptor = descriptor
    this.sizeBytes = fstatSync(descriptor).size
  }

  /** Synchronous reads, some at a time: an asynchronous one costs ten times what it reads. */
  async readPieces(offsets: readonly number[], lengthBytes: number, out: Uint8Array): Promise<void> {
    let since = performance.now()
    for (let i = 0; i < offsets.length; i++) {
      this.#readPiece(offsets[i]!, out, i * lengthBytes, lengthBytes)
      if (i % PIECES_BETWEEN_LOOKS > 0 || performance.now() - since < SLICE_MS) continue
      await turn()
      since = performance.now()
    }
  }

  #readPiece(offset: number, out: Uint8Array, at: number, lengthBytes: number): void {
    try {
      if (readSync(this.#descriptor, out, at, lengthBytes, offset) === lengthBytes) return
    } catch (error) {
      throw toEngineError(error, `cannot read ${this.#path}`)
    }
    throw new EngineError('E_DISK_FAILED', 'retry', `cannot read ${this.#path}: the file ends too early`)
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

async function attempt<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toEngineError(error, `cannot ${verb} ${path}`)
  }
}

async function absentAsNull<T>(verb: string, path: string, work: () => Promise<T>): Promise<T | null> {
  return attempt(verb, path, async () => {
    try {
      return await work()
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null
      throw error
    }
  })
}
