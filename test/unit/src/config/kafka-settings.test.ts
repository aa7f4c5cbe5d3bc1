import { describe, expect, test } from 'vitest'
import type { KafkaSettings } from '../../../../src/config/kafka-settings.ts'
import { parseConfig } from '../../../../src/config/parse-config.ts'

const VARIABLES: Record<string, string> = { PW: 'open-sesame', TOKEN: 'ey' }

function settings(more: string): KafkaSettings {
  const text = `lake: ./lake\npipelines:\n  p:\n    source: { kafka: { brokers: [b:9092], topics: [t], ${more} } }\n`
  const { source } = parseConfig(text, 'alluvium.yaml', (name) => VARIABLES[name]).pipelines[0]!
  if (source.kind !== 'kafka') throw new Error('not Kafka')
  return source
}

describe('a Kafka source', () => {
  test('speaks TLS when it is told to', () => {
    expect(settings('').ssl).toBeNull()
    expect(settings('ssl: false').ssl).toBeNull()
    expect(settings('ssl: true').ssl).toEqual({})
    expect(settings('ssl: { ca: ca.pem, serverName: k }').ssl).toEqual({ ca: 'ca.pem', serverName: 'k' })
  })

  test('takes its secrets out of the environment, and shows none', () => {
    const { sasl } = settings('sasl: { mechanism: scram-sha-512, username: u, password: "${PW}" }')
    if (sasl?.mechanism !== 'scram-sha-512' || 'file' in sasl.password) throw new Error('not as given')
    expect(sasl.password.reveal()).toBe('open-sesame')
    expect(JSON.stringify(sasl)).not.toContain('sesame')
  })

  test('takes its secrets out of files', () => {
    expect(settings('sasl: { mechanism: plain, username: u, passwordFile: f }').sasl).toEqual({
      mechanism: 'plain',
      username: 'u',
      password: { file: 'f' },
    })
    expect(settings('sasl: { mechanism: oauthbearer, tokenFile: f }').sasl).toEqual({
      mechanism: 'oauthbearer',
      token: { file: 'f' },
    })
  })

  test('asks an endpoint for its tokens when it is told where', () => {
    const endpoint = 'url: "https://login.example/token", clientId: us, clientSecret: "${PW}", scope: kafka'
    const { sasl } = settings(`sasl: { mechanism: oauthbearer, tokenEndpoint: { ${endpoint} } }`)
    expect(sasl).toMatchObject({
      token: { url: 'https://login.example/token', clientId: 'us', scope: 'kafka' },
    })
    expect(JSON.stringify(sasl)).not.toContain('sesame')
    expect(
      settings(
        'sasl: { mechanism: oauthbearer, tokenEndpoint: { url: "http://127.0.0.1:1/t", clientId: us, clientSecretFile: f } }',
      ).sasl,
    ).toEqual({
      mechanism: 'oauthbearer',
      token: { url: 'http://127.0.0.1:1/t', clientId: 'us', clientSecret: { file: 'f' } },
    })
  })

  test('is fetched as it is told', () => {
    const given = settings('fetch: { minBytes: 1KB, maxWait: 50ms }, sessionTimeout: 6s, topicsAge: 1m')
    expect(given).toMatchObject({
      fetch: { minBytes: 1024, maxWaitMs: 50, maxPartitionBytes: 10 * 1024 * 1024 },
      sessionTimeoutMs: 6000,
      topicsAgeMs: 60_000,
    })
  })

  test.each([
    [
      'sasl: { mechanism: plain, username: u, password: open }',
      /:4: .*a secret does not belong in this file/,
    ],
    ['sasl: { mechanism: oauthbearer, token: open }', /a secret does not belong in this file; write token: /],
    ['sasl: { mechanism: plain, password: "${PW}" }', /name the `username`/],
    ['sasl: { mechanism: plain, username: u }', /give one of `password: .*` and `passwordFile`/],
    ['sasl: { mechanism: plain, username: u, password: "${PW}", passwordFile: f }', /give one of/],
    [
      'sasl: { mechanism: oauthbearer, username: u, token: "${TOKEN}" }',
      /`username` does not belong to oauthb/,
    ],
    ['sasl: { mechanism: plain, username: u, tokenFile: f }', /`tokenFile` does not belong to plain/],
    ['sasl: { mechanism: gssapi }', /plain/],
    ['sasl: { mechanism: oauthbearer }', /give one of `token: .*`, `tokenFile` and `tokenEndpoint`/],
    [
      'sasl: { mechanism: oauthbearer, tokenEndpoint: { url: "https://h/t", clientId: u, clientSecret: open } }',
      /a secret does not belong in this file; write clientSecret: /,
    ],
    [
      'sasl: { mechanism: oauthbearer, tokenEndpoint: { url: "https://h/t", clientId: u } }',
      /give one of `clientSecret: .*` and `clientSecretFile`/,
    ],
    [
      'sasl: { mechanism: oauthbearer, tokenEndpoint: { url: "http://h/t", clientId: u, clientSecretFile: f } }',
      /expected https:/,
    ],
    ['ssl: { cert: c }', /`cert` and `key` belong together/],
    ['fetch: { maxwait: 1s }', /did you mean "maxWait"/],
  ])('is refused with %s', (more, message) => {
    expect(() => settings(more)).toThrow(message)
  })
})
