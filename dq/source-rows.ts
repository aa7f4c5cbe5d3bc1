import type { Clock, SourceRow, SourceSession, SourceTableName } from '../core/ports.ts'
import { quoteName, quoteTable } from '../schemas/postgres-name.ts'
import type { BucketSums } from './bucket-sums.ts'
import { lengthPrefixedSql, parseLengthPrefixed } from './canonical/length-prefix.ts'
import { parseSourceType } from './canonical/source-type.ts'
import type { ComparedColumn, ComparedTable } from './compared-table.ts'
import type { Digest, DigestedRow } from './row-digests.ts'

/** A part of a table that one statement reads: some blocks of one leaf. */
interface Chunk {
  readonly leaf: SourceTableName
  readonly firstBlock: number
  readonly endBlock: number
}

/** Pauses between statements, so that the source has room for others. */
export type Throttle = (rows: number) => Promise<void>

/** Blocks of 8 kB a statement reads: a second or so of work. */
const CHUNK_BLOCKS = 8192
/** Keys that one statement asks for. */
const KEYS_AT_ONCE = 5_000

/** Types whose canonical text is read by Postgres as the same value, and whose index finds it. */
const LOOKED_UP: Readonly<Record<string, string>> = {
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  text: 'text',
  'character varying': 'text',
  uuid: 'uuid',
}

/**
 * Rows of a source table as digests, inside one transaction. All is made of inline expressions behind `OFFSET 0` fences,
 * so that each is worked out once a row (reliability §4 "Cost").
 */
export class SourceRows {
  readonly #session: SourceSession
  readonly #table: ComparedTable
  readonly #digest: Digest
  readonly #throttle: Throttle

  constructor(session: SourceSession, table: ComparedTable, digest: Digest, throttle: Throttle) {
    this.#session = session
    this.#table = table
    this.#digest = digest
    this.#throttle = throttle
  }

  /** Adds all rows, or those in some buckets, to `sums`. @param within prefixes of one length */
  async addTo(sums: BucketSums, within: readonly string[] | null = null): Promise<void> {
    const sql = (from: string) => `
      SELECT left(k, ${sums.digits}) AS bucket, count(*) AS n,
             sum(('x' || left(h, 16))::bit(64)::int8) AS high, sum(('x' || substr(h, 17, 16))::bit(64)::int8) AS low
        FROM (${this.#digested(from, within)}) d GROUP BY 1`
    for await (const row of this.#chunked('dq.buckets', sql, within)) {
      sums.addSums(row['bucket']!, Number(row['n']), BigInt(row['high']!), BigInt(row['low']!))
    }
  }

  /** Rows of some buckets. */
  async *rowsWithin(within: readonly string[]): AsyncGenerator<DigestedRow> {
    const sql = (from: string) => `SELECT kt, h FROM (${this.#digested(from, within)}) d`
    for await (const row of this.#chunked('dq.rows', sql, within)) yield digestedRow(row)
  }

  /** The rows that there are of some keys. */
  async *rowsOf(keys: ReadonlySet<string>): AsyncGenerator<DigestedRow> {
    const sql = (from: string, filter: string) =>
      `SELECT kt, h FROM (${this.#digested(from, null, filter)}) d`
    for await (const row of this.#lookedUp('dq.keys', sql, keys)) {
      if (keys.has(row['kt']!)) yield digestedRow(row)
    }
  }

  /** Canonical texts of the compared columns, of the rows of some keys. */
  async *textsOf(
    keys: ReadonlySet<string>,
  ): AsyncGenerator<{ readonly keyText: string; readonly texts: readonly (string | null)[] }> {
    const texts = this.#table.columns.map((_, i) => `t${i}`).join(', ')
    const sql = (from: string, filter: string) =>
      `SELECT kt, json_build_array(${texts}) AS texts FROM (${this.#texts(from, null, filter)}) d`
    for await (const row of this.#lookedUp('dq.columns', sql, keys)) {
      if (keys.has(row['kt']!)) yield { keyText: row['kt']!, texts: JSON.parse(row['texts']!) }
    }
  }

  /** Exact, by counting. */
  async count(): Promise<number> {
    let rows = 0
    for await (const row of this.#chunked('dq.count', (from) => `SELECT count(*) AS n ${from}`)) {
      rows += Number(row['n'])
    }
    return rows
  }

  /** `k` the hash of the key, `kt` its text, `h` the hash of the row. */
  #digested(from: string, within: readonly string[] | null, filter = ''): string {
    const row = concatenated(this.#table.columns.map((_, i) => `t${i}`))
    return `SELECT k, kt, ${this.#hash('rt')} AS h FROM (
      SELECT k, kt, ${row} AS rt FROM (${this.#texts(from, within, filter)}) c OFFSET 0) d OFFSET 0`
  }

  /** `k`, `kt` and the texts `t0`, `t1` … of the columns. */
  #texts(from: string, within: readonly string[] | null, filter: string): string {
    const { columns, key } = this.#table
    const texts = columns.map((column, i) => `${column.canonical.sql(`c${i}`)} AS t${i}`)
    // Under names of ours, so that no column of the table is taken for another.
    const raw = columns.map((column, i) => `s.${quoteName(column.name)} AS c${i}`)
    const wanted = [...(within === null ? [] : [`left(k, ${within[0]!.length}) = ANY($1)`]), filter]
    const where = wanted
      .filter((each) => each !== '')
      .map((each, i) => `${i === 0 ? 'WHERE' : 'AND'} ${each}`)
    if (key === null) {
      const row = concatenated(columns.map((_, i) => `t${i}`))
      return `SELECT * FROM (SELECT *, ${this.#hash('kt')} AS k FROM (SELECT *, ${row} AS kt FROM (
        SELECT ${texts.join(', ')} FROM (SELECT ${raw.join(', ')} ${from} OFFSET 0) s OFFSET 0) a OFFSET 0) b OFFSET 0) c
        ${where.join(' ')} OFFSET 0`
    }
    const keyTexts = key.map((column, i) => `${column.canonical.sql(`s.${quoteName(column.name)}`)} AS k${i}`)
    return `SELECT k, kt, ${texts.join(', ')} FROM (SELECT *, ${this.#hash('kt')} AS k FROM (
      SELECT *, ${concatenated(key.map((_, i) => `k${i}`))} AS kt FROM (
      SELECT ${[...raw, ...keyTexts].join(', ')} ${from} OFFSET 0) a OFFSET 0) b OFFSET 0) c ${where.join(' ')} OFFSET 0`
  }

  #hash(text: string): string {
    return this.#digest === 'md5' ? `md5(${text})` : `encode(sha256(convert_to(${text}, 'UTF8')), 'hex')`
  }

  async *#chunked(
    site: string,
    sql: (from: string) => string,
    within: readonly string[] | null = null,
  ): AsyncGenerator<SourceRow> {
    for (const { leaf, firstBlock, endBlock } of await this.#chunks()) {
      const wanted = this.#table.where === null ? '' : `AND (${this.#table.where})`
      const from = `FROM ${quoteTable(leaf)} s WHERE s.ctid >= '(${firstBlock},0)' AND s.ctid < '(${endBlock},0)' ${wanted}`
      const rows = await this.#session.query(site, sql(from), within === null ? [] : [within])
      yield* rows
      await this.#throttle(rows.reduce((sum, row) => sum + Number(row['n'] ?? 1), 0))
    }
  }

  /** Rows that came since the table was measured are not visible to the transaction. */
  async #chunks(): Promise<readonly Chunk[]> {
    const leaves = await this.#session.query('dq.leaves', LEAVES, [quoteTable(this.#table.source)])
    return leaves.flatMap((row) => {
      const leaf = { schema: row['schema']!, table: row['name']! }
      const chunks: Chunk[] = []
      for (let firstBlock = 0; firstBlock < Number(row['blocks']); firstBlock += CHUNK_BLOCKS) {
        chunks.push({ leaf, firstBlock, endBlock: firstBlock + CHUNK_BLOCKS })
      }
      return chunks
    })
  }

  /** By the index of the key where its types allow it, else by reading the table once for many keys. */
  async *#lookedUp(
    site: string,
    sql: (from: string, filter: string) => string,
    keys: ReadonlySet<string>,
  ): AsyncGenerator<SourceRow> {
    const casts = lookupCasts(this.#table.key)
    const all = [...keys]
    for (let at = 0; at < all.length; at += KEYS_AT_ONCE) {
      const some = all.slice(at, at + KEYS_AT_ONCE)
      if (casts === null) {
        const from = `FROM ${quoteTable(this.#table.source)} s`
        yield* await this.#session.query(site, sql(from, 'kt = ANY($1)'), [some])
      } else {
        const texts = some.map(parseLengthPrefixed)
        const lists = casts.map((_, i) => texts.map((each) => each[i]!))
        yield* await this.#session.query(site, sql(this.#joined(casts), ''), lists)
      }
      await this.#throttle(some.length)
    }
  }

  #joined(casts: readonly string[]): string {
    const lists = casts.map((cast, i) => `$${i + 1}::${cast}[]`).join(', ')
    const names = casts.map((_, i) => `w${i}`)
    const on = this.#table.key!.map((column, i) => `s.${quoteName(column.name)} = q.w${i}`).join(' AND ')
    return `FROM ${quoteTable(this.#table.source)} s JOIN unnest(${lists}) q(${names.join(', ')}) ON ${on}`
  }
}

const LEAVES = `
SELECT n.nspname AS schema, c.relname AS name, pg_relation_size(c.oid) / current_setting('block_size')::int8 AS blocks
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND (c.oid = $1::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree($1::regclass)))`

function lookupCasts(key: readonly ComparedColumn[] | null): readonly string[] | null {
  if (key === null) return null
  const casts = key.map(({ sourceType }) => LOOKED_UP[parseSourceType(sourceType).name])
  return casts.every((cast) => cast !== undefined) ? (casts as string[]) : null
}

function concatenated(texts: readonly string[]): string {
  return texts.map(lengthPrefixedSql).join(' || ')
}

function digestedRow(row: SourceRow): DigestedRow {
  return { keyText: row['kt']!, rowHash: row['h']! }
}

/** Pauses so that no more than so many rows a second are read. */
export function throttle(clock: Clock, rowsPerSecond: number | null): Throttle {
  let dueMs = clock.monotonicMs()
  return async (rows) => {
    if (rowsPerSecond === null) return
    dueMs = Math.max(dueMs, clock.monotonicMs()) + (rows / rowsPerSecond) * 1000
    const waitMs = dueMs - clock.monotonicMs()
    if (waitMs > 0) await clock.sleep(waitMs)
  }
}
