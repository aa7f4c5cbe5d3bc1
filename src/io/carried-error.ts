import { EngineError, type ErrorPlace, type Remedy } from '../../core/errors.ts'

/** An error as a plain value: threads hand on no classes. Its cause is told by its own side alone. */
export interface CarriedError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly engine: { readonly code: string; readonly remedy: Remedy; readonly place: ErrorPlace } | null
}

export function carryError(thrown: unknown): CarriedError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { name, message, stack } = error
  if (!(error instanceof EngineError)) return { name, message, stack, engine: null }
  const { code, remedy, place } = error
  return { name, message, stack, engine: { code, remedy, place } }
}

export function unpackError({ name, message, stack, engine }: CarriedError): Error {
  const told = stack === undefined ? {} : { stack }
  if (engine === null) return Object.assign(new Error(message), { name, ...told })
  // The message names the place already.
  return Object.assign(new EngineError(engine.code, engine.remedy, '', engine.place), { message, ...told })
}
