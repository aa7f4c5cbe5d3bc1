import type { Command } from 'commander'
import { stringify } from 'yaml'
import { EngineError } from '../../core/errors.ts'
import type { Config } from '../config/config.ts'
import { configJsonSchema } from '../config/config-json-schema.ts'
import { toFileForm } from '../config/file-form.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { CONFIG_FILE, loadConfig } from './load-config.ts'
import { toJson } from './output.ts'

interface ConfigOptions {
  readonly config: string
  readonly json?: boolean
}

/** `alluvium config check|print|schema`. */
export function registerConfig(program: Command, context: CliContext): void {
  const group = program.command('config').description('check the configuration, or show what it comes to')
  const withFile = (command: Command) =>
    command.option('-c, --config <file>', 'configuration file', CONFIG_FILE)
  const check = addCommand(group, {
    usage: 'check',
    summary: 'say what is wrong with a configuration; exit 2 when something is',
    example: 'config check -c alluvium.yaml',
  })
  withFile(check).action(exiting(context, (options: ConfigOptions) => checkConfig(options, context)))
  const print = addCommand(group, {
    usage: 'print',
    summary: 'print the configuration with variables, environment and defaults put in, and secrets left out',
    example: 'config print',
  })
  withFile(print).action(exiting(context, (options: ConfigOptions) => printConfig(options, context)))
  const schema = addCommand(group, {
    usage: 'schema',
    summary: 'print the JSON schema of the configuration, for editors',
    example: 'config schema > alluvium.schema.json',
  })
  schema.action(exiting(context, async () => printSchema(context)))
}

async function checkConfig(options: ConfigOptions, context: CliContext): Promise<ExitCode> {
  const { problem, config } = await tryConfig(options.config, context)
  const warnings = config?.warnings ?? []
  if (options.json) {
    context.stdout.write(`${toJson({ ok: problem === null, problem: problem?.message ?? null, warnings })}\n`)
  } else {
    for (const warning of warnings) context.stderr.write(`warning: ${warning}\n`)
    if (problem !== null) context.stderr.write(`error: ${problem.message}\n`)
    else context.stdout.write(`${options.config} is in order: ${describe(config!)}\n`)
  }
  return problem === null ? EXIT.ok : EXIT.problem
}

async function tryConfig(
  path: string,
  context: CliContext,
): Promise<{ readonly config: Config | null; readonly problem: EngineError | null }> {
  try {
    return { config: await loadConfig(path, context.environment), problem: null }
  } catch (error) {
    if (error instanceof EngineError && error.code === 'E_CONFIG') return { config: null, problem: error }
    throw error
  }
}

function describe(config: Config): string {
  const names = config.pipelines.map((pipeline) => pipeline.name)
  return `lake ${config.lake.location}, ${names.length === 1 ? 'pipeline' : 'pipelines'} ${names.join(', ') || 'none'}`
}

async function printConfig(options: ConfigOptions, context: CliContext): Promise<ExitCode> {
  const form = toFileForm(await loadConfig(options.config, context.environment))
  context.stdout.write(options.json ? `${toJson(form)}\n` : stringify(form, { aliasDuplicateObjects: false }))
  return EXIT.ok
}

async function printSchema(context: CliContext): Promise<ExitCode> {
  context.stdout.write(`${toJson(configJsonSchema(), 2)}\n`)
  return EXIT.ok
}
