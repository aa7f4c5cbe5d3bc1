import type { Writable } from 'node:stream'

/** Where a command writes. */
export interface Terminal {
  write(text: string): void
  /** A person looks at it: lines may be drawn over. */
  readonly isInteractive: boolean
  /** Width to fit lines in; unlimited when it is a file or a pipe. */
  readonly columns: number
  /** For libraries that draw by themselves. */
  readonly stream: Writable
}

/** A standard stream whose reader may go away (`alluvium … | head`): what is written after that is dropped. */
export function terminalOf(stream: NodeJS.WriteStream): Terminal {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return {
    write: (text) => {
      if (!stream.destroyed) stream.write(text)
    },
    isInteractive: stream.isTTY === true,
    get columns() {
      return stream.isTTY ? stream.columns : Number.POSITIVE_INFINITY
    },
    stream,
  }
}
