import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import type { S3Server } from '../../test/e2e/s3/s3-server.ts'
import { progressPrefix } from '../../writers/table-progress.ts'
import { startChild } from '../children.ts'
import { PYTHON, script } from '../places.ts'
import type { Sighting } from './ages.ts'
import { PIPELINE } from './engine.ts'

/** delta-rs, looking at one table. */
export class TableWatch {
  readonly sightings: Sighting[] = []
  readonly #process: ChildProcess

  constructor(server: S3Server, path: string, topic: string, partitions: number) {
    const names = Array.from({ length: partitions }, (_, i) => `${progressPrefix(PIPELINE)}${topic}/${i}`)
    const args = ['--table', `s3://${server.bucket}/lake/${path}`, '--progress', ...names]
    const { endpoint, region } = server.settings
    const env = {
      ...{ AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ALLOW_HTTP: 'true' },
      AWS_VIRTUAL_HOSTED_STYLE_REQUEST: 'false',
    }
    this.#process = startChild(PYTHON, [script('live/watch_table.py'), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      this.sightings.push(JSON.parse(line) as Sighting)
    })
  }

  /** @returns when that many records of each partition can be read */
  async sees(counts: readonly number[], timeoutMs: number): Promise<void> {
    const endMs = Date.now() + timeoutMs
    while (!counts.every((count, i) => (this.sightings.at(-1)?.nextOffsets[i] ?? 0) >= count)) {
      if (Date.now() > endMs || this.#process.exitCode !== null) {
        throw new Error(`delta-rs has not seen ${counts} records: ${JSON.stringify(this.sightings.at(-1))}`)
      }
      await pause(100)
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.stdin!.end()
    await ended
  }
}
