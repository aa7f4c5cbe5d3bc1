import { Command, CommanderError } from 'commander'
import { EngineError, messageOf } from '../../core/errors.ts'
import type { Environment } from '../config/environment.ts'
import { redactSecrets } from '../config/secret.ts'
import { registerBackfill } from './backfill-command.ts'
import { registerBench } from './bench-command.ts'
import { registerCheckpoint } from './checkpoint-command.ts'
import { registerConfig } from './config-command.ts'
import { registerConnector } from './connector-command.ts'
import type { CliContext } from './context.ts'
import { registerDlq } from './dlq-command.ts'
import { registerDoctor } from './doctor-command.ts'
import { registerDq } from './dq-command.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.ts'
import { registerIngest } from './ingest.ts'
import { registerInit } from './init-command.ts'
import { printable, toJson } from './output.ts'
import { registerPeek } from './peek-command.ts'
import { registerPipeline } from './pipeline-command.ts'
import { registerPlan } from './plan-command.ts'
import { registerSetup } from './setup-command.ts'
import { registerTable } from './table-command.ts'
import type { Terminal } from './terminal.ts'
import { registerTopics } from './topics-command.ts'
import { registerWaitFor } from './wait-for.ts'

export interface CliWorld {
  readonly stdout: Terminal
  readonly stderr: Terminal
  readonly environment: Environment
  readonly version: string
}

/**
 * Runs one command line, without the program's name.
 *
 * @returns the exit code; every error has been told by then: one line on stderr, and with `--json` an object on stdout
 */
export async function runCli(argv: readonly string[], world: CliWorld): Promise<number> {
  let exitCode: number = EXIT.ok
  const context: CliContext = {
    ...world,
    exitWith: (code) => {
      exitCode = code
    },
  }
  try {
    await createProgram(context, world.version).parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    return report(error, argv.includes('--json'), world)
  }
}

/** All commands there are. */
export function createProgram(context: CliContext, version: string): Command {
  const program = new Command('alluvium')
    .description('Lays Debezium change events down as exact, fresh Delta Lake tables.')
    .version(version)
    // So that a command may have a --version of its own.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .addHelpText('after', '\nExample:\n  $ alluvium ingest --from topics --until-end --lake ./lake')
    .addHelpText('after', '\nExit codes: 0 ok, 1 failed, 2 found a problem, 3 could not tell, 64 bad usage')
  program.commandsGroup('Set up and run:')
  registerInit(program, context)
  registerConfig(program, context)
  registerSetup(program, context)
  registerConnector(program, context)
  registerDoctor(program, context)
  registerPlan(program, context)
  registerIngest(program, context)
  registerBackfill(program, context)
  program.commandsGroup('Look and look after:')
  registerTable(program, context)
  registerPipeline(program, context)
  registerTopics(program, context)
  registerPeek(program, context)
  registerCheckpoint(program, context)
  registerDlq(program, context)
  program.helpCommand('help [command]', 'display help for command')
  program.commandsGroup('Prove and measure:')
  registerDq(program, context)
  registerWaitFor(program, context)
  registerBench(program, context)
  return program
}

function report(error: unknown, asJson: boolean, world: CliWorld): ExitCode {
  if (error instanceof CommanderError) return reportUsage(error, asJson, world)
  const code = error instanceof EngineError ? error.code : 'E_BUG'
  const intro =
    error instanceof EngineError ? '' : 'this is a bug of alluvium (LOG_LEVEL=debug shows where): '
  const message = redactSecrets(intro + messageOf(error))
  world.stderr.write(`error: ${printable(message)} (${code})\n`)
  if (asJson) world.stdout.write(`${toJson({ error: { code, message } })}\n`)
  const wantsStack = world.environment('LOG_LEVEL')?.toLowerCase() === 'debug'
  if (wantsStack && error instanceof Error) world.stderr.write(`${redactSecrets(stackOf(error))}\n`)
  return exitCodeOf(error)
}

/** Commander has told the person already. */
function reportUsage(error: CommanderError, asJson: boolean, world: CliWorld): ExitCode {
  if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return EXIT.ok
  const message = error.message.replace(/^error: /, '').replace(/\s+/g, ' ')
  if (asJson) world.stdout.write(`${toJson({ error: { code: 'E_USAGE', message } })}\n`)
  return EXIT.usage
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''
  return (error.stack ?? error.message) + cause
}
