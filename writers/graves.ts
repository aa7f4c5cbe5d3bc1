import { EngineError } from '../core/errors.ts'
import type { Clock, ObjectStore, Random } from '../core/ports.ts'
import type { RecordRef } from '../schemas/change-event.ts'
import { comparePositions, type Position } from '../schemas/position.ts'
import { joinTablePath } from './delta/log-path.ts'

/** As long as a table keeps the files of deleted rows: another road may lag so far behind. */
const AGE_MS_MAX = 24 * 60 * 60 * 1000
/** Of all graves of a table, in memory and stored. */
const BYTES_MAX = 16 * 1024 * 1024
/** Objects after which their graves are written into one. */
const OBJECTS_MAX = 32
/** What a grave takes beside its key. */
const GRAVE_BYTES = 128

/** That the source deleted a key, and where in its history. */
export interface Grave {
  /** See `KeyHasher.keyText`. */
  readonly key: string
  readonly position: Position
  /** The record that told it. */
  readonly at: RecordRef
}

/** With the time (milliseconds) when it was written down. */
interface DatedGrave extends Grave {
  readonly dugAtMs: number
}

type GravePorts = { readonly store: ObjectStore; readonly clock: Clock; readonly random: Random }

/**
 * Positions of deleted keys, for a table whose events come by two roads: an event that comes late by the other one must
 * not bring a key back (design §3.1).
 *
 * A grave is a fact about the source, whoever wrote it down. So graves are objects of their own beside the data, stored
 * before the commit of their deletes, and all that are found together are the truth: nothing has to point at them. One
 * counts from the commit of its delete on; when that was lost, the delete is still to come, and what comes before it too.
 */
export class Graves {
  readonly #ports: GravePorts
  readonly #folder: string
  /** By key, in the order in which they were dug. */
  readonly #graves = new Map<string, DatedGrave>()
  /** Found when this was opened, of deletes that were still to come: kept for whoever has the table next. */
  #untold: readonly DatedGrave[] = []
  #objects: string[] = []
  #sizeBytes = 0

  private constructor(ports: GravePorts, tablePath: string) {
    this.#ports = ports
    this.#folder = joinTablePath(tablePath, '_graves/')
  }

  /**
   * @param hasPassed whether the table has taken a record in
   * @throws EngineError `E_GRAVES_DAMAGED` (stop-table)
   */
  static async open(
    ports: GravePorts,
    tablePath: string,
    hasPassed: (at: RecordRef) => boolean,
  ): Promise<Graves> {
    const graves = new Graves(ports, tablePath)
    const objects = await ports.store.list('grave.list', graves.#folder)
    const dug: DatedGrave[] = []
    for (const { path } of objects) {
      // One that is gone was written into another that is newer: a process that was here before tidies up.
      const bytes = await ports.store.get('grave.get', path)
      if (bytes !== null) dug.push(...parseGraves(Buffer.from(bytes).toString(), path))
    }
    graves.#objects = objects.map(({ path }) => path)
    dug.sort((a, b) => a.dugAtMs - b.dugAtMs)
    graves.#untold = dug.filter(({ at }) => !hasPassed(at))
    graves.#remember(dug.filter(({ at }) => hasPassed(at)))
    return graves
  }

  /** Where a key was deleted last. */
  find(key: string): Position | null {
    return this.#graves.get(key)?.position ?? null
  }

  /** Makes graves durable, and keeps the number of objects small. They are not known yet: see `take`. */
  async store(graves: readonly Grave[]): Promise<void> {
    const dug = this.#dated(graves)
    if (this.#objects.length < OBJECTS_MAX) {
      this.#objects.push(await this.#write(dug))
      return
    }
    const older = this.#objects
    const oldestMs = this.#ports.clock.nowMs() - AGE_MS_MAX
    this.#untold = this.#untold.filter(({ dugAtMs }) => dugAtMs >= oldestMs)
    this.#objects = [await this.#write([...this.#untold, ...this.#graves.values(), ...dug])]
    for (const path of older) await this.#ports.store.delete('grave.delete', path)
  }

  /** Graves whose deletes are committed count from now on. */
  take(graves: readonly Grave[]): void {
    this.#remember(this.#dated(graves))
  }

  #dated(graves: readonly Grave[]): DatedGrave[] {
    const dugAtMs = this.#ports.clock.nowMs()
    return graves.map((grave) => ({ ...grave, dugAtMs }))
  }

  async #write(graves: readonly DatedGrave[]): Promise<string> {
    const path = `${this.#folder}${this.#ports.random.uuid()}`
    await this.#ports.store.put('grave.put', path, Buffer.from(graves.map(graveLine).join('')))
    return path
  }

  #remember(graves: readonly DatedGrave[]): void {
    for (const grave of graves) {
      const known = this.#graves.get(grave.key)
      if (known !== undefined && comparePositions(known.position, grave.position) > 0) continue
      this.#forget(grave.key)
      this.#graves.set(grave.key, grave)
      this.#sizeBytes += sizeOf(grave.key)
    }
    const oldestMs = this.#ports.clock.nowMs() - AGE_MS_MAX
    for (const { key, dugAtMs } of this.#graves.values()) {
      if (this.#sizeBytes <= BYTES_MAX && dugAtMs >= oldestMs) return
      this.#forget(key)
    }
  }

  #forget(key: string): void {
    if (this.#graves.delete(key)) this.#sizeBytes -= sizeOf(key)
  }
}

function sizeOf(key: string): number {
  return key.length + GRAVE_BYTES
}

/** `epoch seq lsn dugAtMs key topic/partition offset`: public format, a line a grave. */
function graveLine({ position: { epoch, seq, lsn }, dugAtMs, key, at }: DatedGrave): string {
  return `${epoch} ${seq} ${lsn} ${dugAtMs} ${key} ${at.topic}/${at.partition} ${at.offset}\n`
}

function parseGraves(text: string, path: string): DatedGrave[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const match = /^(\d+) (\d+) (\d+) (\d+) ([A-Za-z0-9+/=]*) ([^ /]+)\/(\d+) (\d+)$/.exec(line)
      if (match === null) throw damaged(path)
      const [, epoch, seq, lsn, dugAtMs, key, topic, partition, offset] = match
      return {
        key: key!,
        position: { epoch: Number(epoch), seq: BigInt(seq!), lsn: BigInt(lsn!) },
        dugAtMs: Number(dugAtMs),
        at: { topic: topic!, partition: Number(partition), offset: BigInt(offset!) },
      }
    })
}

function damaged(path: string): EngineError {
  return new EngineError(
    'E_GRAVES_DAMAGED',
    'stop-table',
    `${path}, which tells where keys were deleted, cannot be read; delete it when no topic of the table lags, ` +
      'or check the table against the source afterwards',
  )
}
