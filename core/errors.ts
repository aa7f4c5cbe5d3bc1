/**
 * What the loop may do about an error; it looks at nothing else.
 *
 * - `retry`: a bad day (store busy, network); the same call may succeed later
 * - `stop-table`: this table cannot go on, its siblings can; the message names the cure
 * - `stop`: the process cannot go on (bad configuration, unusable store)
 * - `usage`: the person who called asked for something that cannot be; exit 64
 */
export type Remedy = 'retry' | 'stop-table' | 'stop' | 'usage'

/** Where an error happened, as far as it is known. Rendered at the end of the message. */
export interface ErrorPlace {
  readonly table?: string
  readonly version?: bigint | number
  readonly topic?: string
  readonly partition?: number
  readonly offset?: bigint
}

/** Base of all errors that a user may see. The message says what happened and what to do about it. */
export class EngineError extends Error {
  override readonly name: string = 'EngineError'
  /** Stable, documented, `E_` + words: tests pin the list. */
  readonly code: string
  readonly remedy: Remedy
  readonly place: ErrorPlace

  constructor(code: string, remedy: Remedy, message: string, place: ErrorPlace = {}, cause?: unknown) {
    super(message + describePlace(place), cause === undefined ? undefined : { cause })
    this.code = code
    this.remedy = remedy
    this.place = place
  }
}

function describePlace(place: ErrorPlace): string {
  const parts: string[] = []
  if (place.table !== undefined) parts.push(`table ${place.table}`)
  if (place.version !== undefined) parts.push(`version ${place.version}`)
  if (place.topic !== undefined) parts.push(`topic ${place.topic}`)
  if (place.partition !== undefined) parts.push(`partition ${place.partition}`)
  if (place.offset !== undefined) parts.push(`offset ${place.offset}`)
  return parts.length === 0 ? '' : ` [${parts.join(', ')}]`
}

/** Text of any thrown value, for a message that wraps it. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
