import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import { probeConditionalPut } from '../../../../src/io/probe-conditional-put.ts'
import { createS3Client } from '../../../../src/io/s3-client.ts'
import { S3Connection } from '../../../../src/io/s3-connection.ts'
import { S3Store } from '../../../../src/io/s3-store.ts'
import { systemClock } from '../../../../src/io/system-clock.ts'
import { systemRandom } from '../../../../src/io/system-random.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { type Answer, refusal, ScriptedS3, success } from '../../../support/scripted-s3.ts'

describe('asking a store for conditional puts', () => {
  let server: ScriptedS3
  let objects: Map<string, Buffer>

  beforeEach(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    server = await ScriptedS3.start()
    objects = new Map()
    server.answer = (request) => storing(request, true)
  })

  afterEach(async () => {
    await server[Symbol.asyncDispose]()
    vi.unstubAllEnvs()
  })

  function storing(
    { method, path, headers, body }: (typeof server.requests)[number],
    heedsCondition: boolean,
  ): Answer {
    if (method === 'PUT') {
      if (heedsCondition && headers['if-none-match'] === '*' && objects.has(path))
        return refusal(412, 'PreconditionFailed')
      objects.set(path, body)
      return success()
    }
    if (method === 'DELETE') {
      objects.delete(path)
      return (response) => response.writeHead(204).end()
    }
    const found = objects.get(path)
    return found === undefined ? refusal(404, 'NoSuchKey') : success(found)
  }

  function open(): S3Store {
    const client = createS3Client({ endpoint: server.endpoint, pathStyle: true })
    const clock = { ...systemClock, sleep: async () => {} }
    return new S3Store({
      connection: new S3Connection({ client, clock, random: systemRandom }),
      bucket: 'lake',
      prefix: '',
    })
  }

  async function verdict(): Promise<string> {
    return probeConditionalPut(open(), systemRandom).then(
      () => 'fit',
      (error: unknown) => {
        expect(error).toBeInstanceOf(EngineError)
        const { code, remedy, message } = error as EngineError
        return `${code} ${remedy}: ${message}`
      },
    )
  }

  test('a store that heeds them passes, and keeps nothing of it', async () => {
    expect(await verdict()).toBe('fit')
    expect(server.requests.filter(({ method }) => method === 'PUT').length).toBeGreaterThanOrEqual(4)
    expect(server.requests.every(({ path }) => path.startsWith('/lake/_alluvium/.probe/'))).toBe(true)
    expect(objects.size).toBe(0)
  })

  test('a store that ignores them is refused by name, and keeps nothing of it', async () => {
    server.answer = (request) => storing(request, false)
    expect(await verdict()).toMatch(
      /^E_STORE_UNFIT stop: s3:\/\/lake .*ignores If-None-Match.*knows conditional/,
    )
    expect(objects.size).toBe(0)
  })

  test('a store that heeds them only one after the other is refused', async () => {
    const waiting: (() => void)[] = []
    let puts = 0
    server.answer = (request) => {
      if (request.method !== 'PUT' || ++puts <= 2) return storing(request, true)
      // Looks first and writes later, as a store does that checks and then puts.
      const answer = objects.has(request.path) ? refusal(412, 'PreconditionFailed') : success()
      return (response) => {
        waiting.push(() => {
          objects.set(request.path, request.body)
          answer(response, request)
        })
        if (waiting.length >= 4) for (const go of waiting.splice(0)) go()
      }
    }
    expect(await verdict()).toMatch(/^E_STORE_UNFIT stop: .*at the same time.* 4 made it/)
  })

  test('a store that says "exists" and writes all the same is refused', async () => {
    server.answer = (request) => {
      const isTaken = request.method === 'PUT' && objects.has(request.path)
      const answer = storing(request, false)
      return isTaken ? refusal(412, 'PreconditionFailed') : answer
    }
    expect(await verdict()).toMatch(/^E_STORE_UNFIT stop: .*does not hold what/)
  })

  test('a store that does not know the header is refused', async () => {
    server.answer = (request) =>
      request.method === 'PUT' ? refusal(501, 'NotImplemented') : storing(request, true)
    expect(await verdict()).toMatch(/^E_STORE_UNFIT stop: /)
  })

  test('a lost answer proves nothing: another key is asked', async () => {
    let puts = 0
    server.answer = (request) => {
      const answer = storing(request, true)
      return request.method === 'PUT' && ++puts === 1 ? (response) => response.socket!.destroy() : answer
    }
    expect(await verdict()).toBe('fit')
    expect(objects.size).toBe(0)
  })

  test('a store that is away is told as it is', async () => {
    server.answer = () => refusal(503, 'SlowDown')
    expect(await verdict()).toMatch(/^E_STORE_BUSY retry: /)
    server.answer = () => refusal(404, 'NoSuchBucket')
    expect(await verdict()).toMatch(/^E_STORE_NO_BUCKET stop: /)
  })

  test('who may not delete may write all the same', async () => {
    server.answer = (request) =>
      request.method === 'DELETE' ? refusal(403, 'AccessDenied') : storing(request, true)
    expect(await verdict()).toBe('fit')
  })
})

test('any store can be asked', async () => {
  const store = new MemoryStore()
  await probeConditionalPut(store, systemRandom)
  expect(store.objects.size).toBe(0)
})
