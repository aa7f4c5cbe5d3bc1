import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { createProgram } from '../../../../src/cli/run-cli.ts'
import { configShape, type JsonSchema } from '../../../../src/config/config-json-schema.ts'
import { processEnvironment } from '../../../../src/io/process-environment.ts'
import { memoryTerminal, runCommand } from '../../../support/cli-run.ts'

/** In every secret of these configurations, and nowhere else. */
const CANARY = 'canary-5f1d'

const directory = mkdtempSync(join(tmpdir(), 'canary-'))
const secretFile = join(directory, 'secret')
writeFileSync(secretFile, `${CANARY}-in-a-file\n`)
mkdirSync(join(directory, 'topics'))

const environment = processEnvironment(
  {
    POSTGRES_CONNECTION_STRING: `postgres://user:${CANARY}@127.0.0.1:1/shop?sslmode=disable`,
    OWN_DSN: `postgres://user:${CANARY}@127.0.0.1:1/shop`,
    PGPASSWORD: CANARY,
    KAFKA_PASSWORD_FILE: secretFile,
    TOKEN: CANARY,
    LOG_LEVEL: 'debug',
  },
  directory,
)
const variables = new Proxy({}, { get: (_, name) => environment(String(name)) }) as Record<string, string>

function config(name: string, source: string): string {
  const file = join(directory, name)
  writeFileSync(
    file,
    `lake: ${join(directory, 'lake')}
pipelines:
  shop:
    source: ${source}
    postgres: { connection: "\${OWN_DSN}", tables: [public.orders] }
    connector:
      url: http://127.0.0.1:1
      username: user
      password: "\${TOKEN}"
      config: { "database.password": "${CANARY}", "producer.override.sasl.jaas.config": "password=${CANARY}" }
dq: { source: "\${OWN_DSN}" }
http: { metricsToken: "\${TOKEN}" }
`,
  )
  return file
}

const files = config('files.yaml', `{ files: ${join(directory, 'topics')} }`)
const kafka = (sasl: string) => `{ kafka: { brokers: ["127.0.0.1:1"], topics: ["t.*"], sasl: ${sasl} } }`
const byPassword = config(
  'password.yaml',
  kafka('{ mechanism: plain, username: u, password: "${KAFKA_PASSWORD}" }'),
)
const byToken = config('token.yaml', kafka('{ mechanism: oauthbearer, token: "${TOKEN}" }'))
const byEndpoint = config(
  'endpoint.yaml',
  kafka(
    '{ mechanism: oauthbearer, tokenEndpoint: { url: "http://127.0.0.1:1/t", clientId: c, clientSecret: "${TOKEN}" } }',
  ),
)

/** Those that stay up, measure for minutes, or wait for processes; what they print is made of the same parts. */
const NOT_RUN = ['bench', 'dq schedule', 'wait-for', 'table pause', 'pipeline stop', 'backfill', 'init']

/** What a command needs beside its configuration. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  ingest: ['--until-end'],
  'pipeline start': ['--until-end'],
  peek: ['t.public.orders'],
  'table changes': ['--from', '0'],
  'table restore': ['--to', '0'],
  'dlq show': ['t', '0', '0'],
  'checkpoint reset': ['--to', 'earliest'],
  'setup postgres': ['--attempts', '1'],
  'setup bucket': ['--dry-run'],
}

function commands(): readonly (readonly [name: string, command: Command])[] {
  const terminal = memoryTerminal()
  const program = createProgram(
    { stdout: terminal, stderr: terminal, environment: () => undefined, exitWith: () => {} },
    '0',
  )
  const leaves = (command: Command, path: string): (readonly [string, Command])[] =>
    command.commands.length === 0
      ? [[path, command]]
      : command.commands.flatMap((each) => leaves(each, path === '' ? each.name() : `${path} ${each.name()}`))
  return leaves(program, '').filter(([name]) => !NOT_RUN.includes(name))
}

async function outputOf(
  name: string,
  command: Command,
  file: string,
  more: readonly string[],
): Promise<string> {
  const needed = command.registeredArguments.filter(({ required }) => required).map(() => 'public.orders')
  const given = ARGUMENTS[name] ?? []
  const takesFile = command.options.some(({ long }) => long === '--config')
  const takesJson = command.options.some(({ long }) => long === '--json')
  const argv = [
    ...name.split(' '),
    ...(given[0]?.startsWith('-') === false ? given : [...needed, ...given]),
    ...(takesFile ? ['-c', file] : []),
    ...more.filter((option) => option !== '--json' || takesJson),
  ]
  const { stdout, stderr } = await runCommand(argv, variables)
  return stdout + stderr
}

/** Every key of the configuration, `*` for names that a person chooses. */
function* keysOf(schema: JsonSchema, path = ''): Generator<readonly [path: string, schema: JsonSchema]> {
  yield [path, schema]
  const { properties = {}, additionalProperties, anyOf = [], items } = schema
  for (const [key, each] of Object.entries(properties)) yield* keysOf(each, `${path}.${key}`)
  if (typeof additionalProperties === 'object') yield* keysOf(additionalProperties, `${path}.*`)
  for (const each of [...anyOf, ...(items === undefined ? [] : [items])]) yield* keysOf(each, path)
}

/** Keys that the configurations of these tests give something to. */
function* givenIn(value: unknown, path = ''): Generator<string> {
  if (typeof value !== 'object' || value === null)
    return yield path.replace(/^\.pipelines\.shop/, '.pipelines.*')
  for (const [key, each] of Object.entries(value)) yield* givenIn(each, `${path}.${key}`)
}

describe('every secret of the configuration', () => {
  const keys = [...keysOf(configShape())]
  const secrets = keys.filter(([, { writeOnly }]) => writeOnly === true).map(([path]) => path)

  test('is one of those that are looked for here', () => {
    const texts = [files, byPassword, byToken, byEndpoint].map((file) => readFileSync(file, 'utf8'))
    const given = new Set(texts.flatMap((text) => [...givenIn(parse(text))]))
    expect(secrets.length).toBeGreaterThanOrEqual(7)
    expect(secrets.filter((path) => !given.has(path))).toEqual([])
  })

  test('is kept as one, when its name says that it is one', () => {
    const isNamedSo = /(?:password|passphrase|secret|token|credentials?|connection|(?:api|access)key)$/i
    const named = keys.filter(([path, { type }]) => isNamedSo.test(path) && type !== 'object')
    expect(named.length).toBeGreaterThanOrEqual(6)
    expect(named.map(([path]) => path).filter((path) => !secrets.includes(path))).toEqual([])
  })
})

describe('a secret', () => {
  test('is in no output of any command, as text or as JSON, with or without an error', async () => {
    const runs = commands().flatMap(([name, command]) =>
      [[], ['--json']].map((more) => outputOf(name, command, files, more)),
    )
    const outputs = await Promise.all(runs)
    expect(outputs.length).toBeGreaterThan(50)
    expect(outputs.filter((text) => text !== '').length).toBeGreaterThan(outputs.length * 0.9)
    expect(outputs.filter((text) => text.includes(CANARY))).toEqual([])
  }, 60_000)

  test('of Kafka is in no printed configuration, whichever way it is given', async () => {
    for (const file of [byPassword, byToken, byEndpoint]) {
      for (const more of [[], ['--json']]) {
        const printed = await runCommand(['config', 'print', '-c', file, ...more], variables)
        expect(printed.exitCode, printed.stderr).toBe(0)
        expect(printed.stdout + printed.stderr).not.toContain(CANARY)
        expect(printed.stdout).toContain('[redacted]')
      }
    }
  })

  test('in the file itself is warned of, and the warning does not repeat it', async () => {
    const { stdout, stderr } = await runCommand(['config', 'check', '-c', files], variables)
    expect(stderr).toMatch(/connector\.config\."database\.password" holds a password/)
    expect(stdout + stderr).not.toContain(CANARY)
  })

  test('in a broken configuration is not repeated by the error', async () => {
    const broken = join(directory, 'broken.yaml')
    writeFileSync(broken, readFileSync(files, 'utf8').replace('username: user', 'usrname: user'))
    for (const more of [[], ['--json']]) {
      const { exitCode, stdout, stderr } = await runCommand(
        ['config', 'check', '-c', broken, ...more],
        variables,
      )
      expect(exitCode).toBe(2)
      expect(stdout + stderr).toMatch(/usrname/)
      expect(stdout + stderr).not.toContain(CANARY)
    }
  })

  test('that Connect repeats in its answer is not told on', async () => {
    const server = createServer((socket) => {
      const text = JSON.stringify({ message: `bad url postgres://u:${CANARY}@h/d, password=${CANARY}` })
      socket.end(
        `HTTP/1.1 500 no\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`,
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const asked = await runCommand(
      ['connector', 'status', '-c', files, '--url', `http://127.0.0.1:${port}`],
      variables,
    )
    server.close()
    expect(asked.stderr).toMatch(/refuses \(500\): bad url postgres:\/\/u:\[redacted\]@h\/d/)
    expect(asked.stdout + asked.stderr).not.toContain(CANARY)
  })
})
