import type { Writable } from 'node:stream'

/** Where a command writes. */
export interface Terminal {
  write(text: string): void
  /** Resolves when all that was written has gone out; whoever writes without end waits for it now and then. */
  flushed(): Promise<void>
  /** False once its reader has gone away: nothing more need be made for it. */
  readonly isOpen: boolean
  /** A person looks at it: lines may be drawn over. */
  readonly isInteractive: boolean
  /** Width to fit lines in; unlimited when it is a file or a pipe. */
  readonly columns: number
  /** For libraries that draw by themselves. */
  readonly stream: Writable
}

/** A standard stream whose reader may go away (`alluvium … | head`): what is written after that is dropped. */
export function terminalOf(stream: NodeJS.WriteStream): Terminal {
  let isOpen = true // `destroyed` does not tell: Node takes it back for standard streams
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    isOpen = false
  })
  return {
    write: (text) => {
      if (isOpen) stream.write(text)
    },
    flushed: () =>
      new Promise((resolve) => {
        if (isOpen) stream.write('', () => resolve())
        else resolve()
      }),
    get isOpen() {
      return isOpen
    },
    isInteractive: stream.isTTY === true,
    get columns() {
      return stream.isTTY ? stream.columns : Number.POSITIVE_INFINITY
    },
    stream,
  }
}
