import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { probeConditionalPut } from '../../../src/io/probe-conditional-put.ts'
import { createS3Client } from '../../../src/io/s3-client.ts'
import { S3Connection } from '../../../src/io/s3-connection.ts'
import { S3Store } from '../../../src/io/s3-store.ts'
import { systemClock } from '../../../src/io/system-clock.ts'
import { systemRandom } from '../../../src/io/system-random.ts'
import { ACCESS, S3Server } from './s3-server.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** What the unit tests believe of an S3 server, asked of a real one. */
describe('the S3 store on a real server', () => {
  let server: S3Server

  beforeAll(async () => {
    server = await S3Server.start()
  })
  afterAll(() => server?.stop())

  function open(prefix: string, bucket = server.bucket): S3Store {
    const client = createS3Client(server.settings)
    const connection = new S3Connection({ client, clock: systemClock, random: systemRandom })
    return new S3Store({ connection, bucket, prefix })
  }

  test('passes the probe for conditional puts, and keeps nothing of it', async () => {
    const store = open('probed')
    await probeConditionalPut(store, systemRandom)
    expect(await store.list('x', '')).toEqual([])
  })

  test('of many conditional puts at once exactly one makes the object, and its bytes stay', async () => {
    for (let round = 0; round < 20; round++) {
      const stores = Array.from({ length: 8 }, () => open('race'))
      const outcomes = await Promise.all(
        stores.map((store, i) => store.putIfAbsent('log.put', `${round}.json`, bytes(`writer ${i}`))),
      )
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1)
      expect(await stores[0]!.get('x', `${round}.json`)).toEqual(
        bytes(`writer ${outcomes.indexOf('created')}`),
      )
    }
  })

  test('reads back what it wrote, whole and in ranges, until it is deleted', async () => {
    const store = open('objects')
    await store.put('x', 'a b/ü=%41/c.txt', bytes('first'))
    await store.put('x', 'a b/ü=%41/c.txt', bytes('0123456789'))
    const read = (start: number, end: number) => store.getRange('x', 'a b/ü=%41/c.txt', start, end)
    expect(await store.get('x', 'a b/ü=%41/c.txt')).toEqual(bytes('0123456789'))
    expect(await read(3, 6)).toEqual(bytes('345'))
    expect(await read(8, 20)).toEqual(bytes('89'))
    expect(await read(10, 20)).toEqual(bytes(''))
    expect(await read(4, 4)).toEqual(bytes(''))
    const info = await store.head('x', 'a b/ü=%41/c.txt')
    expect(info).toMatchObject({ path: 'a b/ü=%41/c.txt', sizeBytes: 10 })
    expect(Math.abs(info!.modifiedMs - Date.now())).toBeLessThan(60_000)
    expect(await store.list('x', 'a b/')).toEqual([info])
    await store.delete('x', 'a b/ü=%41/c.txt')
    await store.delete('x', 'a b/ü=%41/c.txt')
    expect(await store.get('x', 'a b/ü=%41/c.txt')).toBeNull()
    expect(await store.head('x', 'a b/ü=%41/c.txt')).toBeNull()
    expect(await read(0, 1)).toBeNull()
    expect(await store.list('x', '')).toEqual([])
  })

  test('a large object goes up in parts and comes back the same', async () => {
    const store = open('large')
    const large = new Uint8Array(37 * 1024 * 1024 + 11)
    for (let i = 0; i < large.length; i += 997) large[i] = i % 251
    await store.put('x', 'big.parquet', large)
    const found = await store.get('x', 'big.parquet')
    expect(Buffer.compare(found!, large)).toBe(0)
    const middle = await store.getRange('x', 'big.parquet', 16_777_000, 16_778_000)
    expect(Buffer.compare(middle!, large.subarray(16_777_000, 16_778_000))).toBe(0)
  })

  test('lists beyond a page, in order, from any start and up to any count', async () => {
    const store = open('listed')
    const names = Array.from({ length: 1_100 }, (_, i) => `t/${String(i).padStart(20, '0')}.json`)
    for (let at = 0; at < names.length; at += 50)
      await Promise.all(names.slice(at, at + 50).map((name) => store.put('x', name, bytes('{}'))))
    const paths = async (...range: [string?, number?]) =>
      (await store.list('x', 't/', ...range)).map(({ path }) => path)
    expect(await paths()).toEqual(names)
    expect(await paths(names[1_050])).toEqual(names.slice(1_051))
    expect((await paths(names[10], 5)).slice(0, 5)).toEqual(names.slice(11, 16))
  })

  test('lists in the order of UTF-8 bytes, folders among names', async () => {
    const store = open('order')
    const names = ['a', 'a-b', 'a.b', 'a/b', 'a0', 'a/b/c', 'b/\u{1f600}', 'b/\uffe0', 'B'].filter(
      (name) => name !== 'a' && name !== 'a/b', // a server that keeps objects as files cannot have both
    )
    for (const name of names) await store.put('x', name, bytes('x'))
    const inOrder = [...names].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    expect((await store.list('x', '')).map(({ path }) => path)).toEqual(inOrder)
  })

  test('tells a bucket that is not there, and credentials that are wrong', async () => {
    await expect(open('x', 'no-such-bucket').get('x', 'a')).rejects.toMatchObject({
      code: 'E_STORE_NO_BUCKET',
    })
    process.env['AWS_SECRET_ACCESS_KEY'] = 'wrong'
    await expect(open('x').get('x', 'a')).rejects.toMatchObject({ code: 'E_STORE_CREDENTIALS' })
    process.env['AWS_ACCESS_KEY_ID'] = 'unknown'
    await expect(open('x').put('x', 'a', bytes('a'))).rejects.toMatchObject({
      remedy: 'stop',
      message: expect.stringMatching(/access key/i),
    })
    Object.assign(process.env, ACCESS)
  })
})
