import { Presets, SingleBar } from 'cli-progress'
import type { Clock } from '../../core/ports.ts'
import type { BackfillProgress } from '../backfill/load-table.ts'
import { durationText, sizeText } from './measures.ts'
import { formatCount, printable, toJson } from './output.ts'
import type { Terminal } from './terminal.ts'

/** How a backfill is shown: a bar to a person, lines to a file, objects to a program. */
export interface ProgressShape {
  readonly terminal: Terminal
  readonly clock: Clock
  readonly asJson: boolean
}

const PLAIN_EVERY_MS = 5000
const BAR_EVERY_MS = 200

/** How far one table has come. */
export class TableProgress implements BackfillProgress {
  readonly #shape: ProgressShape
  readonly #table: string
  readonly #rowsEstimate: number | null
  readonly #startMs: number
  readonly #bar: SingleBar | null
  #rows = 0
  #bytes = 0
  #chunks = 0
  #chunksAll = 0
  #chunksBefore = 0
  #shownMs: number

  /** @param rowsEstimate of the whole table; `null`: nobody knows */
  constructor(shape: ProgressShape, table: string, rowsEstimate: number | null) {
    this.#shape = shape
    this.#table = table
    this.#rowsEstimate = rowsEstimate
    this.#startMs = shape.clock.monotonicMs()
    this.#shownMs = this.#startMs
    this.#bar = shape.terminal.isInteractive && !shape.asJson ? drawBar(shape.terminal) : null
  }

  begin(chunksDone: number, chunksAll: number): void {
    this.#chunksBefore = chunksDone
    this.chunks(chunksDone, chunksAll)
    this.#bar?.start(Math.max(chunksAll, 1), chunksDone, this.#texts())
  }

  rows(rows: number, bytes: number): void {
    this.#rows += rows
    this.#bytes += bytes
    this.#show()
  }

  chunks(done: number, all: number): void {
    this.#chunks = done
    this.#chunksAll = all
    this.#show()
  }

  stop(): void {
    this.#bar?.update(this.#chunks, this.#texts())
    this.#bar?.stop()
  }

  #show(): void {
    const { clock, terminal, asJson } = this.#shape
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#shownMs < (this.#bar === null ? PLAIN_EVERY_MS : BAR_EVERY_MS)) return
    this.#shownMs = nowMs
    if (this.#bar !== null) this.#bar.update(this.#chunks, this.#texts())
    else if (asJson) terminal.write(`${toJson({ progress: this.#numbers() })}\n`)
    else {
      const { table, rows, rate, size, left } = this.#texts()
      terminal.write(`${table}: ${rows} rows, ${rate} rows/s, ${size}/s, ${left} left\n`)
    }
  }

  /** Of this run alone: what an earlier one has read took its time before. */
  #numbers() {
    const seconds = Math.max(this.#shape.clock.monotonicMs() - this.#startMs, 1) / 1000
    const done = this.#chunks - this.#chunksBefore
    const left = this.#chunksAll - this.#chunks
    return {
      table: this.#table,
      rows: this.#rows,
      rowsEstimate: this.#rowsEstimate,
      bytes: this.#bytes,
      chunks: this.#chunks,
      chunksAll: this.#chunksAll,
      rowsPerSecond: Math.round(this.#rows / seconds),
      bytesPerSecond: Math.round(this.#bytes / seconds),
      secondsLeft: done === 0 ? null : Math.round((seconds / done) * left),
    }
  }

  #texts() {
    const { rows, rowsEstimate, rowsPerSecond, bytesPerSecond, secondsLeft } = this.#numbers()
    return {
      table: printable(this.#table),
      rows: `${formatCount(rows)}${rowsEstimate === null ? '' : ` of about ${formatCount(rowsEstimate)}`}`,
      rate: formatCount(rowsPerSecond),
      size: sizeText(bytesPerSecond),
      left: secondsLeft === null ? 'unknown time' : durationText(secondsLeft * 1000),
    }
  }
}

function drawBar(terminal: Terminal): SingleBar {
  return new SingleBar(
    {
      format: '{bar} {percentage}% | {table} | {rows} rows | {rate} rows/s | {size}/s | {left} left',
      stream: terminal.stream as NodeJS.WritableStream,
      hideCursor: true,
      barsize: 24,
      linewrap: false,
    },
    Presets.shades_classic,
  )
}
