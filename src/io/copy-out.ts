import type { Duplex } from 'node:stream'
import type { ClientBase, Connection, Submittable } from 'pg'
import { assert } from '../../core/assert.ts'
import { CopyFrames } from './copy-frames.ts'

/**
 * Runs `COPY … TO STDOUT` on a connection of the driver.
 *
 * @returns the data, in pieces that end anywhere; who does not ask for the next one holds the server back
 * @throws what the driver throws; the connection is of no more use when not all of it is taken
 */
export async function* copyOut(client: ClientBase, sql: string): AsyncGenerator<Buffer> {
  yield* client.query(new CopyOut(sql)).pieces()
}

type Listener = (bytes: Buffer) => void

/**
 * A statement that reads from the socket itself for as long as data comes. The driver would make an object of each row,
 * and cannot be held back.
 */
class CopyOut implements Submittable {
  readonly #sql: string
  readonly #frames = new CopyFrames()
  /** `null`: not sent yet, or the driver has it back. */
  #socket: Duplex | null = null
  #driver: Listener = () => {}
  #isOver = false
  #error: unknown = null
  #wake: () => void = () => {}
  readonly #onReadable = () => this.#wake()

  constructor(sql: string) {
    this.#sql = sql
  }

  /** Called by the driver when all before it is done. */
  submit(connection: Connection): void {
    const { stream } = connection
    const [driver, ...others] = stream.listeners('data')
    assert(driver !== undefined && others.length === 0, 'the driver alone reads its socket')
    this.#driver = driver as Listener
    this.#socket = stream
    stream.off('data', this.#driver).pause()
    stream.on('readable', this.#onReadable)
    connection.query(this.#sql)
    this.#wake()
  }

  /** Called by the driver: the server refused, or the connection is gone. */
  handleError(error: unknown): void {
    this.#error = error
    this.#wake()
  }

  handleCommandComplete(): void {}

  /** Called by the driver when the connection can be asked again. */
  handleReadyForQuery(): void {
    this.#isOver = true
    this.#wake()
  }

  async *pieces(): AsyncGenerator<Buffer> {
    while (!this.#isOver) {
      if (this.#error !== null) throw this.#error
      const piece: Buffer | null = this.#socket?.read() ?? null
      if (piece === null) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      const { data, rest } = this.#frames.take(piece)
      if (rest !== null) this.#handBack(rest)
      if (data.length > 0) yield data
    }
    if (this.#error !== null) throw this.#error
  }

  #handBack(rest: Buffer): void {
    const socket = this.#socket!
    this.#socket = null
    socket.off('readable', this.#onReadable)
    socket.on('data', this.#driver)
    this.#driver(rest)
    // A socket that was asked to be readable flows again when that is over.
    process.nextTick(() => socket.resume())
  }
}
