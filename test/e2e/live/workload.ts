import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { SeededRandom } from '../../support/seeded-random.ts'
import { TRANSACTIONS, type Transaction } from './transactions.ts'

/** Whoever waits for a lock that waits for him, and whoever comes second with a key: begins anew, as any client would. */
const LOST_RACES = new Set(['40P01', '23505', '40001'])
/** Between two transactions of one connection. */
const PAUSE_MS_MAX = 200

/** Several connections that change the database at the same time until they are told to stop. */
export class Workload {
  readonly #connectionString: string
  readonly #stopping = new AbortController()
  readonly #workers: Promise<void>[] = []
  /** Transactions that were committed, by name. */
  readonly committed = new Map<string, number>()
  lostRaces = 0

  constructor(connectionString: string) {
    this.#connectionString = connectionString
  }

  /** Every worker has a connection, and a second one for transactions that are open beside each other. */
  start(workers: number, random: SeededRandom): void {
    for (let i = 0; i < workers; i++) this.#workers.push(this.#work(random))
  }

  /** Lets what is open commit. @throws what a worker failed of */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#workers)
  }

  /** Fails as soon as a worker does; for those who do something else meanwhile. */
  get failure(): Promise<never> {
    return Promise.all(this.#workers).then(() => new Promise<never>(() => {}))
  }

  async #work(random: SeededRandom): Promise<void> {
    const clients = [this.#connectionString, this.#connectionString].map((url) => new pg.Client(url))
    await Promise.all(clients.map((client) => client.connect()))
    try {
      while (!this.#stopping.signal.aborted) {
        await this.#run(draw(random), clients as [pg.Client, pg.Client], random)
        await pause(random.below(PAUSE_MS_MAX))
      }
    } finally {
      await Promise.all(clients.map((client) => client.end()))
    }
  }

  async #run(
    { name, run }: Transaction,
    clients: readonly [pg.Client, pg.Client],
    random: SeededRandom,
  ): Promise<void> {
    try {
      for (const client of clients) await client.query('begin')
      await run(clients[0], random, clients[1])
      await clients[1].query('commit')
      // The later to begin has committed first: its changes stand below those that were logged before them.
      if (random.chance(0.3)) await pause(random.below(150))
      await clients[0].query('commit')
      this.committed.set(name, (this.committed.get(name) ?? 0) + 1)
    } catch (error) {
      for (const client of clients) await client.query('rollback')
      if (!LOST_RACES.has((error as { code?: string }).code ?? '')) throw error
      this.lostRaces++
    }
  }
}

const TOTAL_WEIGHT = TRANSACTIONS.reduce((sum, { weight }) => sum + weight, 0)

function draw(random: SeededRandom): Transaction {
  let left = random.next() * TOTAL_WEIGHT
  for (const transaction of TRANSACTIONS) {
    left -= transaction.weight
    if (left < 0) return transaction
  }
  return TRANSACTIONS[0]!
}
