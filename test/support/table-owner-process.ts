import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { LocalStore } from '../../src/io/local-store.ts'
import { systemClock } from '../../src/io/system-clock.ts'
import { systemRandom } from '../../src/io/system-random.ts'
import type { Answer, Ask } from '../../src/pipeline/request.ts'
import { RequestDesk } from '../../src/pipeline/request-desk.ts'
import { MemoryStore } from './memory-store.ts'
import { testPorts } from './test-ports.ts'

/** The pipeline's own side, as a running process has it: it holds tables, and answers. */
export class Owner {
  readonly held: (readonly string[])[] = []
  readonly asked: Ask[] = []
  answer: Omit<Answer, 'process'> = { outcome: 'done', message: '' }
  #isRunning = true
  readonly #loop: Promise<void>

  constructor(lake: string) {
    const store = new LocalStore(lake, { stepReached: () => {}, random: systemRandom })
    const ports = { ...testPorts(new MemoryStore()), store, clock: systemClock, random: systemRandom }
    const desk = new RequestDesk(ports, 'default', {
      hold: async (tables) => void this.held.push(tables),
      honour: async (ask) => {
        this.asked.push(ask)
        return this.answer
      },
    })
    this.#loop = this.#run(desk)
  }

  async #run(desk: RequestDesk): Promise<void> {
    await desk.open()
    while (this.#isRunning) {
      await desk.look()
      await systemClock.sleep(20)
    }
    await desk.close()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    await this.#loop
  }
}

/** @param lake on disk */
export async function withOwner<T>(lake: string, work: (owner: Owner) => Promise<T>): Promise<T> {
  const owner = new Owner(lake)
  const signs = join(lake, '_alluvium/default/processes')
  const isShown = () => existsSync(signs) && readdirSync(signs).some((name) => name.endsWith('.json'))
  while (!isShown()) await systemClock.sleep(10)
  try {
    return await work(owner)
  } finally {
    await owner.stop()
  }
}
