import { join } from 'node:path'
import type { Command } from 'commander'
import { EngineError } from '../../core/errors.ts'
import { configJsonSchema } from '../config/config-json-schema.ts'
import { SCHEMA_FILE, STARTER, STARTER_ENVIRONMENT } from '../config/starter.ts'
import { createTextFile } from '../io/text-file.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { CONFIG_FILE } from './load-config.ts'
import { toJson } from './output.ts'

const NEXT = `next: put brokers, tables and lake into it, the URL of the database into .env, then
  alluvium config check         what is wrong in it
  alluvium setup postgres       publication, slot, roles (--dry-run prints the SQL)
  alluvium connector register   Debezium on Kafka Connect
  alluvium doctor               every hop, the first broken one with its cure
  alluvium ingest               stays up
`

/** `alluvium init` */
export function registerInit(program: Command, context: CliContext): void {
  const command = addCommand(program, {
    usage: 'init [directory]',
    summary:
      'write a configuration to begin with, explained line by line; files that are there stay as they are',
    example: 'init',
  })
  command.action(
    exiting(context, (directory: string | undefined, options: { readonly json?: boolean }) =>
      init(directory ?? '.', options.json === true, context),
    ),
  )
}

async function init(directory: string, asJson: boolean, { stdout }: CliContext): Promise<ExitCode> {
  const config = join(directory, CONFIG_FILE)
  if (!(await createTextFile(config, STARTER))) {
    throw new EngineError(
      'E_EXISTS',
      'usage',
      `${config} is there already; move it away, or name another directory`,
    )
  }
  const written = [config]
  const beside = [
    [SCHEMA_FILE, `${toJson(configJsonSchema(), 2)}\n`],
    ['.env.example', STARTER_ENVIRONMENT],
  ] as const
  for (const [name, text] of beside) {
    const path = join(directory, name)
    if (await createTextFile(path, text)) written.push(path)
  }
  if (asJson) stdout.write(`${toJson({ written })}\n`)
  else {
    stdout.write(written.map((path) => `wrote ${path}\n`).join(''))
    stdout.write(NEXT)
  }
  return EXIT.ok
}
