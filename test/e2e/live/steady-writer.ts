import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { SeededRandom } from '../../support/seeded-random.ts'

/** Rows that one transaction changes at most. */
const AT_ONCE = 100
const PAUSE_MS = 20
/** So often a transaction stays open for a while after its changes. */
const LINGERS = 0.1
const LINGER_MS_MAX = 300

/** `shop.orders`, of whose keys about nine in ten are there at any time. */
export const ORDERS_SQL = `
create schema shop;
create schema ops;
create table shop.orders (
  id int primary key, amount numeric(12,2) not null, note text not null, changed_at timestamptz not null, rev int not null);
create table ops.heartbeat (id int primary key, beats bigint);
insert into ops.heartbeat values (1, 0);`

/** @param size all keys there can be */
export function fillOrders(size: number): string {
  return `insert into shop.orders select i, i, repeat('note ' || i || ' ', 60), now(), 0 from generate_series(1, ${size}) i
    where i % 10 <> 0; analyze shop.orders`
}

/** In one statement: half of the keys are updated, a quarter deleted, and what is not there of the rest is inserted. */
const CHANGE = `
with u as (update shop.orders set amount = amount + 1, rev = rev + 1, changed_at = now() where id = any($1) returning 1),
     d as (delete from shop.orders where id = any($2) returning 1),
     i as (insert into shop.orders select k, 0, 'again ' || k, now(), 0 from unnest($3::int[]) k
           on conflict do nothing returning 1)
select (select count(*) from u) + (select count(*) from d) + (select count(*) from i) as changes`

/** Several connections, each with keys of its own, which change rows of `shop.orders` at a steady rate. */
export class SteadyWriter {
  readonly #stopping = new AbortController()
  readonly #writers: Promise<void>[]
  readonly #startMs = performance.now()
  changes = 0

  /** @param rate changes a second of all connections together */
  constructor(url: string, size: number, rate: number, connections: number, random: SeededRandom) {
    this.#writers = Array.from({ length: connections }, (_, own) =>
      this.#write(url, (below) => connections * random.below(Math.floor(below / connections)) + own + 1, {
        ...{ size, rate: rate / connections, random },
      }),
    )
  }

  /** Changes a second until now. */
  get rate(): number {
    return this.changes / ((performance.now() - this.#startMs) / 1000)
  }

  /** Fails as soon as a connection does. */
  get failure(): Promise<never> {
    return Promise.all(this.#writers).then(() => new Promise<never>(() => {}))
  }

  /** @throws what a connection failed of */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#writers)
  }

  async #write(
    url: string,
    keyBelow: (size: number) => number,
    { size, rate, random }: { readonly size: number; readonly rate: number; readonly random: SeededRandom },
  ): Promise<void> {
    const client = new pg.Client(url)
    await client.connect()
    let done = 0
    while (!this.#stopping.signal.aborted) {
      const due = Math.floor(((performance.now() - this.#startMs) / 1000) * rate) - done
      // A few of the keys are where nothing is to be done.
      const keys = new Set(Array.from({ length: Math.min(due, AT_ONCE) }, () => keyBelow(size)))
      const all = [...keys]
      const [updated, deleted] = [Math.ceil(all.length / 2), Math.ceil((all.length * 3) / 4)]
      const lists = [all.slice(0, updated), all.slice(updated, deleted), all.slice(deleted)]
      await client.query('begin')
      const { rows } = await client.query(CHANGE, lists)
      if (random.chance(LINGERS)) await pause(random.below(LINGER_MS_MAX))
      await client.query('commit')
      done += Number(rows[0].changes)
      this.changes += Number(rows[0].changes)
      if (all.length < AT_ONCE) await pause(PAUSE_MS)
    }
    await client.end()
  }
}
