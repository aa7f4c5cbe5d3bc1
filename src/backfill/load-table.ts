import { EngineError } from '../../core/errors.ts'
import type { StepReached } from '../../core/ports.ts'
import { LoadFiles, type LoadFilesPorts } from '../../writers/backfill/load-files.ts'
import type { TableLoad } from '../../writers/backfill/table-load.ts'
import type { AddFile } from '../../writers/delta/actions.ts'
import { type Chunk, chunksOf, copyStatement, inBlocks, writtenBefore } from './chunk-plan.ts'
import { CopyBlock } from './copy-block.ts'
import type { CopyField } from './copy-columns.ts'
import { CopyRows } from './copy-rows.ts'
import type { Pacing } from './pacing.ts'
import type { SourceSnapshot } from './source-snapshot.ts'

const TRIES_MAX = 5
const PAUSE_MS = 250

/** How a column of the source is read. */
export interface ReadColumn extends CopyField {
  readonly name: string
}

/** Told while a table is read. */
export interface BackfillProgress {
  /** It is begun, or gone on with. */
  begin(chunksDone: number, chunksAll: number): void
  rows(rows: number, bytes: number): void
  chunks(done: number, all: number): void
}

export interface LoadPorts extends LoadFilesPorts {
  readonly stepReached: StepReached
}

export interface LoadTask {
  readonly load: TableLoad
  readonly snapshot: SourceSnapshot
  /** In the order of the layout. */
  readonly columns: readonly ReadColumn[]
  readonly workers: number
  readonly pacing: Pacing
  readonly progress: BackfillProgress
  /** Ends it when what is whole is in the table. */
  readonly signal: AbortSignal
}

/**
 * Reads all chunks that are not in the table, several at a time, and adds them in their order. Of a table that another
 * snapshot was begun with, only rows that have stood still since then.
 *
 * @returns whether all are in the table; `false`: it was told to end
 * @throws EngineError what the source and the store throw; what was added stays
 */
export async function loadTable(ports: LoadPorts, task: LoadTask): Promise<boolean> {
  const { load, workers } = task
  const chunks = chunksOf(load.state!)
  const order = new InOrder(task, chunks.length, load.chunksDone)
  const ended = new AbortController()
  const end = () => ended.abort()
  let next = load.chunksDone
  const work = async () => {
    while (next < chunks.length && !ended.signal.aborted) {
      const number = next++
      try {
        const files = await readPatiently(ports, task, chunks[number]!, ended.signal)
        ports.stepReached('backfill:chunk-staged')
        await order.add(number, files)
      } catch (error) {
        // The first that fails ends the others, which then fail for that reason alone.
        if (ended.signal.aborted) return
        end()
        throw error
      }
    }
  }
  task.signal.addEventListener('abort', end)
  if (task.signal.aborted) end()
  try {
    const outcomes = await Promise.allSettled(Array.from({ length: workers }, work))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  } finally {
    task.signal.removeEventListener('abort', end)
  }
  return load.chunksDone === chunks.length
}

/** A bad day of the source or the store is waited out; nothing of a chunk is visible before all of it is there. */
async function readPatiently(
  ports: LoadPorts,
  task: LoadTask,
  chunk: Chunk,
  signal: AbortSignal,
): Promise<readonly AddFile[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await readChunk(ports, task, chunk, signal)
    } catch (error) {
      const isBadDay = error instanceof EngineError && error.remedy === 'retry'
      if (!isBadDay || tries === TRIES_MAX || signal.aborted) throw error
    }
    await ports.clock.sleep(PAUSE_MS * 2 ** tries, signal)
  }
}

/** @throws when `signal` says so: a connection that is not read to the end is closed */
async function readChunk(
  ports: LoadPorts,
  { load, snapshot, columns, pacing, progress }: LoadTask,
  chunk: Chunk,
  signal: AbortSignal,
): Promise<readonly AddFile[]> {
  const state = load.state!
  const stoodStill = state.snapshot === snapshot.text ? null : writtenBefore(state.snapshot)
  const statement = copyStatement(chunk.part, columns, inBlocks(chunk), stoodStill, state.where)
  const loaded = load.loaded(snapshot.takenAtUs)
  const files = new LoadFiles(ports, loaded)
  const block = new CopyBlock(loaded.layout.shape)
  const empty = async () => {
    await files.add(block)
    progress.rows(block.rowCount, 0)
    await pacing.rows(block.rowCount)
    block.clear()
  }
  await snapshot.session(async (session) => {
    const rows = new CopyRows(load.options.contract.name, columns)
    for await (const piece of session.copyOut('backfill.copy', statement)) {
      signal.throwIfAborted()
      progress.rows(0, piece.length)
      rows.take(piece)
      while (rows.fill(block)) await empty()
      await pacing.bytes(piece.length)
    }
    rows.end()
    await empty()
  })
  return files.finish()
}

/** Chunks may be read in any order; how many there are is told by one number, so they go in one after the other. */
class InOrder {
  readonly #task: LoadTask
  readonly #all: number
  readonly #ready = new Map<number, readonly AddFile[]>()
  #done: number
  #adding: Promise<void> = Promise.resolve()

  constructor(task: LoadTask, all: number, done: number) {
    this.#task = task
    this.#all = all
    this.#done = done
  }

  /** @returns when all that can be added is in the table */
  add(number: number, files: readonly AddFile[]): Promise<void> {
    this.#ready.set(number, files)
    const added = this.#adding.then(() => this.#addReady())
    this.#adding = added.catch(() => {})
    return added
  }

  async #addReady(): Promise<void> {
    const before = this.#done
    const files: AddFile[] = []
    for (let ready = this.#ready.get(this.#done); ready !== undefined; ready = this.#ready.get(this.#done)) {
      files.push(...ready)
      this.#ready.delete(this.#done++)
    }
    if (this.#done === before) return
    await this.#task.load.addChunks(before, this.#done, files)
    this.#task.progress.chunks(this.#done, this.#all)
  }
}
