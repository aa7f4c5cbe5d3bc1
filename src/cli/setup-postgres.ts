import type { Command } from 'commander'
import { defaultConnection } from '../config/environment-names.ts'
import type { CaptureSettings } from '../config/upstream.ts'
import { qualified } from '../config/upstream-settings.ts'
import { systemClock } from '../io/system-clock.ts'
import { PostgresConnectionManager } from '../postgres/connection-manager.ts'
import { applyCapture, awaitServer, awaitTable } from '../setup/apply-capture.ts'
import { type CapturePlan, planCapture } from '../setup/capture-plan.ts'
import { readSourceFacts } from '../setup/read-source-facts.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { CONFIG_FILE } from './load-config.ts'
import { parseCount, parseNames, parseTime } from './option-values.ts'
import { printable, toJson } from './output.ts'
import { upstreamOf } from './upstream-options.ts'

interface SetupOptions {
  readonly config?: string
  readonly pipeline?: string
  readonly tables?: readonly string[]
  readonly publication?: string
  readonly slot?: string
  readonly allTables?: boolean
  readonly roles: boolean
  readonly waitForTable?: string
  readonly attempts: number
  readonly interval: number
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `alluvium setup postgres` */
export function registerSetupPostgres(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'postgres',
    summary:
      'make publication, slot, roles and heartbeat table, as far as they are missing; exit 2 when a person has to decide first',
    example: 'setup postgres --tables public.customers,public.orders --dry-run',
  })
  command
    .option('-c, --config <file>', `configuration file (default: ${CONFIG_FILE} when there is one)`)
    .option('--pipeline <name>', 'the pipeline whose database is meant, where there are several')
    .option(
      '--tables <names>',
      'tables to capture, with commas, instead of what the configuration says',
      parseNames,
    )
    .option('--all-tables', 'confirm a publication of all tables, also of those to come')
    .option('--publication <name>', 'name of the publication')
    .option('--slot <name>', 'name of the replication slot')
    .option('--no-roles', 'make no roles and grant nothing')
    .option('--wait-for-table <name>', 'wait until this table exists')
    .option('--attempts <n>', 'how often to ask for the server, and for the table', parseCount, 60)
    .option('--interval <time>', 'pause between two attempts (default: 2s)', parseTime, 2000)
    .option('--dry-run', 'print the SQL and do nothing')
    .action(exiting(context, (options: SetupOptions) => setupPostgres(options, context)))
}

async function setupPostgres(options: SetupOptions, context: CliContext): Promise<ExitCode> {
  const settings = withOptions((await upstreamOf(options, context)).upstream.postgres, options)
  const connection = settings.connection ?? defaultConnection(context.environment)
  const patience = {
    attempts: options.attempts,
    intervalMs: options.interval,
    onWait: (what: string) =>
      context.stderr.write(`${printable(what)}\nwaiting, ${options.attempts} attempts at most\n`),
  }
  await using database = new PostgresConnectionManager({ connectionString: connection, attempts: 1 })
  await awaitServer(database, patience, systemClock)
  const table = options.waitForTable ?? context.environment('POSTGRES_CDC_WAIT_FOR_TABLE') ?? ''
  if (table !== '') {
    const [name] = qualified([table], settings.schema)
    await awaitTable(database, name!, patience, systemClock)
  }
  const question = { publication: settings.publication, roles: [settings.role, settings.proofRole] }
  const facts = await readSourceFacts(database, question, systemClock)
  const plan = planCapture(facts, settings, {
    withRoles: options.roles,
    allTables: options.allTables === true,
  })
  const isBlocked = plan.problems.length > 0
  if (!isBlocked && options.dryRun !== true) await applyCapture(database, plan)
  tell(plan, settings, options, context, database.location)
  return isBlocked ? EXIT.problem : EXIT.ok
}

function withOptions(settings: CaptureSettings, options: SetupOptions): CaptureSettings {
  const { tables, allTables, publication, slot } = options
  const named = tables ?? (allTables === true ? ['*'] : undefined)
  return {
    ...settings,
    tables:
      named === undefined ? settings.tables : qualified(named.includes('*') ? '*' : named, settings.schema),
    publication: publication ?? settings.publication,
    slot: slot ?? settings.slot,
  }
}

function tell(
  plan: CapturePlan,
  { publication, slot }: CaptureSettings,
  { json, dryRun }: SetupOptions,
  { stdout, stderr }: CliContext,
  location: string,
): void {
  const { tables, problems, advice } = plan
  const steps = [...plan.statements, ...(plan.slot === null ? [] : [plan.slot])]
  const isDone = problems.length === 0 && dryRun !== true
  if (json === true) {
    const sql = steps.map((step) => `${step.sql};`)
    stdout.write(`${toJson({ done: isDone, publication, slot, tables, sql, problems, advice })}\n`)
    return
  }
  for (const problem of problems) stderr.write(`problem: ${problem}\n`)
  for (const line of advice) stderr.write(`advice: ${line}\n`)
  if (dryRun === true) stdout.write(steps.map(({ about, sql }) => `-- ${about}\n${sql};\n`).join(''))
  else if (isDone) stdout.write(steps.map(({ about }) => `made ${about}\n`).join(''))
  if (!isDone) return
  const list = tables === '*' ? 'all tables' : tables.join(', ')
  stdout.write(`${location} is ready: publication ${publication} (${list}), replication slot ${slot}\n`)
}
