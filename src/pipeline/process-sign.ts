import { z } from 'zod'
import type { Clock, ObjectStore } from '../../core/ports.ts'
import { pipelineFolder } from './request.ts'

/** How often a running process says that it is there. */
const SHOWN_EVERY_MS = 30_000
/** A sign that is older belongs to a process that is gone, or cannot reach the lake. */
const ALIVE_MS = 90_000
/** Nobody asks for signs that are older. */
const KEPT_MS = 600_000

/** What a running process says of itself. */
export interface ProcessSign {
  readonly process: string
  readonly startedMs: number
  readonly seenMs: number
}

const signSchema = z.object({ format: z.literal(1), startedMs: z.int(), seenMs: z.int() })

/**
 * The sign that one process of a pipeline keeps in the lake, so that commands know whom they wait for: an object
 * `_alluvium/<pipeline>/processes/<process>.json`, written anew every 30 s and taken away at the end.
 */
export class OwnSign {
  readonly process: string
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #path: string
  readonly #startedMs: number
  #shownAtMs: number | null = null

  /** @param process a UUID */
  constructor(store: ObjectStore, clock: Clock, pipeline: string, process: string) {
    this.#store = store
    this.#clock = clock
    this.process = process
    this.#path = `${signsFolder(pipeline)}${process}.json`
    this.#startedMs = clock.nowMs()
  }

  async showWhenDue(): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#shownAtMs !== null && nowMs - this.#shownAtMs < SHOWN_EVERY_MS) return
    this.#shownAtMs = nowMs
    const sign = { format: 1, startedMs: this.#startedMs, seenMs: this.#clock.nowMs() }
    await this.#store.put('sign.put', this.#path, new TextEncoder().encode(`${JSON.stringify(sign)}\n`))
  }

  async takeAway(): Promise<void> {
    if (this.#shownAtMs !== null) await this.#store.delete('sign.delete', this.#path)
  }
}

/** The processes that run a pipeline now, as far as the lake tells. Signs of those long gone are swept. */
export async function runningProcesses(
  store: ObjectStore,
  clock: Clock,
  pipeline: string,
): Promise<readonly ProcessSign[]> {
  const signs: ProcessSign[] = []
  for (const { path } of await store.list('sign.list', signsFolder(pipeline))) {
    const process = /\/([0-9a-f-]+)\.json$/.exec(path)?.[1]
    if (process === undefined) continue
    const bytes = await store.get('sign.get', path)
    const sign = bytes === null ? null : parseSign(bytes)
    const ageMs = sign === null ? Number.POSITIVE_INFINITY : clock.nowMs() - sign.seenMs
    if (ageMs > KEPT_MS) await store.delete('sign.delete', path)
    if (sign !== null && ageMs <= ALIVE_MS) signs.push({ process, ...sign })
  }
  return signs
}

function signsFolder(pipeline: string): string {
  return `${pipelineFolder(pipeline)}/processes/`
}

function parseSign(bytes: Uint8Array): Omit<ProcessSign, 'process'> | null {
  try {
    const { startedMs, seenMs } = signSchema.parse(JSON.parse(new TextDecoder().decode(bytes)))
    return { startedMs, seenMs }
  } catch {
    return null
  }
}
