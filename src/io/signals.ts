/** As a shell tells that a process was ended by a signal: 128 and its number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** Requests of a store that does not answer would keep a process alive that has nothing left to do. */
const LEAVE_MS = 5000

export interface Signals {
  readonly signal: AbortSignal
  /** The exit code that tells of the signal which came; `null`: none did. */
  exitCode(): 130 | 143 | null
  /** Stops listening. A process that was told to end does so soon, with the code that it has set. */
  release(): void
}

/** Ends a run at the first SIGTERM or SIGINT, when its work can be made durable; the second leaves at once. */
export function abortOnSignals(): Signals {
  const controller = new AbortController()
  let exitCode: 130 | 143 | null = null
  const onSignal = (name: NodeJS.Signals): void => {
    const code = EXIT_CODES[name as keyof typeof EXIT_CODES]
    if (exitCode !== null) process.exit(code)
    exitCode = code
    controller.abort()
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    release: () => {
      process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
      if (exitCode !== null) setTimeout(() => process.exit(), LEAVE_MS).unref()
    },
  }
}
