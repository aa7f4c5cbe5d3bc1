import { Presets, SingleBar } from 'cli-progress'
import type { Clock } from '../../core/ports.ts'
import { formatCount } from './output.ts'
import type { Terminal } from './terminal.ts'

/** How far a run has come. */
export interface ProgressState {
  readonly records: number
  readonly rows: number
  readonly tables: number
}

/** Shows a person that something moves. */
export interface Progress {
  update(state: ProgressState): void
  /** The last state is shown once more; nothing is drawn after that. */
  stop(): void
}

export interface ProgressOptions {
  /** Where to draw: stderr, so that stdout holds results alone. */
  readonly terminal: Terminal
  readonly clock: Clock
  /** Records there are to read; `null` when the source does not end. */
  readonly total: number | null
  /** With `--json` nothing is shown. */
  readonly isSilent: boolean
}

const PLAIN_EVERY_MS = 5000

export function createProgress(options: ProgressOptions): Progress {
  if (options.isSilent) return { update: () => {}, stop: () => {} }
  const rate = createRate(options.clock)
  const { terminal, total } = options
  return terminal.isInteractive && total !== null ? drawBar(terminal, total, rate) : writeLines(options, rate)
}

type Rate = (rows: number) => string

function createRate(clock: Clock): Rate {
  const startMs = clock.monotonicMs()
  return (rows) => {
    const elapsedMs = Math.max(1, clock.monotonicMs() - startMs)
    return formatCount(Math.round((rows * 1000) / elapsedMs))
  }
}

function drawBar(terminal: Terminal, total: number, rate: Rate): Progress {
  const format = '{bar} {percentage}% | {value}/{total} records | {rate} rows/s | {tables} tables'
  const bar = new SingleBar(
    {
      format,
      stream: terminal.stream as NodeJS.WritableStream,
      hideCursor: true,
      barsize: 24,
      etaBuffer: 50,
      linewrap: false,
    },
    Presets.shades_classic,
  )
  bar.start(total, 0, { rate: '0', tables: 0 })
  return {
    update: ({ records, rows, tables }) => bar.update(records, { rate: rate(rows), tables }),
    stop: () => bar.stop(),
  }
}

function writeLines({ terminal, clock, total }: ProgressOptions, rate: Rate): Progress {
  let shownMs = clock.monotonicMs()
  let latest: ProgressState | null = null
  let shown: ProgressState | null = null
  const show = (state: ProgressState) => {
    shown = state
    shownMs = clock.monotonicMs()
    const of = total === null ? '' : ` of ${formatCount(total)}`
    terminal.write(
      `${formatCount(state.records)}${of} records, ${formatCount(state.rows)} rows (${rate(state.rows)}/s), ${state.tables} tables\n`,
    )
  }
  return {
    update: (state) => {
      latest = state
      if (clock.monotonicMs() - shownMs >= PLAIN_EVERY_MS) show(state)
    },
    stop: () => {
      if (latest !== null && latest !== shown) show(latest)
    },
  }
}
