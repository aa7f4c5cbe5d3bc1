import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import type { Clock, Random } from '../../../../core/ports.ts'
import { createS3Client } from '../../../../src/io/s3-client.ts'
import { S3Connection } from '../../../../src/io/s3-connection.ts'
import { S3Store, type S3StoreOptions } from '../../../../src/io/s3-store.ts'
import { systemClock } from '../../../../src/io/system-clock.ts'
import {
  type Answer,
  cutOff,
  hang,
  page,
  refusal,
  reset,
  ScriptedS3,
  type SeenRequest,
  success,
} from '../../../support/scripted-s3.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (found: Uint8Array | null) => (found === null ? null : new TextDecoder().decode(found))

let server: ScriptedS3
let pauses: number[]

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIACANARY000000TEST')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary-of-the-secret')
  server = await ScriptedS3.start()
  pauses = []
})

afterEach(async () => {
  await server[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

/** Pauses are told and not waited for. */
const clock: Clock = {
  ...systemClock,
  sleep: async (ms) => {
    pauses.push(ms)
  },
}

/** Draws the longest pause each time. */
const random: Random = { bytes: (length) => new Uint8Array(length).fill(255), uuid: () => 'uuid' }

interface OpenOptions extends Partial<S3StoreOptions> {
  readonly idleMs?: number
  readonly attemptMs?: number
}

function open({ idleMs = 5000, attemptMs = 60_000, ...options }: OpenOptions = {}): S3Store {
  const settings = { endpoint: server.endpoint, pathStyle: true, region: 'eu-test-1' }
  const client = createS3Client(settings, { connectMs: 1000, idleMs })
  const connection = new S3Connection({ client, clock, random, attemptMs })
  return new S3Store({ connection, bucket: 'lake', prefix: 'delta', ...options })
}

function asked(): string[] {
  return server.requests.map(({ method, path }) => `${method} ${path}`)
}

async function failure(work: Promise<unknown>): Promise<EngineError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(EngineError)
  return error as EngineError
}

describe('a conditional put', () => {
  const put = (store = open()) => store.putIfAbsent('log.put', 't/_delta_log/0.json', bytes('{}'))

  test('is one PUT with If-None-Match and the whole entry', async () => {
    server.inTurn(success())
    expect(await put()).toBe('created')
    expect(asked()).toEqual(['PUT /lake/delta/t/_delta_log/0.json'])
    const [request] = server.requests
    expect(request!.headers['if-none-match']).toBe('*')
    expect(request!.body.toString()).toBe('{}')
  })

  test('that meets an object (412) says so, after one request', async () => {
    server.inTurn(refusal(412, 'PreconditionFailed'))
    expect(await put()).toBe('exists')
    expect(asked()).toHaveLength(1)
  })

  test('that meets another put (409) is sent again, the same, with growing pauses', async () => {
    const conflict = refusal(409, 'ConditionalRequestConflict')
    server.inTurn(conflict, conflict, conflict, success())
    expect(await put()).toBe('created')
    expect(
      server.requests.map(({ path, headers, body }) => [path, headers['if-none-match'], `${body}`]),
    ).toEqual(Array(4).fill(['/lake/delta/t/_delta_log/0.json', '*', '{}']))
    expect(pauses).toEqual([200, 400, 800])
  })

  test('that meets others without end gives up, for the caller to come back', async () => {
    server.inTurn(refusal(409, 'ConditionalRequestConflict'))
    expect(await failure(put())).toMatchObject({ code: 'E_STORE_BUSY', remedy: 'retry' })
    expect(asked()).toHaveLength(10)
  })

  test.each<[string, Answer, string]>([
    ['503', refusal(503, 'SlowDown'), 'E_STORE_BUSY'],
    ['500', refusal(500, 'InternalError'), 'E_STORE_BUSY'],
    ['a reset after the bytes arrived', reset, 'E_STORE_UNREACHABLE'],
    ['a cut-off answer', cutOff('<x', 100), 'E_STORE_UNREACHABLE'],
  ])('answered by %s is never sent again by itself', async (_, answer, code) => {
    server.inTurn(answer, success())
    expect(await failure(put())).toMatchObject({ code, remedy: 'retry' })
    expect(asked()).toHaveLength(1)
    expect(pauses).toEqual([])
  })

  test('that is never answered ends after a bounded time', async () => {
    server.inTurn(hang)
    expect(await failure(put(open({ idleMs: 100 })))).toMatchObject({
      code: 'E_STORE_UNREACHABLE',
      remedy: 'retry',
    })
    expect(await failure(put(open({ attemptMs: 100 })))).toMatchObject({ code: 'E_STORE_UNREACHABLE' })
    expect(asked()).toHaveLength(2)
  })

  test('that the store cannot do is no bad day', async () => {
    server.inTurn(refusal(501, 'NotImplemented'))
    expect(await failure(put())).toMatchObject({ code: 'E_STORE_UNFIT', remedy: 'stop' })
  })

  test('is never made of parts, however long the entry', async () => {
    server.inTurn(success())
    await open().putIfAbsent('log.put', 'long', new Uint8Array(17 * 1024 * 1024))
    expect(asked()).toEqual(['PUT /lake/delta/long'])
    expect(server.requests[0]!.query.size).toBe(1) // x-id
  })

  test('tells the steps around it', async () => {
    const steps: string[] = []
    server.inTurn(refusal(409, 'ConditionalRequestConflict'), success())
    await put(open({ stepReached: (step) => steps.push(`${step} ${server.requests.length}`) }))
    expect(steps).toEqual(['log.put:before 0', 'log.put:created 2'])
  })
})

describe('a put', () => {
  test('is repeated over a bad day, with pauses that grow up to a ceiling', async () => {
    server.inTurn(refusal(503, 'SlowDown'), reset, refusal(500, 'InternalError'), success())
    await open().put('data.put', 'a.parquet', bytes('abc'))
    expect(server.requests.map(({ body }) => `${body}`)).toEqual(['abc', 'abc', 'abc', 'abc'])
    expect(pauses).toEqual([200, 400, 800])
  })

  test('gives up after some attempts, for the caller to come back', async () => {
    server.inTurn(refusal(503, 'SlowDown'))
    const error = await failure(open().put('data.put', 'a.parquet', bytes('abc')))
    expect(error).toMatchObject({ code: 'E_STORE_BUSY', remedy: 'retry' })
    expect(error.message).toMatch(
      /^cannot write s3:\/\/lake\/delta\/a\.parquet: .*\(SlowDown, HTTP 503, request REQ1\)$/,
    )
    expect(pauses).toEqual([200, 400, 800, 1600, 3200])
  })

  test('carries the encryption that was asked for, and no checksum trailer', async () => {
    server.inTurn(success())
    await open({ encryption: { kind: 'aws:kms', keyId: 'alias/lake' } }).put('data.put', 'a', bytes('abc'))
    const { headers } = server.requests[0]!
    expect(headers['x-amz-server-side-encryption']).toBe('aws:kms')
    expect(headers['x-amz-server-side-encryption-aws-kms-key-id']).toBe('alias/lake')
    expect(headers['content-length']).toBe('3')
    expect(headers['x-amz-trailer']).toBeUndefined()
    expect(Object.keys(headers).filter((name) => name.startsWith('x-amz-checksum'))).toEqual([])
  })
})

describe('a large object', () => {
  const LARGE = new Uint8Array(20 * 1024 * 1024).map((_, i) => i >> 18)

  /** Plays the server's side of an upload in parts. */
  function upload(parts: Map<number, Buffer>, part: (request: SeenRequest) => Answer | null = () => null) {
    server.answer = (request) => {
      const { method, query, body } = request
      if (method === 'POST' && query.has('uploads'))
        return success(
          '<InitiateMultipartUploadResult><UploadId>up1</UploadId></InitiateMultipartUploadResult>',
        )
      if (method === 'POST')
        return success('<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>')
      if (method === 'DELETE') return (response) => response.writeHead(204).end()
      const scripted = part(request)
      if (scripted !== null) return scripted
      const number = Number(query.get('partNumber'))
      parts.set(number, body)
      return success('', { etag: `"part-${number}"` })
    }
  }

  test('goes up in parts, and is whole', async () => {
    const parts = new Map<number, Buffer>()
    upload(parts)
    await open().put('data.put', 'big', LARGE)
    expect(Buffer.concat([1, 2, 3].map((number) => parts.get(number)!)).equals(LARGE)).toBe(true)
    expect([...parts.values()].map(({ length }) => length >> 20).sort()).toEqual([4, 8, 8])
    const complete = server.requests.at(-1)!
    expect(complete.query.get('uploadId')).toBe('up1')
    expect(`${complete.body}`).toMatch(/part-1.*part-2.*part-3/s)
  })

  test('sends a part again that failed, and no other', async () => {
    let failed = 0
    upload(new Map(), ({ query }) =>
      query.get('partNumber') === '2' && failed++ < 2 ? refusal(503, 'SlowDown') : null,
    )
    await open().put('data.put', 'big', LARGE)
    const sent = server.requests
      .map(({ query }) => query.get('partNumber'))
      .filter((number) => number !== null)
    expect(sent.sort()).toEqual(['1', '2', '2', '2', '3'])
  })

  test('that cannot be finished sends no more parts, and leaves none behind', async () => {
    const late: Answer = (response) => setTimeout(() => response.writeHead(200, { etag: '"x"' }).end(), 1500)
    upload(new Map(), ({ query }) => (query.get('partNumber') === '3' ? refusal(403, 'AccessDenied') : late))
    const larger = new Uint8Array(48 * 1024 * 1024)
    expect(await failure(open().put('data.put', 'big', larger))).toMatchObject({ code: 'E_STORE_DENIED' })
    const parts = server.requests.map(({ query }) => query.get('partNumber')).filter((part) => part !== null)
    expect(parts.sort()).toEqual(['1', '2', '3', '4'])
    const last = server.requests.at(-1)!
    expect([last.method, last.query.get('uploadId')]).toEqual(['DELETE', 'up1'])
  })

  /** An object in pieces that all lie in the same memory. */
  async function* pieces(object: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
    const memory = new Uint8Array(pieceBytes)
    for (let at = 0; at < object.length; at += pieceBytes) {
      const piece = object.subarray(at, at + pieceBytes)
      memory.set(piece)
      yield memory.subarray(0, piece.length)
    }
  }

  test('that comes in pieces goes up in parts while it comes, and is whole', async () => {
    const parts = new Map<number, Buffer>()
    upload(parts)
    const held: number[] = []
    async function* watched() {
      let came = 0
      for await (const piece of pieces(LARGE, 300_000)) {
        held.push(came - [...parts.values()].reduce((sum, { length }) => sum + length, 0))
        yield piece
        came += piece.length
      }
    }
    await open().putParts('data.put', 'big', watched())
    expect(Buffer.concat([1, 2, 3].map((number) => parts.get(number)!)).equals(LARGE)).toBe(true)
    expect([...parts.values()].map(({ length }) => length >> 20).sort()).toEqual([4, 8, 8])
    expect(`${server.requests.at(-1)!.body}`).toMatch(/part-1.*part-2.*part-3/s)
    expect(Math.max(...held)).toBeLessThanOrEqual(16 * 1024 * 1024)
  })

  test.each([0, 1000, 8 * 1024 * 1024])(
    'of %i bytes that comes in pieces is a single put',
    async (length) => {
      server.inTurn(success())
      const object = LARGE.subarray(20 * 1024 * 1024 - length)
      await open().putParts('data.put', 'small', pieces(object, 300_000))
      expect(asked()).toEqual(['PUT /lake/delta/small'])
      expect(server.requests[0]!.body.equals(object)).toBe(true)
    },
  )

  test('whose pieces end in an error leaves no parts behind, and tells it as it is', async () => {
    upload(new Map())
    const error = new Error('told to end')
    async function* broken() {
      yield* pieces(LARGE, 300_000)
      throw error
    }
    await expect(open().putParts('data.put', 'big', broken())).rejects.toBe(error)
    const last = server.requests.at(-1)!
    expect([last.method, last.query.get('uploadId')]).toEqual(['DELETE', 'up1'])
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })

  test('is there when only the answer to its completion was lost', async () => {
    let completed = 0
    upload(new Map())
    const usual = server.answer
    server.answer = (request) => {
      if (request.method === 'HEAD') return success('', { 'content-length': String(LARGE.length) })
      if (request.method !== 'POST' || request.query.has('uploads')) return usual(request)
      return completed++ === 0 ? reset : refusal(404, 'NoSuchUpload')
    }
    await open().put('data.put', 'big', LARGE)
    expect(completed).toBe(2)
    expect(asked().filter((request) => request.startsWith('DELETE'))).toEqual([])
  })
})

describe('reading', () => {
  test('gives the whole object, or null', async () => {
    server.inTurn(success('abc'), refusal(404, 'NoSuchKey'))
    expect(text(await open().get('x', 'a'))).toBe('abc')
    expect(await open().get('x', 'a')).toBeNull()
  })

  test('a cut-off body is read again, and never taken for the object', async () => {
    server.inTurn(cutOff('ab', 3), success('abc'))
    expect(text(await open().get('x', 'a'))).toBe('abc')
    server.inTurn(cutOff('ab', 3))
    expect(await failure(open().get('x', 'a'))).toMatchObject({ remedy: 'retry' })
  })

  test('asks for a range by its last byte, and takes a range that the object ends in', async () => {
    server.inTurn((response) => response.writeHead(206, { 'content-range': 'bytes 2-4/5' }).end('cde'))
    expect(text(await open().getRange('x', 'a', 2, 10))).toBe('cde')
    expect(server.requests[0]!.headers['range']).toBe('bytes=2-9')
  })

  test('a range that comes back too short or from elsewhere is asked for again', async () => {
    const partial =
      (range: string, body: string): Answer =>
      (response) =>
        response.writeHead(206, { 'content-range': range }).end(body)
    server.inTurn(partial('bytes 2-4/5', 'cd'), partial('bytes 0-2/5', 'abc'), partial('bytes 2-4/5', 'cde'))
    expect(text(await open().getRange('x', 'a', 2, 5))).toBe('cde')
    expect(asked()).toHaveLength(3)
  })

  test('a range beyond the end is empty, as is an empty range; without an object there is none', async () => {
    server.inTurn(refusal(416, 'InvalidRange'))
    expect(await open().getRange('x', 'a', 9, 10)).toEqual(new Uint8Array(0))
    server.inTurn(success('', { 'content-length': '5' }))
    expect(await open().getRange('x', 'a', 2, 2)).toEqual(new Uint8Array(0))
    server.inTurn(refusal(404, 'NoSuchKey'))
    expect(await open().getRange('x', 'a', 2, 2)).toBeNull()
    expect(await open().getRange('x', 'a', 2, 3)).toBeNull()
  })

  test('takes the range out of a whole object where a server knows no ranges', async () => {
    server.inTurn(success('abcde'))
    expect(text(await open().getRange('x', 'a', 1, 3))).toBe('bc')
  })

  test('head tells length and time, or null', async () => {
    const headers = { 'content-length': '7', 'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT' }
    server.inTurn(success('', headers), refusal(404, ''))
    const info = { path: 'a', sizeBytes: 7, modifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5) }
    expect(await open().head('x', 'a')).toEqual(info)
    expect(await open().head('x', 'a')).toBeNull()
  })

  test('a path that could leave the prefix is refused before anything is sent', async () => {
    for (const path of ['../a', 'a//b', '/a', 'a/./b', '']) {
      expect(await failure(open().get('x', path)), path).toMatchObject({ code: 'E_PATH' })
    }
    expect(await failure(open().list('x', '../a'))).toMatchObject({ code: 'E_PATH' })
    expect(asked()).toEqual([])
  })
})

describe('listing', () => {
  test('follows all pages, in the order of UTF-8 bytes, without the folders of consoles', async () => {
    server.inTurn(
      page(['delta/t/', 'delta/t/\u{1f600}', 'delta/t/b'], 'more'),
      page(['delta/t/\uffe0', 'delta/t/a/']),
    )
    const found = await open().list('log.list', 't/', 't/a')
    expect(found.map(({ path }) => path)).toEqual(['t/b', 't/\uffe0', 't/\u{1f600}'])
    expect(found[0]).toEqual({ path: 't/b', sizeBytes: 3, modifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5) })
    expect(server.requests.map(({ query }) => query.get('continuation-token'))).toEqual([null, 'more'])
    for (const { path, query } of server.requests) {
      expect([path, query.get('prefix'), query.get('start-after')]).toEqual([
        '/lake/',
        'delta/t/',
        'delta/t/a',
      ])
    }
  })

  test('leaves out what is not after the start, where a server does not know how', async () => {
    server.inTurn(page(['delta/t/1', 'delta/t/2', 'delta/t/3']))
    expect((await open().list('log.list', 't/', 't/2')).map(({ path }) => path)).toEqual(['t/3'])
  })

  test('asks for no more than is wanted', async () => {
    server.inTurn(page(['delta/1', 'delta/2'], 'more'))
    expect(await open().list('log.list', '', undefined, 2)).toHaveLength(2)
    expect(server.requests.map(({ query }) => query.get('max-keys'))).toEqual(['2'])
  })

  test('an empty prefix is the whole bucket where the lake has no prefix', async () => {
    server.inTurn(page(['a', 'b']))
    expect((await open({ prefix: '' }).list('x', '')).map(({ path }) => path)).toEqual(['a', 'b'])
  })

  test('a page that fails is asked for again, not the pages before it', async () => {
    server.inTurn(page(['delta/1'], 'more'), refusal(503, 'SlowDown'), page(['delta/2']))
    expect(await open().list('x', '')).toHaveLength(2)
    expect(server.requests.map(({ query }) => query.get('continuation-token'))).toEqual([
      null,
      'more',
      'more',
    ])
  })
})

test('deleting what is not there is no error', async () => {
  server.inTurn((response) => response.writeHead(204).end(), refusal(404, 'NoSuchKey'))
  await open().delete('x', 'a')
  await open().delete('x', 'a')
  expect(asked()).toEqual(['DELETE /lake/delta/a', 'DELETE /lake/delta/a'])
})

test('an attempt that does not heed its signal is ended all the same', async () => {
  const client = createS3Client({ endpoint: server.endpoint, pathStyle: true })
  const connection = new S3Connection({ client, clock, random, attemptMs: 50 })
  const stuck = connection.once('cannot read s3://lake/a', () => new Promise<never>(() => {}))
  expect(await failure(stuck)).toMatchObject({ code: 'E_STORE_UNREACHABLE', remedy: 'retry' })
})
