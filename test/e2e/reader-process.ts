import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { CanonicalCell, CanonicalRow } from '../support/canonical-row.ts'
import type { DeltaTypeJson } from './source-types.ts'

/** An engine that has not answered by then hangs; it is ended, and started anew for the next question. */
const ANSWER_MS_MAX = 100_000

const READERS = resolve('.readers')
const SCRIPTS = resolve('test/e2e/readers')

export interface ReadRequest {
  /** Directory of the table. */
  readonly table: string
  readonly version?: number
  /** Read the change feed from this version on instead of the rows. */
  readonly changesFrom?: number
  /** Only count the rows. */
  readonly count?: true
}

/** What an engine says about a table. DuckDB tells only rows; the other members are absent from its answers. */
export interface ReadAnswer {
  readonly version: number
  readonly protocol: {
    readonly minReaderVersion: number
    readonly minWriterVersion: number
    readonly features: readonly string[]
  }
  readonly schema: { readonly fields: readonly { readonly name: string; readonly type: DeltaTypeJson }[] }
  readonly configuration: Readonly<Record<string, string>>
  readonly count: number
  readonly columns: readonly string[]
  readonly rows: readonly CanonicalRow[]
}

interface RawAnswer extends Omit<ReadAnswer, 'rows'> {
  readonly rows?: readonly (readonly CanonicalCell[])[]
  readonly error?: string
}

/** One engine in one process, started when it is first asked and ended by the end of ours (its stdin closes). */
export class ReaderProcess {
  readonly name: string
  readonly #environment: string
  readonly #script: readonly string[]
  #process: ChildProcessWithoutNullStreams | undefined
  readonly #waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = []
  #lastWords = ''

  constructor(name: string, environment: string, ...script: string[]) {
    this.name = name
    this.#environment = environment
    this.#script = script
  }

  /** @throws when the engine cannot read what it was asked for */
  async read(request: ReadRequest): Promise<ReadAnswer> {
    this.#process ??= this.#start()
    const child = this.#process
    const timer = setTimeout(() => child.kill('SIGKILL'), ANSWER_MS_MAX)
    const line = await new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      child.stdin.write(`${JSON.stringify(request)}\n`)
    }).finally(() => clearTimeout(timer))
    const { rows = [], ...answer } = JSON.parse(line) as RawAnswer
    if (answer.error !== undefined) {
      throw new Error(`${this.name} cannot read ${JSON.stringify(request)}: ${answer.error}`)
    }
    return { ...answer, rows: rows.map((cells) => toRow(answer.columns, cells)) }
  }

  #start(): ChildProcessWithoutNullStreams {
    const python = `${READERS}/${this.#environment}/bin/python`
    if (!existsSync(python)) throw new Error(`${python} is missing: run test/e2e/readers/install.sh`)
    const [script, ...rest] = this.#script
    const child = spawn(python, [`${SCRIPTS}/${script}`, ...rest])
    createInterface(child.stdout).on('line', (line) => this.#waiting.shift()?.resolve(line))
    child.stderr.on('data', (bytes: Buffer) => {
      this.#lastWords = (this.#lastWords + bytes.toString()).slice(-2_000)
    })
    child.on('close', (code) => {
      const error = new Error(`${this.name} ended with code ${code}: ${this.#lastWords}`)
      for (const waiter of this.#waiting.splice(0)) waiter.reject(error)
      this.#process = undefined
    })
    return child
  }
}

function toRow(columns: readonly string[], cells: readonly CanonicalCell[]): CanonicalRow {
  return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? null]))
}

export const spark = new ReaderProcess('Spark', 'spark', 'spark_reader.py')
export const deltaRs = new ReaderProcess('delta-rs', 'spark', 'deltalake_reader.py')
export const polars = new ReaderProcess('polars', 'spark', 'deltalake_reader.py', 'polars')
export const duckdb = new ReaderProcess('DuckDB', 'duckdb', 'duckdb_reader.py')
