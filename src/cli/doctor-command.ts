import type { Command } from 'commander'
import { selectPipeline } from '../config/select-pipeline.ts'
import { askHttp } from '../io/ask-http.ts'
import { createLogger } from '../io/logger.ts'
import { probeConditionalPut } from '../io/probe-conditional-put.ts'
import { systemClock } from '../io/system-clock.ts'
import { systemRandom } from '../io/system-random.ts'
import { mayAllRead } from '../io/who-may-read.ts'
import { openConfiguredLake } from '../open-lake.ts'
import { PostgresConnectionManager } from '../postgres/connection-manager.ts'
import { ConnectClient } from '../setup/connect-client.ts'
import { type Diagnosis, diagnose } from '../setup/doctor/diagnose.ts'
import { type ChainPorts, gatherChain } from '../setup/doctor/gather-chain.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { CONFIG_FILE, loadConfig } from './load-config.ts'
import { printable, toJson } from './output.ts'

interface DoctorOptions {
  readonly config: string
  readonly pipeline?: string
  readonly prod?: boolean
  readonly json?: boolean
}

const HOP_WIDTH = 15

/** `alluvium doctor` */
export function registerDoctor(program: Command, context: CliContext): void {
  const command = addCommand(program, {
    usage: 'doctor',
    summary:
      'walk from the source to the tables and name the first broken hop and its cure; exit 2 when one is, 3 when it cannot be told',
    example: 'doctor --prod',
  })
  command
    .option('-c, --config <file>', 'configuration file', CONFIG_FILE)
    .option('--pipeline <name>', 'the pipeline that is meant, where there are several')
    .option('--prod', 'also hold it against the checklist of production; then risks count too')
    .option('--chain', 'walk the whole chain; it always does')
    .action(exiting(context, (options: DoctorOptions) => doctor(options, context)))
}

async function doctor(options: DoctorOptions, context: CliContext): Promise<ExitCode> {
  const config = await loadConfig(options.config, context.environment)
  const pipeline = selectPipeline(config, { name: options.pipeline })
  const logger = createLogger('silent', () => {})
  const ports: ChainPorts = {
    clock: systemClock,
    random: systemRandom,
    openDatabase: (connection) =>
      new PostgresConnectionManager({ connectionString: connection, attempts: 2 }),
    connect: ({ connector }) =>
      connector.urls.length === 0 ? null : new ConnectClient(connector, askHttp, systemClock),
    // The client of Kafka is loaded only where it is needed.
    inspectKafka: async (settings) =>
      (await import('../io/kafka-inspection.ts')).inspectKafka(settings, systemClock, logger),
    openStore: () => openConfiguredLake(config),
    probeStore: (store) => probeConditionalPut(store, systemRandom),
    whoMayRead: mayAllRead,
  }
  const facts = await gatherChain(config, pipeline, ports)
  const production = options.prod === true
  const diagnosis = diagnose(facts, { production, lake: config.lake.location })
  context.stdout.write(
    options.json === true
      ? `${toJson({ pipeline: pipeline.name, ok: exitOf(diagnosis, production) === EXIT.ok, ...diagnosis })}\n`
      : asText(diagnosis),
  )
  return exitOf(diagnosis, production)
}

function exitOf({ hops, firstBroken }: Diagnosis, production: boolean): ExitCode {
  const has = (state: string) => hops.some((hop) => hop.findings.some(({ severity }) => severity === state))
  if (firstBroken !== null || (production && has('risk'))) return EXIT.problem
  return has('unknown') ? EXIT.unclear : EXIT.ok
}

function asText({ hops, firstBroken }: Diagnosis): string {
  const indent = ' '.repeat(HOP_WIDTH)
  const lines = hops.flatMap(({ hop, state, skipped, findings }) => [
    `${hop.padEnd(HOP_WIDTH)}${skipped === null ? state : `not looked at: ${skipped}`}`,
    ...findings.flatMap(({ severity, problem, cure }) => [
      `${indent}${severity}: ${printable(problem)}`,
      `${indent}  → ${printable(cure)}`,
    ]),
  ])
  const end =
    firstBroken === null
      ? 'no hop is broken'
      : `the first broken hop is ${firstBroken.hop}: ${printable(firstBroken.problem)}\n→ ${printable(firstBroken.cure)}`
  return `${lines.join('\n')}\n\n${end}\n`
}
