import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import { LocalStore } from '../../../../src/io/local-store.ts'
import { systemRandom } from '../../../../src/io/system-random.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes))

describe('LocalStore', () => {
  let root: string
  let store: LocalStore

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'alluvium-store-'))
    store = new LocalStore(root, { random: systemRandom })
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const pathsUnder = async (prefix: string, startAfter?: string) =>
    (await store.list('list', prefix, startAfter)).map((info) => info.path)

  test('gives back what was put, whole and in ranges', async () => {
    await store.put('data.put', 'a/b/c.bin', bytesOf('0123456789'))
    expect(textOf(await store.get('get', 'a/b/c.bin'))).toBe('0123456789')
    expect(textOf(await store.getRange('get', 'a/b/c.bin', 2, 5))).toBe('234')
    expect(textOf(await store.getRange('get', 'a/b/c.bin', 8, 50))).toBe('89')
    expect(await store.head('head', 'a/b/c.bin')).toMatchObject({ path: 'a/b/c.bin', sizeBytes: 10 })
  })

  test('answers null for what is not there, also below a file and for a directory', async () => {
    await store.put('data.put', 'a/b', bytesOf('x'))
    for (const path of ['nothing', 'a', 'a/b/c']) {
      expect(await store.get('get', path)).toBeNull()
      expect(await store.getRange('get', path, 0, 1)).toBeNull()
      expect(await store.head('head', path)).toBeNull()
    }
  })

  test('put replaces, putIfAbsent never does', async () => {
    await store.put('data.put', 'x', bytesOf('one'))
    await store.put('data.put', 'x', bytesOf('two'))
    expect(await store.putIfAbsent('log.put', 'x', bytesOf('three'))).toBe('exists')
    expect(textOf(await store.get('get', 'x'))).toBe('two')
    expect(await store.putIfAbsent('log.put', 'y/z', bytesOf('three'))).toBe('created')
    expect(textOf(await store.get('get', 'y/z'))).toBe('three')
  })

  test('an object that comes in parts is whole, and not there before its last part', async () => {
    await store.put('data.put', 'd/x', bytesOf('old'))
    const seen: (string | null)[] = []
    async function* parts(): AsyncGenerator<Uint8Array> {
      const memory = new Uint8Array(3)
      for (const text of ['abc', 'def', 'g']) {
        seen.push(textOf(await store.get('get', 'd/x')), (await pathsUnder('')).join())
        memory.set(bytesOf(text))
        yield memory.subarray(0, text.length)
      }
    }
    await store.putParts('data.put', 'd/x', parts())
    expect(seen).toEqual(['old', 'd/x', 'old', 'd/x', 'old', 'd/x'])
    expect(textOf(await store.get('get', 'd/x'))).toBe('abcdefg')
    expect(await readdir(join(root, 'd'))).toEqual(['x'])
  })

  test('of an object whose parts end in an error nothing is left, and the error is told as it is', async () => {
    const error = new Error('told to end')
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield bytesOf('abc')
      throw error
    }
    await expect(store.putParts('data.put', 'd/x', parts())).rejects.toBe(error)
    expect(await readdir(join(root, 'd'))).toEqual([])
  })

  test('of many writers of one entry exactly one creates it', async () => {
    const writers = Array.from({ length: 20 }, (_, i) =>
      store.putIfAbsent('log.put', 'log/0.json', bytesOf(`writer ${i}`)),
    )
    const outcomes = await Promise.all(writers)
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1)
    expect(textOf(await store.get('get', 'log/0.json'))).toBe(`writer ${outcomes.indexOf('created')}`)
    expect(await readdir(join(root, 'log'))).toEqual(['0.json'])
  })

  test('lists by prefix in the order of UTF-8 bytes, without temporary files and links', async () => {
    for (const path of ['t/b', 't/a.txt', 't/a/1', 't/a/2', 'u', '\u{1F600}', '\uFFFD', 't2/x']) {
      await store.put('data.put', path, bytesOf('x'))
    }
    await writeFile(join(root, 't', '.tmp-left-by-a-crash'), 'x')
    await symlink(root, join(root, 't', 'loop'))
    expect(await pathsUnder('')).toEqual([
      't/a.txt',
      't/a/1',
      't/a/2',
      't/b',
      't2/x',
      'u',
      '\uFFFD',
      '\u{1F600}',
    ])
    expect(await pathsUnder('t/')).toEqual(['t/a.txt', 't/a/1', 't/a/2', 't/b'])
    expect(await pathsUnder('t/a')).toEqual(['t/a.txt', 't/a/1', 't/a/2'])
    expect(await pathsUnder('t')).toEqual(['t/a.txt', 't/a/1', 't/a/2', 't/b', 't2/x'])
    expect(await pathsUnder('t/', 't/a/1')).toEqual(['t/a/2', 't/b'])
    expect(await pathsUnder('', 't/zzz')).toEqual(['t2/x', 'u', '\uFFFD', '\u{1F600}'])
    expect(await pathsUnder('nothing/here/')).toEqual([])
  })

  test('with a limit, lists the first so many', async () => {
    for (const path of ['t/b', 't/a.txt', 't/a/1', 't/a/2', 'u'])
      await store.put('data.put', path, bytesOf('x'))
    const first = async (startAfter: string | undefined, limit: number) =>
      (await store.list('list', '', startAfter, limit)).map(({ path }) => path)
    expect(await first(undefined, 3)).toEqual(['t/a.txt', 't/a/1', 't/a/2'])
    expect(await first('t/a/1', 2)).toEqual(['t/a/2', 't/b'])
    expect(await first('t/b', 5)).toEqual(['u'])
  })

  test('delete removes, and is content when there is nothing', async () => {
    await store.put('data.put', 'x', bytesOf('x'))
    await store.delete('delete', 'x')
    await store.delete('delete', 'x')
    expect(await store.get('get', 'x')).toBeNull()
  })

  test.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', './a', 'a/.', '', 'a\0b', '..\\x', 'a/'])(
    'refuses the path %j',
    async (path) => {
      const refusal = expect.objectContaining({ code: 'E_PATH', remedy: 'stop' })
      await expect(store.get('get', path)).rejects.toEqual(refusal)
      await expect(store.put('put', path, bytesOf('x'))).rejects.toEqual(refusal)
      await expect(store.putParts('put', path, (async function* () {})())).rejects.toEqual(refusal)
      await expect(store.putIfAbsent('put', path, bytesOf('x'))).rejects.toEqual(refusal)
      await expect(store.delete('delete', path)).rejects.toEqual(refusal)
    },
  )

  test('refuses to list outside the root', async () => {
    await expect(store.list('list', '../')).rejects.toMatchObject({ code: 'E_PATH' })
    await expect(store.list('list', '/etc/')).rejects.toMatchObject({ code: 'E_PATH' })
  })

  test('names its steps in order, and a step that throws leaves no temporary file', async () => {
    const steps: string[] = []
    const watched = new LocalStore(root, { random: systemRandom, stepReached: (step) => steps.push(step) })
    await watched.put('data.put', 'd/x', bytesOf('x'))
    await watched.putIfAbsent('log.put', 'd/y', bytesOf('y'))
    expect(steps).toEqual([
      'data.put:temp-written',
      'data.put:written',
      'log.put:temp-written',
      'log.put:linked',
    ])

    const failing = new LocalStore(root, {
      random: systemRandom,
      stepReached: () => {
        throw new EngineError('E_TEST', 'retry', 'stop here')
      },
    })
    await expect(failing.putIfAbsent('log.put', 'd/z', bytesOf('z'))).rejects.toMatchObject({
      code: 'E_TEST',
    })
    expect(await readdir(join(root, 'd'))).toEqual(['x', 'y'])
  })

  test('says what is wrong when the disk refuses', async () => {
    await writeFile(join(root, 'file'), 'x')
    await expect(store.put('put', 'file/below', bytesOf('x'))).rejects.toMatchObject({
      name: 'EngineError',
      remedy: 'stop',
      message: expect.stringContaining(join(root, 'file/below')),
    })
    await expect(store.put('put', 'n'.repeat(300), bytesOf('x'))).rejects.toMatchObject({
      name: 'EngineError',
    })
  })
})
