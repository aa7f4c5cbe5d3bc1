import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { S3Server } from '../s3/s3-server.ts'
import type { Answer, ForeignProcess } from './foreign-process.ts'
import { GrowingTopic } from './growing-topic.ts'

export interface SharedWorld {
  readonly server: S3Server
  /** Where the topics grow. */
  readonly recordings: string
  readonly deltaRs: ForeignProcess
  readonly spark: ForeignProcess
}

/** A table that the stream and others write: what the one says of it, and what the others did to it. */
export class SharedTable {
  readonly name: string
  readonly feed: GrowingTopic
  readonly #world: SharedWorld
  readonly #changed = new Map<number, string | null>()

  constructor(world: SharedWorld, name: string) {
    this.#world = world
    this.name = name
    this.feed = new GrowingTopic(world.recordings, name)
  }

  /** For delta-rs. */
  get location(): string {
    return `s3://${this.#world.server.bucket}/lake/public/${this.name}`
  }

  /** For Spark. */
  get sparkPath(): string {
    return `s3a://${this.#world.server.bucket}/lake/public/${this.name}`
  }

  /** In Spark's statements. */
  get sql(): string {
    return `delta.\`${this.sparkPath}\``
  }

  get newestVersion(): number {
    const log = join(this.#world.server.files, 'lake/public', this.name, '_delta_log')
    const entries = readdirSync(log).filter((file) => /^\d{20}\.json$/.test(file))
    return Math.max(...entries.map((file) => Number.parseInt(file, 10)))
  }

  /** Others set rows `from` up to and without `to` to a value; `null`: they deleted them. */
  changed(from: number, to: number, value: string | null): void {
    for (let id = from; id < to; id++) this.#changed.set(id, value)
  }

  async rows(): Promise<readonly string[]> {
    return rowTexts(await this.#world.deltaRs.ask({ do: 'read', table: this.location }))
  }

  /** The stream goes on, and in the end both sides' rows are there, as two engines read them. */
  async expectBoth(): Promise<void> {
    const before = this.newestVersion
    this.feed.every(60)
    await expect.poll(() => this.newestVersion, { timeout: 60_000 }).toBeGreaterThan(before + 1)
    this.feed.stop()
    await expect.poll(() => this.rows(), { timeout: 60_000, interval: 500 }).toEqual(this.#expected)
    expect(rowTexts(await this.#world.spark.ask({ read: this.sparkPath }))).toEqual(this.#expected)
  }

  get #expected(): readonly string[] {
    const rows = new Map<number, string | null>([...this.feed.rows, ...this.#changed])
    return [...rows].flatMap(([id, value]) => (value === null ? [] : [`${id} ${value}`])).sort()
  }
}

function rowTexts({ columns = [], rows = [] }: Answer): readonly string[] {
  const [id, value] = [columns.indexOf('id'), columns.indexOf('value')]
  return rows.map((cells) => `${cells[id]} ${cells[value]}`).sort()
}
