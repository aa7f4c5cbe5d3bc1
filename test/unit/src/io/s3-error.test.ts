import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import type { StoreSettings } from '../../../../src/config/config.ts'
import { createS3Client } from '../../../../src/io/s3-client.ts'
import { S3Connection } from '../../../../src/io/s3-connection.ts'
import { toStoreError } from '../../../../src/io/s3-error.ts'
import { S3Store } from '../../../../src/io/s3-store.ts'
import { systemClock } from '../../../../src/io/system-clock.ts'
import { systemRandom } from '../../../../src/io/system-random.ts'
import { type Answer, refusal, ScriptedS3, success } from '../../../support/scripted-s3.ts'

const KEY_ID = 'AKIACANARY000000TEST'
const SECRET = 'canary-of-the-secret'
const TOKEN = 'canary-of-the-token'

let server: ScriptedS3
let directory: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'alluvium-s3-'))
  for (const name of ['AWS_PROFILE', 'AWS_REGION', 'AWS_WEB_IDENTITY_TOKEN_FILE']) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(directory, 'credentials'))
  vi.stubEnv('AWS_CONFIG_FILE', join(directory, 'config'))
  vi.stubEnv('AWS_ACCESS_KEY_ID', KEY_ID)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET)
  vi.stubEnv('AWS_SESSION_TOKEN', TOKEN)
  server = await ScriptedS3.start()
})

afterEach(async () => {
  await server[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

function open(settings: Partial<StoreSettings> = {}): S3Store {
  const client = createS3Client({ endpoint: server.endpoint, pathStyle: true, ...settings })
  const clock = { ...systemClock, sleep: async () => {} }
  return new S3Store({
    connection: new S3Connection({ client, clock, random: systemRandom }),
    bucket: 'lake',
    prefix: '',
  })
}

async function failureOf(answer: Answer, settings: Partial<StoreSettings> = {}): Promise<EngineError> {
  server.inTurn(answer)
  return failure(open(settings).get('x', 'a'))
}

async function failure(work: Promise<unknown>): Promise<EngineError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(EngineError)
  return error as EngineError
}

function signedBy(request: { readonly headers: Readonly<Record<string, unknown>> }): string | undefined {
  return /Credential=([^/]+)\//.exec(String(request.headers['authorization']))?.[1]
}

describe('what the store refuses is told with its cure', () => {
  test.each<[string, Answer, string, string, RegExp]>([
    ['a bucket that is not there', refusal(404, 'NoSuchBucket'), 'E_STORE_NO_BUCKET', 'stop', /make it/],
    ['a missing permission', refusal(403, 'AccessDenied'), 'E_STORE_DENIED', 'stop', /s3:PutObject/],
    ['an unknown key', refusal(403, 'InvalidAccessKeyId'), 'E_STORE_CREDENTIALS', 'stop', /access key/],
    ['a wrong secret', refusal(403, 'SignatureDoesNotMatch'), 'E_STORE_CREDENTIALS', 'stop', /secret/],
    ['an expired token', refusal(400, 'ExpiredToken'), 'E_STORE_EXPIRED', 'retry', /renewed/],
    ['a clock that is off', refusal(403, 'RequestTimeTooSkewed'), 'E_STORE_CLOCK', 'retry', /NTP/],
    ['a full store', refusal(507, 'XVendorFull'), 'E_STORE_BUSY', 'retry', /XVendorFull, HTTP 507/],
    ['too many requests', refusal(429, 'TooManyRequests'), 'E_STORE_BUSY', 'retry', /429/],
    ['a slow request', refusal(400, 'RequestTimeout'), 'E_STORE_BUSY', 'retry', /RequestTimeout/],
    ['bytes that were damaged on the way', refusal(400, 'BadDigest'), 'E_STORE_BUSY', 'retry', /BadDigest/],
    ['anything else', refusal(400, 'XVendorDislikes'), 'E_STORE_FAILED', 'stop', /told by the store/],
    [
      'another region, by header',
      refusal(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'eu-west-3' }),
      'E_STORE_REGION',
      'stop',
      /set `store\.region` to eu-west-3/,
    ],
    [
      'another region, in the body',
      refusal(400, 'AuthorizationHeaderMalformed', '<Region>eu-west-3</Region>'),
      'E_STORE_REGION',
      'stop',
      /set `store\.region` to eu-west-3/,
    ],
    [
      'a page of a proxy',
      (response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad <b>gateway'),
      'E_STORE_BUSY',
      'retry',
      /HTTP 502/,
    ],
  ])('%s', async (_, answer, code, remedy, message) => {
    const error = await failureOf(answer)
    expect(error).toMatchObject({ code, remedy, message: expect.stringMatching(message) })
    expect(error.message).toMatch(/^cannot read s3:\/\/lake\/a: /)
  })

  test('to a HEAD, whose answer has no body, by the status alone', async () => {
    server.inTurn(refusal(403, 'AccessDenied'))
    expect(await failure(open().head('x', 'a'))).toMatchObject({ code: 'E_STORE_DENIED' })
    server.inTurn(refusal(400, 'ExpiredToken'))
    expect(await failure(open().head('x', 'a'))).toMatchObject({ code: 'E_STORE_EXPIRED', remedy: 'retry' })
  })

  test('a server that is not there, a name that does not resolve, a port that speaks no TLS', async () => {
    const closed = server.endpoint
    const noTls = closed.replace('http:', 'https:')
    expect(await failure(open({ endpoint: noTls }).get('x', 'a'))).toMatchObject({
      code: 'E_STORE_TLS',
      remedy: 'stop',
    })
    const stores = [open({ endpoint: closed }), open({ endpoint: 'http://no-such-host.invalid' })]
    await server[Symbol.asyncDispose]()
    for (const store of stores) {
      const error = await failure(store.get('x', 'a'))
      expect(error).toMatchObject({ code: 'E_STORE_UNREACHABLE', remedy: 'retry' })
      expect(error.message).toMatch(/ECONNREFUSED|ENOTFOUND|EAI_AGAIN/)
    }
    server = await ScriptedS3.start()
  })

  test('an error that is not of the store is handed on as it is', () => {
    const bug = new TypeError('x is not a function')
    expect(toStoreError(bug, 'cannot read a')).toBe(bug)
  })
})

describe('credentials', () => {
  test('that cannot be found end the run: nothing is ever asked for anonymously', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
      vi.stubEnv(name, undefined)
    expect(await failureOf(success('abc'))).toMatchObject({ code: 'E_STORE_CREDENTIALS', remedy: 'stop' })
    expect(server.requests).toEqual([])
  })

  test('that expired are fetched anew, also from a profile that was written since', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
      vi.stubEnv(name, undefined)
    const writeProfile = (key: string) =>
      writeFileSync(
        join(directory, 'credentials'),
        `[default]\naws_access_key_id=${key}\naws_secret_access_key=s\n`,
      )
    writeProfile('OLD')
    server.answer = (request) => {
      if (signedBy(request) !== 'OLD') return success('abc')
      writeProfile('NEW')
      return refusal(400, 'ExpiredToken')
    }
    expect(await open().get('x', 'a')).toEqual(new TextEncoder().encode('abc'))
    expect(server.requests.map(signedBy)).toEqual(['OLD', 'NEW'])
  })

  test('that expired in a conditional put are renewed for the next one, and that one is the caller’s', async () => {
    server.inTurn(refusal(400, 'ExpiredToken'))
    const error = await failure(open().putIfAbsent('log.put', 'a', new Uint8Array(1)))
    expect(error).toMatchObject({ code: 'E_STORE_EXPIRED', remedy: 'retry' })
    expect(server.requests).toHaveLength(1)
  })

  test('are in no error, neither in its message nor in what hangs below', async () => {
    const parts =
      `<AWSAccessKeyId>${KEY_ID}</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256 ${TOKEN}</StringToSign>` +
      `<Token-0>${TOKEN}</Token-0><SignatureProvided>beef</SignatureProvided>`
    const wordy: Answer = (response) =>
      response
        .writeHead(403)
        .end(`<Error><Code>AccessDenied</Code><Message>${KEY_ID} may not</Message>${parts}</Error>`)
    for (const answer of [
      wordy,
      refusal(403, 'SignatureDoesNotMatch', parts),
      refusal(400, 'ExpiredToken', parts),
    ]) {
      const error = await failureOf(answer)
      const everything = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error)
      for (const canary of [KEY_ID, SECRET, TOKEN, 'StringToSign', 'authorization']) {
        expect(everything).not.toContain(canary)
      }
    }
  })
})

describe('the region', () => {
  const regionAsked = () =>
    /Credential=[^/]+\/\d+\/([^/]+)\//.exec(String(server.requests.at(-1)!.headers['authorization']))![1]

  test('is what the configuration says, else AWS_REGION, else one that other servers take', async () => {
    server.inTurn(success('abc'))
    await open().get('x', 'a')
    expect(regionAsked()).toBe('us-east-1')
    vi.stubEnv('AWS_REGION', 'eu-north-1')
    await open().get('x', 'a')
    expect(regionAsked()).toBe('eu-north-1')
    await open({ region: 'ap-south-1' }).get('x', 'a')
    expect(regionAsked()).toBe('ap-south-1')
  })

  test('must be known where the store is AWS itself', async () => {
    const client = createS3Client({ pathStyle: false })
    const connection = new S3Connection({ client, clock: systemClock, random: systemRandom })
    const store = new S3Store({ connection, bucket: 'lake', prefix: '' })
    const error = await failure(store.get('x', 'a'))
    expect(error).toMatchObject({
      code: 'E_STORE_REGION',
      remedy: 'stop',
      message: expect.stringMatching(/AWS_REGION/),
    })
  })
})

test('a clock that is off is set right by the answer of the store', async () => {
  const hours = 3_600_000
  const storeNow = Date.now() + 5 * hours
  server.answer = ({ headers }) => {
    const told = String(headers['x-amz-date']).replace(
      /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/,
      '$1-$2-$3T$4:$5:$6Z',
    )
    const isNear = Math.abs(Date.parse(told) - storeNow) < hours
    const date = { date: new Date(storeNow).toUTCString() }
    return isNear ? success('abc', date) : refusal(403, 'RequestTimeTooSkewed', '', date)
  }
  expect(await open().get('x', 'a')).not.toBeNull()
  expect(server.requests).toHaveLength(2)
})
