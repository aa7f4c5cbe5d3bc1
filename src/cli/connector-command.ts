import type { Command } from 'commander'
import { askHttp } from '../io/ask-http.ts'
import { systemClock } from '../io/system-clock.ts'
import { isAllRunning } from '../setup/await-streaming.ts'
import { ConnectClient, type ConnectorStatus } from '../setup/connect-client.ts'
import { printConnectorConfig } from './connector-config.ts'
import { registerConnectorOnce } from './connector-register.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { formatTable, toJson } from './output.ts'
import { type UpstreamOptions, upstreamOf, withUpstreamOptions } from './upstream-options.ts'

const COLUMNS = [{ title: 'connector' }, { title: 'state' }, { title: 'tasks' }]

/** What a connector may be told; all of it can be said again. */
const VERBS = {
  pause: { summary: 'let a connector rest; its slot keeps the log meanwhile', done: 'paused' },
  resume: { summary: 'let a connector go on that rests', done: 'resumed' },
  restart: { summary: 'start a connector and all its tasks again', done: 'restarted' },
  delete: { summary: 'take a connector out of Connect; slot, publication and topics stay', done: 'deleted' },
} as const

/** `alluvium connector config|register|list|status|pause|resume|restart|delete` */
export function registerConnector(program: Command, context: CliContext): void {
  const group = program
    .command('connector')
    .description('make the connector that turns the database’s log into topics, and look after it')
  const config = addCommand(group, {
    usage: 'config',
    summary: 'print the configuration of the connector that a pipeline asks for, secrets as references',
    example: 'connector config --pipeline postgres-cdc',
  })
  withUpstreamOptions(config)
    .option('--offline', 'do not ask the database which tables have no key')
    .action(exiting(context, (options) => printConnectorConfig(options, context)))
  registerConnectorOnce(group, context)
  const list = addCommand(group, {
    usage: 'list',
    summary: 'list the connectors that Connect has, with their states',
    example: 'connector list --url http://127.0.0.1:8083',
  })
  withUpstreamOptions(list).action(exiting(context, (options) => listConnectors(options, context)))
  const status = addCommand(group, {
    usage: 'status [name]',
    summary: 'show a connector and its tasks, and why one failed; exit 2 when not all of it runs',
    example: 'connector status postgres-cdc',
  })
  withUpstreamOptions(status).action(
    exiting(context, (name: string | undefined, options: UpstreamOptions) =>
      showStatus(name, options, context),
    ),
  )
  for (const verb of Object.keys(VERBS) as (keyof typeof VERBS)[]) addVerb(group, verb, context)
}

function addVerb(group: Command, verb: keyof typeof VERBS, context: CliContext): void {
  const { summary } = VERBS[verb]
  const command = addCommand(group, {
    usage: `${verb} [name]`,
    summary,
    example: `connector ${verb} postgres-cdc`,
  })
  withUpstreamOptions(command).action(
    exiting(context, (name: string | undefined, options: UpstreamOptions) =>
      tell(verb, name, options, context),
    ),
  )
}

async function tell(
  verb: keyof typeof VERBS,
  given: string | undefined,
  options: UpstreamOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { connector, postgres } = (await upstreamOf(options, context)).upstream
  const name = given ?? connector.name
  await new ConnectClient(connector, askHttp, systemClock)[verb](name)
  const { done } = VERBS[verb]
  context.stdout.write(options.json === true ? `${toJson({ name, done })}\n` : `${name} is ${done}\n`)
  if (verb === 'delete') {
    context.stderr.write(
      `the slot keeps the log of the database until it is dropped: SELECT pg_drop_replication_slot('${postgres.slot}');\n`,
    )
  }
  return EXIT.ok
}

async function listConnectors(options: UpstreamOptions, context: CliContext): Promise<ExitCode> {
  const { connector } = (await upstreamOf(options, context)).upstream
  const client = new ConnectClient(connector, askHttp, systemClock)
  const statuses = await Promise.all([...(await client.names())].sort().map((name) => client.status(name)))
  if (options.json === true) for (const status of statuses) context.stdout.write(`${toJson(status)}\n`)
  else {
    const rows = statuses.map(({ name, state, tasks }) => [
      name,
      state,
      tasks.map((task) => task.state).join(', '),
    ])
    context.stdout.write(formatTable(COLUMNS, rows, context.stdout.columns))
  }
  return EXIT.ok
}

async function showStatus(
  given: string | undefined,
  options: UpstreamOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { connector } = (await upstreamOf(options, context)).upstream
  const status = await new ConnectClient(connector, askHttp, systemClock).status(given ?? connector.name)
  context.stdout.write(options.json === true ? `${toJson(status)}\n` : statusText(status))
  return isAllRunning(status) ? EXIT.ok : EXIT.problem
}

function statusText({ name, state, worker, trace, tasks }: ConnectorStatus): string {
  const line = (what: string, isIn: string, on: string, why: string | null) =>
    `${what}: ${isIn} on ${on}\n${why === null ? '' : `${why}\n`}`
  const parts = tasks.map((task) => line(`  task ${task.id}`, task.state, task.worker, task.trace))
  return [line(name, state, worker, trace), ...parts, tasks.length === 0 ? '  no task\n' : ''].join('')
}
