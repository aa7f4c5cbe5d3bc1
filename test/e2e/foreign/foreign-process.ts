import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

const PYTHON = resolve('.readers/spark/bin/python')
const FOLDER = resolve('test/e2e/foreign')
/** One that has not answered by then hangs. */
const ANSWER_MS_MAX = 280_000

export interface Answer {
  /** How often a race was lost, and one more. */
  readonly attempts?: number
  readonly columns?: readonly string[]
  readonly rows?: readonly (readonly unknown[])[]
}

/** How another writer's script is started, for those that start it themselves. */
export function foreignCommand(script: string, ...args: readonly string[]): string[] {
  return [PYTHON, `${FOLDER}/${script}`, ...args]
}

/** Another writer, kept running: a request is a line of JSON, and so is its answer. */
export class ForeignProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = []
  #lastWords = ''
  #ended: Error | null = null

  constructor(script: string, ...args: readonly string[]) {
    const [command, ...argv] = foreignCommand(script, ...args)
    this.#child = spawn(command!, argv)
    createInterface(this.#child.stdout).on('line', (line) => this.#waiting.shift()?.resolve(line))
    this.#child.stderr.on('data', (bytes: Buffer) => {
      this.#lastWords = (this.#lastWords + bytes.toString()).slice(-3000)
    })
    this.#child.on('close', (code) => {
      this.#ended = new Error(`${script} ended with code ${code}: ${this.#lastWords}`)
      for (const waiter of this.#waiting.splice(0)) waiter.reject(this.#ended)
    })
  }

  /** @throws with what the writer said when it cannot do that */
  async ask(request: object): Promise<Answer> {
    if (this.#ended !== null) throw this.#ended
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ANSWER_MS_MAX)
    const line = await new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    }).finally(() => clearTimeout(timer))
    const answer = JSON.parse(line) as Answer & { readonly error?: string }
    if (answer.error !== undefined) throw new Error(answer.error.split('\n').slice(0, 8).join('\n'))
    return answer
  }

  end(): Promise<void> {
    return new Promise((done) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return done()
      this.#child.on('close', () => done())
      this.#child.stdin.end()
    })
  }
}
