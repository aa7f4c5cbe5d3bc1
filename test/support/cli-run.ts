import { PassThrough } from 'node:stream'
import { type CliWorld, runCli } from '../../src/cli/run-cli.ts'
import type { Terminal } from '../../src/cli/terminal.ts'

export interface CliResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command line inside the test's own process. */
export async function runCommand(
  argv: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const stdout = memoryTerminal()
  const stderr = memoryTerminal()
  const world: CliWorld = { stdout, stderr, environment: (name) => variables[name], version: '0.0.0-test' }
  const exitCode = await runCli(argv, world)
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() }
}

/** A terminal that keeps what is written. */
export function memoryTerminal(): Terminal & { text(): string } {
  const parts: string[] = []
  return {
    write: (text) => void parts.push(text),
    flushed: async () => {},
    isOpen: true,
    isInteractive: false,
    columns: Number.POSITIVE_INFINITY,
    stream: new PassThrough(),
    text: () => parts.join(''),
  }
}
