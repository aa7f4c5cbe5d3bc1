import type { Command } from 'commander'
import type { ObjectStore } from '../../core/ports.ts'
import type { Config } from '../config/config.ts'
import { DEFAULT_LAKE, defaultConfig, parseLake } from '../config/default-config.ts'
import { openConfiguredLake } from '../open-lake.ts'
import type { CliContext } from './context.ts'
import { CONFIG_FILE, findConfig } from './load-config.ts'

/** Options of every command that looks at a lake. */
export interface LakeOptions {
  readonly config?: string
  readonly lake?: string
  readonly json?: boolean
}

export interface OpenLake {
  readonly config: Config
  readonly store: ObjectStore
}

export function withLakeOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', `configuration file (default: ${CONFIG_FILE} when there is one)`)
    .option(
      '--lake <dir>',
      `where the tables lie (default: what the configuration says, else ${DEFAULT_LAKE})`,
    )
}

/** Opens the lake that is meant; no configuration is needed. */
export async function openLakeOf(options: LakeOptions, context: CliContext): Promise<OpenLake> {
  const config = await configOfLake(options, context)
  return { config, store: await openConfiguredLake(config) }
}

/** The configuration, or one without pipelines of its own, of the lake that is meant. */
export async function configOfLake(options: LakeOptions, { environment }: CliContext): Promise<Config> {
  const found = await findConfig(options.config, environment)
  const base = found ?? defaultConfig({ from: '.' })
  return options.lake === undefined ? base : { ...base, lake: parseLake(options.lake) }
}
