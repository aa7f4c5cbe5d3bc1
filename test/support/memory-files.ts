import { EngineError } from '../../core/errors.ts'
import type { LocalFile, LocalFiles, LocalFileWriter } from '../../core/ports.ts'

/** Local files in memory, which a test may delete and tear. What is open stays readable when it is deleted. */
export class MemoryFiles implements LocalFiles {
  readonly files = new Map<string, Uint8Array>()
  /** Set: everything that touches the disk fails. */
  isBroken = false

  async read(path: string): Promise<Uint8Array | null> {
    this.#check()
    return this.files.get(path)?.slice() ?? null
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.#check()
    this.files.set(path, bytes.slice())
  }

  async create(path: string): Promise<LocalFileWriter> {
    this.#check()
    this.files.set(path, new Uint8Array(0))
    const append = async (bytes: Uint8Array): Promise<void> => {
      this.#check()
      this.files.set(path, Buffer.concat([this.files.get(path) ?? new Uint8Array(0), bytes]))
    }
    return { append, close: async () => this.#check() }
  }

  async open(path: string): Promise<LocalFile | null> {
    this.#check()
    const opened = this.files.get(path)
    if (opened === undefined) return null
    const bytes = (): Uint8Array => this.files.get(path) ?? opened
    return {
      sizeBytes: opened.length,
      readPieces: async (offsets, lengthBytes, out) => {
        this.#check()
        offsets.forEach((offset, i) => {
          const piece = bytes().subarray(offset, offset + lengthBytes)
          if (piece.length < lengthBytes) throw failure()
          out.set(piece, i * lengthBytes)
        })
      },
      close: () => {},
    }
  }

  async list(folder: string): Promise<readonly string[]> {
    this.#check()
    const inside = [...this.files.keys()].filter((path) => path.startsWith(`${folder}/`))
    return inside.map((path) => path.slice(folder.length + 1))
  }

  async delete(path: string): Promise<void> {
    this.#check()
    this.files.delete(path)
  }

  #check(): void {
    if (this.isBroken) throw failure()
  }
}

function failure(): EngineError {
  return new EngineError('E_DISK_FAILED', 'retry', 'the disk did not answer', {})
}
