/** A bug of ours. It stops the process before anything is written; it never stands for bad input or a bad day. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** @throws AssertionError when `condition` is false: the caller broke its contract. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** Ends a `switch` over a union: the compiler proves that no case is missing, and a wrong cast is found at run time. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable case: ${String(value)}`)
}
