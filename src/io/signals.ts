/** Ends a run at the first SIGTERM or SIGINT, when its work can be made durable; the second leaves at once. */
export function abortOnSignals(): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(1)
    controller.abort()
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
    },
  }
}
