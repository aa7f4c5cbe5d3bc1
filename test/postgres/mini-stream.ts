import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { UNAVAILABLE_PLACEHOLDER } from '../../schemas/decode/decode-options.ts'
import {
  ACCOUNT_COLUMNS,
  type Account,
  accountJson,
  accountRow,
  keyJson,
  keyOnlyJson,
} from '../support/account.ts'
import { runCommand } from '../support/cli-run.ts'
import { temporaryDirectory } from '../support/lake-of-recording.ts'
import type { TestDatabase } from './test-database.ts'

export const ACCOUNTS = 'public.accounts'

/** A transaction of the source that may stay open for a while. */
export interface OpenTransaction {
  put(account: Account): Promise<void>
  remove(id: bigint): Promise<void>
  /** Commits, and tells the topic. */
  commit(): Promise<void>
}

/** The table `public.accounts` of a real Postgres, and a topic that tells of its commits as a connector would. */
export class MiniStream {
  readonly directory = temporaryDirectory()
  readonly lake = join(this.directory, 'lake')
  readonly config = join(this.directory, 'alluvium.yaml')
  readonly #database: TestDatabase
  readonly #topic: string
  #offset = 0
  #lsn = 1_000

  constructor(database: TestDatabase) {
    this.#database = database
    const topics = join(this.directory, 'topics')
    mkdirSync(topics)
    this.#topic = join(topics, `shop.${ACCOUNTS}.jsonl`)
    const pipeline = { source: { files: topics }, tables: { [ACCOUNTS]: { columns: ACCOUNT_COLUMNS } } }
    const content = { lake: this.lake, pipelines: { default: pipeline }, dq: { source: database.url } }
    writeFileSync(this.config, JSON.stringify(content))
  }

  async createTable(): Promise<void> {
    const columns = Object.entries(ACCOUNT_COLUMNS).map(([name, type]) => `${name} ${type}`)
    await this.#database.query(
      `drop table if exists accounts; create table accounts (${columns.join(', ')}, primary key (id))`,
    )
  }

  /** Everything in one transaction. */
  async commit(accounts: readonly Account[], removed: readonly bigint[] = []): Promise<void> {
    const transaction = await this.begin()
    for (const account of accounts) await transaction.put(account)
    for (const id of removed) await transaction.remove(id)
    await transaction.commit()
  }

  /** Many new rows at once. */
  async fill(accounts: readonly Account[]): Promise<void> {
    const rows = JSON.stringify(accounts.map(accountRow))
    const { rows: found } = await this.#database.query(
      `with filled as (insert into accounts select * from json_populate_recordset(null::accounts, $1))
       select pg_current_xact_id()::text as xid`,
      [rows],
    )
    for (const account of accounts)
      this.#tell('c', account.id, null, accountJson(account), found[0].xid as string)
  }

  /** Rows come before the stream begins; then all of them are updated, but their notes, which the stream so does not tell. */
  async beginWithUpdates(accounts: readonly Account[]): Promise<void> {
    const rows = JSON.stringify(accounts.map(accountRow))
    await this.#database.query(
      'insert into accounts select * from json_populate_recordset(null::accounts, $1)',
      [rows],
    )
    const { rows: found } = await this.#database.query(
      'with u as (update accounts set tier = tier) select pg_current_xact_id()::text as xid',
    )
    for (const account of accounts) {
      const told = accountJson({ ...account, note: UNAVAILABLE_PLACEHOLDER })
      this.#tell('u', account.id, null, told, found[0].xid as string)
    }
  }

  async begin(): Promise<OpenTransaction> {
    const client = new pg.Client({ connectionString: this.#database.url })
    await client.connect()
    await client.query('begin')
    const { rows } = await client.query('select pg_current_xact_id()::text as xid')
    const events: ((txId: string) => void)[] = []
    return {
      put: async (account) => {
        const existed = await client.query('delete from accounts where id = $1', [String(account.id)])
        await client.query('insert into accounts select * from json_populate_record(null::accounts, $1)', [
          JSON.stringify(accountRow(account)),
        ])
        const op = existed.rowCount === 0 ? 'c' : 'u'
        events.push((txId) => this.#tell(op, account.id, null, accountJson(account), txId))
      },
      remove: async (id) => {
        const { rowCount } = await client.query('delete from accounts where id = $1', [String(id)])
        if (rowCount !== 0) events.push((txId) => this.#tell('d', id, keyOnlyJson(id), null, txId))
      },
      commit: async () => {
        await client.query('commit')
        await client.end()
        for (const tell of events) tell(rows[0].xid as string)
      },
    }
  }

  /** Takes what the topic holds into the lake. */
  async ingest(): Promise<void> {
    const { exitCode, stderr } = await runCommand(['ingest', '-c', this.config, '--until-end', '--json'])
    if (exitCode !== 0) throw new Error(stderr)
  }

  #tell(op: string, id: bigint, before: string | null, after: string | null, txId: string): void {
    this.#lsn += 8
    const position = this.#lsn
    const source = {
      ...{ version: '3.7.0.Final', connector: 'postgresql', name: 'shop', snapshot: 'false', db: 'shop' },
      ...{
        schema: 'public',
        table: 'accounts',
        txId: Number(txId),
        lsn: position,
        ts_ms: 1_700_000_000_000 + position,
      },
      sequence: `["${position - 8}","${position}"]`,
    }
    const value = `{"before":${before},"after":${after},"source":${JSON.stringify(source)},"op":"${op}","ts_ms":${source.ts_ms}}`
    const record = {
      topic: `shop.${ACCOUNTS}`,
      partition: 0,
      offset: this.#offset++,
      timestamp: source.ts_ms,
    }
    const line = { ...record, timestampType: 'create', key: keyJson(id), value, headers: [] }
    appendFileSync(this.#topic, `${JSON.stringify(line)}\n`)
  }
}
