import { z } from 'zod'
import type { Random } from '../../core/ports.ts'
import type { TableId } from '../../schemas/change-event.ts'
import { encodePathPart } from '../../schemas/table-path.ts'

/**
 * What a command asks of the processes that run a pipeline. Public format: an object
 * `_alluvium/<pipeline>/requests/<id>.json`, answered by `<id>.<process>.answer.json` beside it.
 *
 * `pause` holds for as long as the object lies there and has not expired; the others are done once.
 */
export type Ask =
  | { readonly kind: 'pause'; readonly table: string }
  | { readonly kind: 'resume'; readonly table: string; readonly acceptGap: boolean }
  | { readonly kind: 'stop' }
  | ({ readonly kind: 'watch' } & WatchOrder)
  | ({ readonly kind: 'give' } & GiveOrder)

/** From now on the owner of a table remembers which keys its stream touches; answered by the name of the watch. */
export interface WatchOrder {
  readonly table: string
  /** What the source calls it: its owner may not have met it yet. */
  readonly source: TableId
}

/** Rows of a moment of the source go into a table; answered by a `MomentReport`. */
export interface GiveOrder {
  readonly table: string
  readonly watch: string
  /** The moment, as `pg_current_snapshot()` tells it. */
  readonly snapshot: string
  /** Name of the object that holds the rows, see `MomentRowsShelf`. */
  readonly rows: string
  /** See `MomentRows`. */
  readonly complete?: readonly string[] | undefined
}

export interface Request {
  /** Begins with the time it was made, so that requests are listed in order. */
  readonly id: string
  readonly createdMs: number
  readonly expiresMs: number
  /** `null`: of a later release, or damaged. */
  readonly ask: Ask | null
}

/** `done`: also of a pause that holds here now. `not-mine`: another process has the table. */
export type Outcome = 'done' | 'not-mine' | 'refused'

export interface Answer {
  readonly process: string
  readonly outcome: Outcome
  /** For a person; empty when there is nothing to say. */
  readonly message: string
  /** What was asked for, as JSON; not there when it was only to be done. */
  readonly result?: unknown
}

const table = z.string().min(1).max(1000)

const askSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pause'), table }),
  z.object({ kind: z.literal('resume'), table, acceptGap: z.boolean() }),
  z.object({ kind: z.literal('stop') }),
  z.object({
    kind: z.literal('watch'),
    table,
    source: z.object({ sourceName: z.string(), database: z.string(), schema: z.string(), table: z.string() }),
  }),
  z.object({
    kind: z.literal('give'),
    table,
    watch: z.string(),
    snapshot: z.string().regex(/^\d+:\d+:[\d,]*$/),
    rows: z.string().regex(/^\d{13}-[0-9a-f]{8}$/),
    complete: z.array(z.string()).optional(),
  }),
])

const requestSchema = z.object({
  format: z.literal(1),
  createdMs: z.int(),
  expiresMs: z.int(),
  ask: z.unknown(),
})

const answerSchema = z.object({
  format: z.literal(1),
  process: z.string(),
  outcome: z.enum(['done', 'not-mine', 'refused']),
  message: z.string(),
  result: z.unknown().optional(),
})

/** Where a pipeline keeps what is about its processes: beside its passed mark. */
export function pipelineFolder(pipeline: string): string {
  return `_alluvium/${encodePathPart(pipeline)}`
}

/** A request, an answer or rows that nobody took away are kept for so long. */
export const REQUEST_KEPT_MS = 7 * 24 * 3_600_000

/** A name for what is given to processes through the lake: it tells when, and sorts by age. */
export function requestName(createdMs: number, random: Random): string {
  const digits = Buffer.from(random.bytes(4)).toString('hex')
  return `${String(createdMs).padStart(13, '0')}-${digits}`
}

export function requestsFolder(pipeline: string): string {
  return `${pipelineFolder(pipeline)}/requests/`
}

export function requestPath(pipeline: string, id: string): string {
  return `${requestsFolder(pipeline)}${id}.json`
}

export function answerPath(pipeline: string, id: string, process: string): string {
  return `${requestsFolder(pipeline)}${id}.${process}.answer.json`
}

/** What an object of the folder is. @returns `null` when it is none of ours */
export function placeInFolder(
  path: string,
): { readonly id: string; readonly process: string | null; readonly createdMs: number } | null {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const found = /^((\d{13})-[0-9a-f]{8})(?:\.([0-9a-f-]+)\.answer)?\.json$/.exec(name)
  return found === null ? null : { id: found[1]!, process: found[3] ?? null, createdMs: Number(found[2]) }
}

export function renderRequest({ createdMs, expiresMs, ask }: Request): Uint8Array {
  return render({ format: 1, createdMs, expiresMs, ask })
}

/** A request that cannot be read is one all the same: it is answered, and expires when it was made. */
export function parseRequest(id: string, bytes: Uint8Array): Request {
  const createdMs = Number(id.slice(0, 13))
  const parsed = requestSchema.safeParse(parseJson(bytes))
  if (!parsed.success) return { id, createdMs, expiresMs: createdMs, ask: null }
  const ask = askSchema.safeParse(parsed.data.ask)
  return { id, createdMs, expiresMs: parsed.data.expiresMs, ask: ask.success ? ask.data : null }
}

export function renderAnswer(answer: Answer): Uint8Array {
  return render({ format: 1, ...answer })
}

/** @returns `null` when it cannot be read */
export function parseAnswer(bytes: Uint8Array): Answer | null {
  const parsed = answerSchema.safeParse(parseJson(bytes))
  if (!parsed.success) return null
  const { format: _, result, ...answer } = parsed.data
  return result === undefined ? answer : { ...answer, result }
}

function render(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`)
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}
