import type { Command } from 'commander'
import { EngineError } from '../../core/errors.ts'
import type { ConnectorProperties } from '../config/connector-property.ts'
import type { Upstream } from '../config/upstream.ts'
import { askHttp } from '../io/ask-http.ts'
import { systemClock } from '../io/system-clock.ts'
import { readTextFile } from '../io/text-file.ts'
import { PostgresConnectionManager } from '../postgres/connection-manager.ts'
import { awaitStreaming, type StreamingOutcome } from '../setup/await-streaming.ts'
import { ConnectClient } from '../setup/connect-client.ts'
import { parseConnectorFile } from '../setup/connector-file.ts'
import { builderOf } from './connector-config.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { parseTime } from './option-values.ts'
import { toJson } from './output.ts'
import { type UpstreamOptions, upstreamOf, withUpstreamOptions } from './upstream-options.ts'

interface RegisterOptions extends UpstreamOptions {
  readonly wait: number | false
  readonly dryRun?: boolean
}

interface Connector {
  readonly name: string
  readonly properties: ConnectorProperties
}

const WAIT_MS = 120_000

const DONE = { created: 'registered', changed: 'changed', same: 'registered already, as it is' } as const

/** `alluvium connector register` */
export function registerConnectorOnce(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'register [file]',
    summary:
      'give Connect the connector of a pipeline, or of a JSON file, and wait until it streams; exit 2 when Connect finds faults in it',
    example: 'connector register --pipeline postgres-cdc',
  })
  withUpstreamOptions(command)
    .option('--wait <time>', 'how long to wait until it streams (default: 2m)', parseTime, WAIT_MS)
    .option('--no-wait', 'do not wait')
    .option('--dry-run', 'print what would be sent, secrets hidden')
    .action(
      exiting(context, (file: string | undefined, options: RegisterOptions) =>
        register(file, options, context),
      ),
    )
}

async function register(
  file: string | undefined,
  options: RegisterOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { stdout, stderr } = context
  const { upstream } = await upstreamOf(options, context)
  const { name, properties } = await connectorOf(file, upstream, context)
  if (options.dryRun === true) {
    stdout.write(`${toJson({ name, config: properties }, 2)}\n`)
    return EXIT.ok
  }
  const client = new ConnectClient(upstream.connector, askHttp, systemClock)
  const faults = await client.faults(name, properties)
  if (faults.length > 0) {
    if (options.json === true) stdout.write(`${toJson({ name, done: null, faults })}\n`)
    for (const fault of faults) stderr.write(`problem: ${fault}\n`)
    return EXIT.problem
  }
  const { done, outcome } = await putAndWait(client, { name, properties }, upstream, options)
  if (options.json === true) stdout.write(`${toJson({ name, done, outcome })}\n`)
  else stdout.write(`${name} is ${DONE[done]}\n`)
  return outcome === null ? EXIT.ok : told(outcome, options, context)
}

/** What came of waiting, in words and as the exit code. */
function told(
  outcome: StreamingOutcome,
  { json, wait }: RegisterOptions,
  { stdout, stderr }: CliContext,
): ExitCode {
  const say = (text: string) => {
    if (json !== true) stdout.write(`${text}\n`)
  }
  switch (outcome.kind) {
    case 'streams':
      say('it streams: its slot is read')
      return EXIT.ok
    case 'runs':
      say('Connect says that it runs; name the database (`postgres.connection`) to see whether it streams')
      return EXIT.unclear
    case 'waits':
      stderr.write(
        `it does not stream after ${Number(wait) / 1000} s (${outcome.states.join(', ') || 'unknown to Connect'}): a snapshot of large ` +
          'tables takes its time, `alluvium connector status` shows how it stands; if nothing moves, look at the log of Connect\n',
      )
      return EXIT.unclear
    case 'failed':
      stderr.write(`${outcome.who} failed:\n${outcome.trace ?? 'Connect does not say why'}\n`)
      return EXIT.failed
    default:
      return outcome satisfies never
  }
}

async function connectorOf(
  file: string | undefined,
  upstream: Upstream,
  context: CliContext,
): Promise<Connector> {
  if (file !== undefined) {
    const text = await readTextFile(file)
    if (text === null) throw new EngineError('E_CONNECTOR', 'usage', `there is no file ${file}`)
    return parseConnectorFile(text, file)
  }
  if (upstream.connector.kind === 'redpanda') {
    throw new EngineError(
      'E_CONNECTOR',
      'usage',
      'Redpanda Connect reads a file: `alluvium connector config > connect.yaml`, then start it with that',
    )
  }
  const builder = await builderOf(upstream, context, true)
  return { name: upstream.connector.name, properties: builder.properties() }
}

/** The process of the server that reads a slot; whoever takes the slot over has another one. */
const READER =
  'SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1 AND confirmed_flush_lsn IS NOT NULL'

interface Registered {
  readonly done: 'created' | 'changed' | 'same'
  readonly outcome: StreamingOutcome | null
}

/** Registers, and waits until the connector as it is now reads its slot: the one before it may read it a little longer. */
async function putAndWait(
  client: ConnectClient,
  { name, properties }: Connector,
  { postgres }: Upstream,
  { wait }: RegisterOptions,
): Promise<Registered> {
  const slot = String(properties['slot.name'] ?? '')
  const status = () => client.status(name)
  if (wait === false) return { done: await client.put(name, properties), outcome: null }
  if (postgres.connection === null || slot === '') {
    const done = await client.put(name, properties)
    return {
      done,
      outcome: await awaitStreaming({ status, slotIsRead: async () => null }, wait, systemClock),
    }
  }
  await using database = new PostgresConnectionManager({ connectionString: postgres.connection })
  const readerOf = async () =>
    (await database.query('setup.reader', READER, [slot]))[0]?.['active_pid'] ?? null
  const before = await readerOf()
  const done = await client.put(name, properties)
  const slotIsRead = async () => {
    const reader = await readerOf()
    return reader !== null && (done !== 'changed' || reader !== before)
  }
  return { done, outcome: await awaitStreaming({ status, slotIsRead }, wait, systemClock) }
}
