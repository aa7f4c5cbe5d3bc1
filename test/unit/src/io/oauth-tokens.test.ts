import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { OAuthTokens } from '../../../../src/io/oauth-tokens.ts'
import { HandClock } from '../../../support/test-ports.ts'

const SECRET = 'canary/secret+of=nobody'
let server: Server
let url: string
let asked: { authorization: string; body: string }[] = []
let answer: { status: number; body: string }

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (bytes: Buffer) => {
      body += bytes.toString()
    })
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization ?? '', body })
      response.writeHead(answer.status).end(answer.body)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/token`
})
afterAll(() => server.close())
beforeEach(() => {
  asked = []
  answer = { status: 200, body: JSON.stringify({ access_token: 't1', expires_in: 90 }) }
})

const clientOf = (clock = new HandClock()) => ({
  clock,
  tokens: new OAuthTokens(
    { url, clientId: 'us:1', clientSecret: async () => SECRET, scope: 'kafka read' },
    clock,
  ),
})

describe('tokens of an endpoint', () => {
  test('are asked for with the login in the header, as RFC 6749 writes it', async () => {
    expect(await clientOf().tokens.current()).toBe('t1')
    const login = `us%3A1:${encodeURIComponent(SECRET)}`
    expect(asked).toEqual([
      {
        authorization: `Basic ${Buffer.from(login).toString('base64')}`,
        body: 'grant_type=client_credentials&scope=kafka+read',
      },
    ])
  })

  test('are kept for two thirds of their time', async () => {
    const { tokens, clock } = clientOf()
    await tokens.current()
    clock.now += 59_000
    await tokens.current()
    expect(asked).toHaveLength(1)
    answer = { status: 200, body: JSON.stringify({ access_token: 't2', expires_in: 90 }) }
    clock.now += 1000
    expect(await tokens.current()).toBe('t2')
  })

  test('are asked for once by all that want one at the same time', async () => {
    const { tokens } = clientOf()
    expect(await Promise.all([tokens.current(), tokens.current()])).toEqual(['t1', 't1'])
    expect(asked).toHaveLength(1)
  })

  test('that are soon over are not handed out twice', async () => {
    answer = { status: 200, body: JSON.stringify({ access_token: 't1', expires_in: 20 }) }
    const { tokens, clock } = clientOf()
    await tokens.current()
    clock.now += 5000
    await tokens.current()
    expect(asked).toHaveLength(2)
  })

  test('are good to their end when the endpoint has a bad day', async () => {
    const { tokens, clock } = clientOf()
    await tokens.current()
    answer = { status: 503, body: '' }
    clock.now += 89_000
    expect(await tokens.current()).toBe('t1')
    clock.now += 1000
    await expect(tokens.current()).rejects.toMatchObject({ code: 'E_KAFKA_UNREACHABLE', remedy: 'retry' })
  })

  test.each([
    [401, `{"error":"invalid_client","error_description":"${SECRET}"}`, /answers 401 \(invalid_client\)/],
    [400, SECRET, /answers 400;/],
    [200, '{}', /holds no `access_token`/],
    [200, SECRET, /holds no `access_token`/],
  ])('are refused by %i %s, and no secret is told', async (status, body, message) => {
    answer = { status, body }
    const error = await clientOf()
      .tokens.current()
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'E_KAFKA_LOGIN', remedy: 'stop' })
    expect(String(error)).toMatch(message)
    expect(String(error)).not.toContain('canary')
  })

  test('of an endpoint that is not there can come later', async () => {
    const tokens = new OAuthTokens(
      { url: 'http://127.0.0.1:1/token', clientId: 'us', clientSecret: async () => SECRET },
      new HandClock(),
    )
    await expect(tokens.current()).rejects.toMatchObject({ code: 'E_KAFKA_UNREACHABLE', remedy: 'retry' })
  })
})
