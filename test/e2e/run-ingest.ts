import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

const CLI = resolve('dist/src/cli/main.js')

export interface IngestOptions {
  readonly from: string
  readonly lake: string
  readonly config?: string
  /** Local state directory; default: one beside the lake, so that no run touches the project's own. */
  readonly state?: string
  /** `step:n`: the process kills itself when it reaches a named step for the n-th time. */
  readonly failpoint?: string
  /** For Node itself. */
  readonly nodeArguments?: readonly string[]
}

/** The last line of `ingest --json`. */
export interface IngestSummary {
  readonly records: number
  readonly applied: number
  readonly superseded: number
  readonly stale: number
  readonly duplicates: number
  readonly ignored: number
  readonly tombstones: number
  readonly control: number
  readonly parked: number
  readonly deadLetters: number
  readonly tables: readonly {
    readonly name: string
    readonly path: string
    readonly version: number
    readonly rows: number
    readonly inserts: number
    readonly updates: number
    readonly deletes: number
  }[]
}

export interface IngestRun {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** `null` when the process did not come to its end. */
  readonly summary: IngestSummary | null
  readonly stderr: string
}

/** Runs the real command as a process of its own, until it has read everything or died. */
export async function runIngest(options: IngestOptions): Promise<IngestRun> {
  const args = ['ingest', '--from', options.from, '--until-end', '--lake', options.lake, '--json']
  args.push('--state', options.state ?? `${options.lake}.state`)
  if (options.config !== undefined) args.push('-c', options.config)
  const environment = options.failpoint === undefined ? {} : { ALLUVIUM_FAILPOINT: options.failpoint }
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), CLI, ...args], {
    env: { ...process.env, ...environment },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, killedBy) => resolve([code, killedBy]))
  })
  return { exitCode, signal, stderr, summary: exitCode === null ? null : lastLine(stdout) }
}

/** How the fate of every record adds up; equal to `records` when nothing vanished. */
export function recordsAccountedFor(summary: IngestSummary): number {
  const { applied, superseded, stale, duplicates, ignored, tombstones, control, parked, deadLetters } =
    summary
  return applied + superseded + stale + duplicates + ignored + tombstones + control + parked + deadLetters
}

function lastLine(stdout: string): IngestSummary | null {
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  return line.startsWith('{') ? (JSON.parse(line) as IngestSummary) : null
}
