import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')

export interface CliExit {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The command line as it is shipped, compiled to a directory of its own: for tests that need a process to end. */
export class BuiltCli {
  readonly #directory = mkdtempSync(join(tmpdir(), 'alluvium-built-'))

  constructor() {
    cpSync(join(ROOT, 'package.json'), join(this.#directory, 'package.json'))
    symlinkSync(join(ROOT, 'node_modules'), join(this.#directory, 'node_modules'))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const options = [
      '--outDir',
      join(this.#directory, 'dist'),
      '--declaration',
      'false',
      '--sourceMap',
      'false',
    ]
    // Types are the business of `make check`.
    spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--noCheck', ...options])
  }

  start(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningCli {
    const main = join(this.#directory, 'dist/src/cli/main.js')
    const { PATH = '' } = process.env
    return new RunningCli(spawn(process.execPath, [main, ...argv], { env: { PATH, ...environment } }))
  }

  run(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<CliExit> {
    return this.start(argv, environment).exit
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

export class RunningCli {
  readonly exit: Promise<CliExit>
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    this.exit = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }))
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}
