import { defaultConnection } from '../config/environment-names.ts'
import type { Secret } from '../config/secret.ts'
import type { Upstream } from '../config/upstream.ts'
import { PostgresConnectionManager } from '../postgres/connection-manager.ts'
import { capturedTables } from '../setup/captured-tables.ts'
import type { DebeziumConfigBuilder } from '../setup/debezium-config.ts'
import { debeziumBuilder, redpandaOptions } from '../setup/pipeline-connector.ts'
import { redpandaConfig } from '../setup/redpanda-config.ts'
import type { CliContext } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { toJson } from './output.ts'
import { type UpstreamOptions, upstreamOf } from './upstream-options.ts'

interface ConfigOptions extends UpstreamOptions {
  readonly offline?: boolean
}

/** `alluvium connector config` */
export async function printConnectorConfig(options: ConfigOptions, context: CliContext): Promise<ExitCode> {
  const { pipeline, upstream } = await upstreamOf(options, context)
  if (upstream.connector.kind === 'redpanda') {
    context.stdout.write(redpandaConfig(upstream.postgres, redpandaOptions(pipeline, upstream.postgres)))
    return EXIT.ok
  }
  const builder = await builderOf(upstream, context, options.offline !== true)
  const config = { name: upstream.connector.name, config: builder.properties() }
  context.stdout.write(`${toJson(config, options.json === true ? undefined : 2)}\n`)
  return EXIT.ok
}

/** The connector of a pipeline, with what only its database can tell when that is asked for and named. */
export async function builderOf(
  upstream: Upstream,
  { environment }: CliContext,
  asksDatabase: boolean,
): Promise<DebeziumConfigBuilder> {
  const { connection } = upstream.postgres
  const isAsked = asksDatabase && connection !== null && upstream.connector.kind === 'postgres'
  const keyless = isAsked ? await keylessTables(upstream, connection) : []
  return debeziumBuilder(upstream, connection ?? defaultConnection(environment), keyless)
}

/** Their records have no key, so that only one partition keeps them in order. */
async function keylessTables({ postgres }: Upstream, connection: Secret): Promise<readonly string[]> {
  await using database = new PostgresConnectionManager({ connectionString: connection, attempts: 2 })
  const present = await database.listTables()
  const { tables } = capturedTables(postgres, present)
  const keyless: string[] = []
  for (const name of tables === '*' ? present : tables) {
    const dot = name.indexOf('.')
    const table = await database.describeTable({ schema: name.slice(0, dot), table: name.slice(dot + 1) })
    if (table?.key === null) keyless.push(name)
  }
  return keyless
}
