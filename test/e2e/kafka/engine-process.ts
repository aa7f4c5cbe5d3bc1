import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import type { IngestRun, IngestSummary } from '../run-ingest.ts'

const CLI = resolve('dist/src/cli/main.js')

/** The real command line with one configuration, as often as it is started. */
export class Engine {
  readonly lake: string
  readonly #config: string

  constructor(config: string, lake: string) {
    this.#config = config
    this.lake = lake
  }

  /** Reads to the end, or dies. */
  untilEnd(environment: Readonly<Record<string, string>> = {}): Promise<IngestRun> {
    return this.#start(['--until-end'], environment).exit
  }

  /** Stays up until it is told to go. */
  live(environment: Readonly<Record<string, string>> = {}): LiveEngine {
    return this.#start([], environment)
  }

  #start(args: readonly string[], environment: Readonly<Record<string, string>>): LiveEngine {
    const argv = [CLI, 'ingest', '-c', this.#config, '--json', '--state', `${this.lake}.state`, ...args]
    return new LiveEngine(spawn(process.execPath, argv, { env: { ...process.env, ...environment } }))
  }
}

export class LiveEngine {
  readonly exit: Promise<IngestRun>
  readonly #child: ChildProcess
  #stderr = ''

  constructor(child: ChildProcess) {
    this.#child = child
    let stdout = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.exit = new Promise((done, reject) => {
      child.on('error', reject)
      child.on('close', (exitCode, signal) =>
        done({ exitCode, signal, stderr: this.#stderr, summary: lastLine(stdout) }),
      )
    })
  }

  /** What it has said until now. */
  get said(): string {
    return this.#stderr
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  end(): Promise<IngestRun> {
    this.signal('SIGTERM')
    return this.exit
  }
}

function lastLine(stdout: string): IngestSummary | null {
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  return line.startsWith('{') ? (JSON.parse(line) as IngestSummary) : null
}
