import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'

/** Samples this process between two moments. */
export class Profiler {
  readonly #session = new Session()

  async start(): Promise<void> {
    this.#session.connect()
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.setSamplingInterval', { interval: 500 })
    await this.#session.post('Profiler.start')
  }

  async stop(path: string): Promise<void> {
    const { profile } = await this.#session.post('Profiler.stop')
    writeFileSync(path, JSON.stringify(profile))
    this.#session.disconnect()
  }
}
