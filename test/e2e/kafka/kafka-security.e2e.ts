import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Logger } from '../../../core/ports.ts'
import { DEFAULT_FETCH, type KafkaSasl, type KafkaSsl } from '../../../src/config/kafka-settings.ts'
import { Secret } from '../../../src/config/secret.ts'
import { kafkajs } from '../../../src/io/kafka-client.ts'
import { KafkaSource } from '../../../src/io/kafka-source.ts'
import { systemClock } from '../../../src/io/system-clock.ts'
import { Engine } from './engine-process.ts'
import { createTopic } from './kafka-topics.ts'
import { addScramUser, LOGIN } from './secured-listeners.ts'
import { OAUTH_CLIENT, TokenServer, unsecuredToken } from './token-server.ts'

const TOPIC = 'secured.public.t'
const broker = inject('kafkaBroker')
const listeners = inject('securedListeners')
const { ca, client, strangerCa } = listeners.certificates
const directory = mkdtempSync(join(tmpdir(), 'alluvium-kafka-security-'))
const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING })
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.LegacyPartitioner })
/** All that was ever logged, at every level. */
let logged = ''

beforeAll(async () => {
  const admin = kafka.admin()
  await admin.connect()
  await createTopic(admin, TOPIC, 1)
  await admin.disconnect()
  await producer.connect()
  await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
  addScramUser(broker)
})
afterAll(async () => {
  await producer.disconnect()
  rmSync(directory, { recursive: true, force: true })
})

const log = (fields: Record<string, unknown>, message: string) => {
  logged += `${JSON.stringify(fields)} ${message}\n`
}
const logger: Logger = { debug: log, info: log, warn: log, error: log }

function sourceOf(address: string, ssl: KafkaSsl | null, sasl: KafkaSasl | null = null): KafkaSource {
  const settings = {
    kind: 'kafka' as const,
    brokers: [address],
    topics: [TOPIC],
    groupId: `group-${Math.random()}`,
    ssl,
    sasl,
    fetch: { ...DEFAULT_FETCH, maxWaitMs: 100 },
    sessionTimeoutMs: 10_000,
    topicsAgeMs: 30_000,
  }
  const ties = { tablesOf: (topic: string) => [topic], isSpread: () => false }
  return new KafkaSource({ settings, ties, clock: systemClock, logger })
}

/** The values read until one of them is `last`. */
async function read(source: KafkaSource, last = 'first'): Promise<string[]> {
  const values: string[] = []
  const options = { untilEnd: false, startAt: async () => 0n, onRevoked: async () => {} }
  try {
    for await (const batch of source.read(options)) {
      values.push(...(batch?.records ?? []).map(({ value }) => String(Buffer.from(value ?? []))))
      if (values.includes(last)) break
    }
  } finally {
    await source.close()
  }
  return values
}

const password = (text = LOGIN.password) => new Secret(text)
const login = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', text?: string): KafkaSasl => ({
  mechanism,
  username: LOGIN.username,
  password: password(text),
})
const endpoint = (url: string, clientSecret = OAUTH_CLIENT.clientSecret): KafkaSasl => ({
  mechanism: 'oauthbearer',
  token: { url, clientId: OAUTH_CLIENT.clientId, clientSecret: new Secret(clientSecret) },
})

describe('a broker is read', () => {
  test.each<[string, () => KafkaSource]>([
    ['over TLS with an authority of its own', () => sourceOf(listeners.tls, { ca })],
    [
      'under the name in its certificate',
      () => sourceOf(listeners.tls.replace('127.0.0.1', 'localhost'), { ca, serverName: 'broker.test' }),
    ],
    ['over mutual TLS', () => sourceOf(listeners.mutualTls, { ca, ...client })],
    ['with SASL PLAIN', () => sourceOf(listeners.passwords, { ca }, login('plain'))],
    ['with SCRAM-SHA-256', () => sourceOf(listeners.passwords, { ca }, login('scram-sha-256'))],
    ['with SCRAM-SHA-512', () => sourceOf(listeners.passwords, { ca }, login('scram-sha-512'))],
  ])('%s', async (_, source) => {
    expect(await read(source())).toContain('first')
  })

  test('with a token in a file', async () => {
    const file = join(directory, 'token')
    writeFileSync(file, `${unsecuredToken(300)}\n`)
    const sasl = { mechanism: 'oauthbearer', token: { file } } as const
    expect(await read(sourceOf(listeners.tokens, { ca }, sasl))).toContain('first')
  })

  test('longer than a token lives, on tokens that are renewed in time', async () => {
    const tokens = await TokenServer.start(12)
    try {
      const last = 'after the first token'
      const reading = read(sourceOf(listeners.tokens, { ca }, endpoint(tokens.url)), last)
      await after(15_000)
      await producer.send({ topic: TOPIC, messages: [{ value: last }] })
      expect(await reading).toContain(last)
      expect(tokens.issuedAtMs.at(-1)! - tokens.issuedAtMs[0]!).toBeGreaterThan(8000)
    } finally {
      tokens.close()
    }
  })
})

describe('a broker that does not know us is left at once, with a cure and without a secret', () => {
  const WRONG = 'canary-wrong-password'

  test.each<[string, () => KafkaSource, string]>([
    ['SASL PLAIN', () => sourceOf(listeners.passwords, { ca }, login('plain', WRONG)), 'E_KAFKA_LOGIN'],
    [
      'SCRAM-SHA-256',
      () => sourceOf(listeners.passwords, { ca }, login('scram-sha-256', WRONG)),
      'E_KAFKA_LOGIN',
    ],
    [
      'SCRAM-SHA-512',
      () => sourceOf(listeners.passwords, { ca }, login('scram-sha-512', WRONG)),
      'E_KAFKA_LOGIN',
    ],
    [
      'a mechanism it does not have',
      () => sourceOf(listeners.tokens, { ca }, login('plain')),
      'E_KAFKA_LOGIN',
    ],
    [
      'a token that ran out',
      () => {
        const token = new Secret(unsecuredToken(-60))
        return sourceOf(listeners.tokens, { ca }, { mechanism: 'oauthbearer', token })
      },
      'E_KAFKA_LOGIN',
    ],
    ['an authority that we do not know', () => sourceOf(listeners.tls, { ca: strangerCa }), 'E_KAFKA_TLS'],
    [
      'another name than its certificate has',
      () => sourceOf(listeners.tls.replace('127.0.0.1', 'localhost'), { ca }),
      'E_KAFKA_TLS',
    ],
    ['no certificate of ours', () => sourceOf(listeners.mutualTls, { ca }), 'E_KAFKA_TLS'],
    ['TLS where it speaks none', () => sourceOf(broker, {}), 'E_KAFKA_TLS'],
  ])('%s', async (_, source, code) => {
    const startedAtMs = Date.now()
    const error = await read(source()).catch((e: unknown) => e)
    expect(error).toMatchObject({ code, remedy: 'stop' })
    expect(Date.now() - startedAtMs).toBeLessThan(5000)
    expect(String(error)).not.toContain('canary')
  })

  test('an endpoint that refuses us', async () => {
    const tokens = await TokenServer.start(60)
    const error = await read(sourceOf(listeners.tokens, { ca }, endpoint(tokens.url, WRONG))).catch(
      (e: unknown) => e,
    )
    tokens.close()
    expect(error).toMatchObject({ code: 'E_KAFKA_LOGIN', remedy: 'stop' })
    expect(String(error)).toMatch(/401 \(invalid_client\)/)
  })

  test('the command line', async () => {
    const sasl = { mechanism: 'scram-sha-512', username: LOGIN.username, password: '${PASSWORD}' }
    const source = { kafka: { brokers: [listeners.passwords], topics: [TOPIC], ssl: { ca }, sasl } }
    const config = join(directory, 'wrong.yaml')
    const lake = join(directory, 'lake')
    writeFileSync(config, JSON.stringify({ lake, pipelines: { p: { source } } }))
    const run = await new Engine(config, lake).untilEnd({ PASSWORD: WRONG, ALLUVIUM_LOG_LEVEL: 'trace' })
    expect(run.exitCode).toBe(1)
    expect(run.stderr).toMatch(/E_KAFKA_LOGIN|does not accept the login/)
    expect(run.stderr).not.toContain('canary')
  })
})

test('nothing that was logged in all this holds a secret', () => {
  expect(logged.length).toBeGreaterThan(1000)
  expect(logged).not.toContain('canary')
  expect(logged).not.toMatch(/eyJ/)
})
