import type pg from 'pg'
import type { SeededRandom } from '../../support/seeded-random.ts'

/** One thing that clients of a database do. */
export interface Transaction {
  readonly name: string
  /** How often it is drawn, beside the others. */
  readonly weight: number
  /** @param beside a connection with a transaction of its own, which commits first */
  readonly run: (client: pg.Client, random: SeededRandom, beside: pg.Client) => Promise<unknown>
}

const REV = `nextval('shop.rev')`
const CUSTOMERS = 1500
const DOCUMENTS = 120
const PARCELS = 400
const ACCOUNTS = 200
const SEATS = 60

/** So that every copy brings rows of its own. */
let copies = 0

/** Texts that a path, a JSON text, a hash or a sort of bytes could stumble over. */
const NAMES = [
  'plain',
  'with space',
  'ünïcode',
  'quo"te',
  "apo'strophe",
  'back\\slash',
  'a/b',
  '%41',
  '😀',
  '',
]

export const TRANSACTIONS: readonly Transaction[] = [
  {
    name: 'insert some customers',
    weight: 10,
    run: (client, random) =>
      client.query(
        `insert into shop.customers (id, name, balance, seen_at, rev)
         select i, 'customer ' || i, i * 1.01, now(), ${REV} from generate_series($1::int, $1 + $2) i
         on conflict do nothing`,
        [random.below(CUSTOMERS), random.below(12)],
      ),
  },
  {
    name: 'update some customers',
    weight: 14,
    run: (client, random) =>
      client.query(
        `update shop.customers set balance = balance + 1, seen_at = now(), rev = ${REV} where id between $1::int and $1 + $2`,
        [random.below(CUSTOMERS), random.below(20)],
      ),
  },
  {
    name: 'delete some customers',
    weight: 5,
    run: (client, random) =>
      client.query('delete from shop.customers where id between $1::int and $1 + $2', [
        random.below(CUSTOMERS),
        random.below(8),
      ]),
  },
  {
    name: 'delete a customer and insert it again',
    weight: 4,
    run: async (client, random) => {
      const id = random.below(CUSTOMERS)
      await client.query('delete from shop.customers where id = $1', [id])
      await client.query(
        `insert into shop.customers (id, name, balance, seen_at, rev) values ($1, 'again', 0, null, ${REV})`,
        [id],
      )
    },
  },
  {
    name: 'change the key of customers',
    weight: 4,
    run: (client, random) =>
      client.query(
        `update shop.customers set id = case when id < 100000 then id + 100000 else id - 100000 end, rev = ${REV}
         where id % 100000 between $1::int and $1 + 2`,
        [random.below(CUSTOMERS)],
      ),
  },
  {
    name: 'two transactions open beside each other',
    weight: 8,
    run: async (client, random, beside) => {
      const id = 200_000 + random.below(1_000_000) * 10
      const insert = `insert into shop.customers (id, name, rev) values ($1, $2, ${REV})`
      await client.query(insert, [id, 'outer'])
      await beside.query(insert, [id + 1, 'inner'])
      await client.query(`update shop.accounts set owner = $2, rev = ${REV} where id = $1`, [
        1 + (id % 97),
        `o${id}`,
      ])
      await beside.query(`update shop.accounts set owner = $2, rev = ${REV} where id = $1`, [
        98 + (id % 97),
        `i${id}`,
      ])
      await client.query(insert, [id + 2, 'outer'])
      await beside.query(`delete from shop.customers where id = $1`, [id + 1])
      await client.query(`update shop.customers set balance = 7, rev = ${REV} where id = $1`, [id])
    },
  },
  {
    name: 'write an order',
    weight: 8,
    run: (client, random) =>
      client.query(
        `insert into shop.order_lines select $1::bigint, i, 'sku ' || i, i, ${REV} from generate_series(1, $2::int) i
         on conflict (order_id, line_no) do update set qty = shop.order_lines.qty + 1, rev = ${REV}`,
        [random.below(800), 1 + random.below(10)],
      ),
  },
  {
    name: 'change half of a composite key',
    weight: 4,
    run: (client, random) =>
      client.query(
        `update shop.order_lines set line_no = line_no + 100 * (case when line_no < 100 then 1 else -1 end), rev = ${REV}
         where order_id = $1 and line_no % 100 < 4`,
        [random.below(800)],
      ),
  },
  {
    name: 'drop an order',
    weight: 3,
    run: (client, random) =>
      client.query('delete from shop.order_lines where order_id = $1', [random.below(800)]),
  },
  {
    name: 'set a setting',
    weight: 8,
    run: (client, random) =>
      client.query(
        `insert into shop.settings values ($1, $2, ${REV}) on conflict (name) do update set value = $2, rev = ${REV}`,
        [
          `${NAMES[random.below(NAMES.length)]} ${random.below(40)}`,
          JSON.stringify({ n: random.below(1e9) }),
        ],
      ),
  },
  {
    name: 'rename a setting',
    weight: 3,
    run: (client, random) =>
      client.query(
        `update shop.settings set name = name || '!', rev = ${REV}
         where name = (select name from shop.settings where length(name) < 40 order by rev limit 1 offset $1)`,
        [random.below(30)],
      ),
  },
  {
    name: 'clear a setting',
    weight: 2,
    run: (client, random) =>
      client.query(
        'delete from shop.settings where name = (select name from shop.settings order by rev desc limit 1 offset $1)',
        [random.below(50)],
      ),
  },
  {
    name: 'append to a table without a key',
    weight: 7,
    run: async (client, random) => {
      const { rows } = await client.query(`select ${REV} as rev`)
      // Some rows are there several times, and are one row each.
      const row = [random.below(500), `b ${random.below(9)}`, rows[0].rev]
      for (let copies = random.chance(0.3) ? 3 : 1; copies > 0; copies--)
        await client.query('insert into shop.audit values ($1, $2, $3)', row)
    },
  },
  {
    name: 'update rows without a key',
    weight: 3,
    run: (client, random) =>
      client.query(`update shop.audit set b = b || '.', rev = ${REV} where a = $1`, [random.below(500)]),
  },
  {
    name: 'delete one of several equal rows',
    weight: 3,
    run: (client) =>
      client.query(
        `delete from shop.audit where ctid in (select min(ctid) from shop.audit group by a, b, rev having count(*) > 1 limit 2)`,
      ),
  },
  {
    name: 'write a long text',
    weight: 4,
    run: (client, random) =>
      client.query(
        `insert into shop.documents values ($1, 'new', repeat(md5($2), 100 + $3), ${REV})
         on conflict (id) do update set body = excluded.body, rev = ${REV}`,
        [random.below(DOCUMENTS), String(random.next()), random.below(80)],
      ),
  },
  {
    name: 'update beside a long text',
    weight: 7,
    run: (client, random) =>
      client.query(
        `update shop.documents set title = 'title ' || $1::int, rev = ${REV} where id between $1::int and $1 + 3`,
        [random.below(DOCUMENTS)],
      ),
  },
  {
    name: 'move the key of a long text',
    weight: 2,
    run: (client, random) =>
      client.query(
        `update shop.documents set id = id + 1000 * (case when id < 1000 then 1 else -1 end), rev = ${REV}
         where id % 1000 = $1`,
        [random.below(DOCUMENTS)],
      ),
  },
  {
    name: 'insert readings',
    weight: 5,
    run: (client, random) =>
      client.query(
        `insert into shop.readings select i, 'north', i / 3.0, ${REV} from generate_series($1::int, $1 + 6) i
         on conflict do nothing`,
        [random.below(600)],
      ),
  },
  {
    name: 'move rows between the partitions of the source',
    weight: 4,
    run: (client, random) =>
      client.query(
        `update shop.readings r set region = case region when 'north' then 'south' when 'south' then 'west' else 'north' end,
           rev = ${REV} where id = $1`,
        [random.below(600)],
      ),
  },
  {
    name: 'move rows between the partitions of the lake',
    weight: 5,
    run: (client, random) =>
      client.query(
        `insert into shop.parcels select i, 'south', i, ${REV} from generate_series($1::int, $1 + 3) i
         on conflict (id) do update
         set region = (array['north', 'east', null, 'a/b c=d'])[1 + ($2 + shop.parcels.id) % 4], rev = ${REV}`,
        [random.below(PARCELS), random.below(4)],
      ),
  },
  {
    name: 'move money between two accounts',
    weight: 10,
    run: async (client, random) => {
      const ids = [1 + random.below(ACCOUNTS), 1 + random.below(ACCOUNTS)].sort((a, b) => a - b)
      for (const [i, id] of ids.entries())
        await client.query(`update shop.accounts set amount = amount + $2, rev = ${REV} where id = $1`, [
          id,
          i === 0 ? -1 : 1,
        ])
    },
  },
  {
    name: 'swap two seats',
    weight: 6,
    run: (client, random) => {
      const no = 1 + random.below(SEATS - 1)
      return client.query(
        `update shop.seats set no = case when no = $1 then $2 else $1 end, rev = ${REV} where no in ($1, $2)`,
        [no, no + 1 + random.below(SEATS - no)],
      )
    },
  },
  {
    name: 'every guest moves up by one',
    weight: 1,
    run: (client) =>
      client.query(`update shop.seats set no = 1 + no % (select max(no) from shop.seats), rev = ${REV}`),
  },
  {
    name: 'copy stock in',
    weight: 4,
    run: (client, random) => {
      const first = ++copies * 1000
      const rows = `seq ${first} ${first + 50 + random.below(200)} | awk ''{ printf "%d\\t%d\\t%d\\n", $1, $1 % 7, -$1 }''`
      return client.query(`copy shop.stock from program '${rows}'`)
    },
  },
  {
    name: 'take from stock',
    weight: 3,
    run: (client, random) =>
      client.query(
        `update shop.stock set quantity = quantity - 1, rev = ${REV} where id % 1000 between $1::int and $1 + 1`,
        [random.below(200)],
      ),
  },
  {
    name: 'truncate stock',
    weight: 0.8,
    run: async (client, random) => {
      await client.query('truncate shop.stock')
      if (random.chance(0.5))
        await client.query(
          `insert into shop.stock select i, 1, ${REV} from generate_series(1, 20) i on conflict do nothing`,
        )
    },
  },
]

/** Transactions of ten thousand rows and more; one after the other they leave a ledger that is not empty. */
export const BIG_TRANSACTIONS: readonly string[] = [
  `insert into shop.ledger select i, 'entry ' || i, ${REV} from generate_series(1, 10000) i`,
  `update shop.ledger set entry = entry || '+', rev = ${REV}`,
  `delete from shop.ledger where id % 2 = 0`,
  `insert into shop.ledger select i, 'second ' || i, ${REV} from generate_series(10001, 22000) i`,
]
