import type { Command } from 'commander'
import type { Environment } from '../config/environment.ts'
import type { Terminal } from './terminal.ts'

/** What every command gets: where to write and what was set around it. */
export interface CliContext {
  readonly stdout: Terminal
  readonly stderr: Terminal
  readonly environment: Environment
  /** Told how the command ended: an `ExitCode`, or that of a command which was run for it. */
  exitWith(code: number): void
}

export interface CommandDescription {
  /** Name and arguments, as commander reads them: `peek <topic>`. */
  readonly usage: string
  readonly summary: string
  /** One real call, without the leading `alluvium`. */
  readonly example: string
}

/** Adds a command with what all of them have: `--json` and an example in `--help`. */
export function addCommand(parent: Command, { usage, summary, example }: CommandDescription): Command {
  return parent
    .command(usage)
    .description(summary)
    .option('--json', 'write JSON for programs instead of text for people')
    .addHelpText('after', `\nExample:\n  $ alluvium ${example}`)
}

/** Makes a command's work, which answers with the exit code, fit for commander's `action`. */
export function exiting<Arguments extends readonly unknown[]>(
  context: CliContext,
  work: (...args: Arguments) => Promise<number>,
): (...args: Arguments) => Promise<void> {
  return async (...args) => context.exitWith(await work(...args))
}
