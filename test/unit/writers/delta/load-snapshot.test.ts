import { beforeEach, describe, expect, test } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import { writeCheckpoint } from '../../../../writers/delta/checkpoint.ts'
import { renderLastCheckpoint } from '../../../../writers/delta/last-checkpoint.ts'
import { loadCommits, loadSnapshot } from '../../../../writers/delta/load-snapshot.ts'
import { checkpointPath, commitPath, lastCheckpointPath } from '../../../../writers/delta/log-path.ts'
import { seedTable } from '../../../support/delta-log.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

let store: MemoryStore

beforeEach(() => {
  store = new MemoryStore()
  seedTable(store, 't', 12)
})

async function checkpointAt(version: number): Promise<void> {
  await writeCheckpoint(store, 't', (await loadSnapshot(store, 't', { version }))!, 0)
}

async function newest(): Promise<{ version: number; files: number; commitId: string | undefined }> {
  const snapshot = (await loadSnapshot(store, 't'))!
  return { version: snapshot.version, files: snapshot.files.size, commitId: snapshot.commitId }
}

const WHOLE = { version: 12, files: 12, commitId: 'commit-12' }

describe('loading a table', () => {
  test('without a checkpoint replays all entries', async () => {
    expect(await newest()).toEqual(WHOLE)
    const snapshot = (await loadSnapshot(store, 't'))!
    expect(snapshot.txns.get('app')!.version).toBe(12n)
    expect(snapshot.timestampMs).toBe(1012)
  })

  test('where nothing is gives null, whatever lies beside it', async () => {
    store.seed('empty/_delta_log/_staged_commits/x', 'x')
    expect(await loadSnapshot(store, 'empty')).toBeNull()
    expect(await loadSnapshot(store, 'nowhere')).toBeNull()
    expect(await loadSnapshot(store, '')).toBeNull()
  })

  test('with a checkpoint reads only what comes after it', async () => {
    await checkpointAt(10)
    store.calls.length = 0
    expect(await newest()).toEqual(WHOLE)
    const entries = store.calls.filter((call) => call.startsWith('log.get'))
    expect(entries).toEqual([`log.get ${commitPath('t', 11)}`, `log.get ${commitPath('t', 12)}`])
  })

  test('at the version of a checkpoint still knows the commit id', async () => {
    await checkpointAt(12)
    expect(await newest()).toEqual(WHOLE)
    store.objects.delete(commitPath('t', 12))
    expect(await newest()).toEqual({ ...WHOLE, commitId: undefined })
  })

  test('survives a cleaned log in front of a checkpoint', async () => {
    await checkpointAt(10)
    for (let version = 0; version < 10; version++) store.objects.delete(commitPath('t', version))
    expect(await newest()).toEqual(WHOLE)
  })

  test.each<[string, () => void]>([
    ['torn', () => store.seed(lastCheckpointPath('t'), '{"version":1')],
    ['empty', () => store.seed(lastCheckpointPath('t'), '')],
    ['not JSON', () => store.seed(lastCheckpointPath('t'), Uint8Array.of(0xff))],
    [
      'of a wrong checksum',
      () => store.seed(lastCheckpointPath('t'), '{"version":4,"size":1,"checksum":"x"}'),
    ],
    ['stale', () => pointTo(5)],
    ['to a checkpoint that is gone', () => pointTo(7)],
    ['newer than the truth', () => pointTo(40)],
    ['gone', () => store.objects.delete(lastCheckpointPath('t'))],
  ])('does not depend on a pointer that is %s', async (_, breakPointer) => {
    await checkpointAt(5)
    await checkpointAt(10)
    breakPointer()
    expect(await newest()).toEqual(WHOLE)
  })

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['cut off', (bytes) => bytes.slice(0, bytes.length / 2)],
    ['empty', () => new Uint8Array()],
    ['text', () => new TextEncoder().encode('<html>busy</html>')],
    ['damaged inside', (bytes) => bytes.map((byte, at) => (at > 100 && at < 600 ? byte ^ 0x55 : byte))],
  ])('goes back to an older checkpoint when the newest is %s', async (_, damage) => {
    await checkpointAt(5)
    await checkpointAt(10)
    store.seed(checkpointPath('t', 10), damage(store.objects.get(checkpointPath('t', 10))!.bytes))
    for (let version = 0; version < 5; version++) store.objects.delete(commitPath('t', version))
    expect(await newest()).toEqual(WHOLE)
  })

  test('ignores a multi-part checkpoint that lacks a part, and reads a complete one', async () => {
    await checkpointAt(10)
    const bytes = store.objects.get(checkpointPath('t', 10))!.bytes
    store.objects.delete(checkpointPath('t', 10))
    const part = (n: number) =>
      `t/_delta_log/00000000000000000010.checkpoint.000000000${n}.0000000002.parquet`
    store.seed(part(1), bytes)
    store.calls.length = 0
    expect(await newest()).toEqual(WHOLE)
    expect(store.calls.filter((call) => call.startsWith('checkpoint.get'))).toEqual([])

    store.seed(part(2), bytes)
    store.calls.length = 0
    expect(await newest()).toEqual(WHOLE)
    expect(store.calls.filter((call) => call.startsWith('checkpoint.get'))).toHaveLength(2)
  })

  test('reads a V2 checkpoint in JSON whose files stand in a sidecar', async () => {
    await checkpointAt(10)
    const sidecar = store.objects.get(checkpointPath('t', 10))!.bytes
    store.objects.delete(checkpointPath('t', 10))
    store.seed('t/_delta_log/_sidecars/any name.parquet', sidecar)
    const first = new TextDecoder().decode(store.objects.get(commitPath('t', 0))!.bytes).split('\n')
    const lines = [
      '{"checkpointMetadata":{"version":10}}',
      ...first.filter((line) => line.startsWith('{"protocol"') || line.startsWith('{"metaData"')),
      '{"txn":{"appId":"app","version":9007199254740993}}',
      '{"sidecar":{"path":"any name.parquet","sizeInBytes":1,"modificationTime":1}}',
    ]
    store.seed(
      't/_delta_log/00000000000000000010.checkpoint.d2c639aa-8816-431a-aaf6-d3fe2512ff61.json',
      lines.join('\n'),
    )
    for (let version = 0; version <= 10; version++) store.objects.delete(commitPath('t', version))
    expect(await newest()).toEqual(WHOLE)
    expect((await loadSnapshot(store, 't', { version: 10 }))!.txns.get('app')!.version).toBe(
      9007199254740993n,
    )
  })

  test.each(['with', 'without'])(
    'lists again when the log is cleaned at any call of it, %s an older checkpoint',
    async (older) => {
      for (let at = 1, wasCleaned = true; wasCleaned; at++) {
        store = new MemoryStore()
        seedTable(store, 't', 12)
        if (older === 'with') await checkpointAt(3)
        wasCleaned = await cleanAtCall(at)
        expect(await newest(), `call ${at}`).toEqual(WHOLE)
      }
    },
  )

  /** Another process writes a checkpoint and deletes what stands before it, in the moment before our n-th call. */
  async function cleanAtCall(n: number): Promise<boolean> {
    let calls = 0
    const clean = async (): Promise<void> => {
      if (++calls !== n) return
      await checkpointAt(11)
      store.objects.delete(checkpointPath('t', 3))
      for (let version = 0; version < 11; version++) store.objects.delete(commitPath('t', version))
    }
    const { get, list } = store
    const racing = Object.assign(Object.create(store) as MemoryStore, {
      get: async (site: string, path: string) => {
        await clean()
        return get.call(store, site, path)
      },
      list: async (site: string, prefix: string, startAfter?: string, limit?: number) => {
        await clean()
        return list.call(store, site, prefix, startAfter, limit)
      },
    })
    const snapshot = await loadSnapshot(racing, 't')
    expect(snapshot?.version, `call ${n}`).toBe(12)
    return calls >= n
  }

  test('goes to any version that was asked for', async () => {
    await checkpointAt(10)
    await checkpointAt(5)
    for (const version of [0, 4, 5, 7, 10, 12]) {
      const snapshot = (await loadSnapshot(store, 't', { version }))!
      expect(snapshot).toMatchObject({ version, commitId: `commit-${version}` })
      expect(snapshot.files.size).toBe(version)
    }
    await expect(loadSnapshot(store, 't', { version: 13 })).rejects.toMatchObject({
      code: 'E_NO_SUCH_VERSION',
    })
  })

  test('a gap in the log stops the table and names the entry', async () => {
    store.objects.delete(commitPath('t', 8))
    await expect(loadSnapshot(store, 't')).rejects.toMatchObject({ code: 'E_LOG_GAP', remedy: 'stop-table' })
    await expect(loadSnapshot(store, 't')).rejects.toThrow('log entry 8 is missing')
  })

  test('a gap behind the checkpoint stops the table, even where an older one is whole', async () => {
    await checkpointAt(5)
    store.objects.delete(commitPath('t', 8))
    await expect(loadSnapshot(store, 't')).rejects.toThrow('log entry 8 is missing')
  })

  test('a listing that lags behind is asked a second time', async () => {
    const hidden = store.objects.get(commitPath('t', 8))!
    store.objects.delete(commitPath('t', 8))
    let lists = 0
    store.before = (operation) => {
      if (operation === 'list' && ++lists === 2) store.objects.set(commitPath('t', 8), hidden)
    }
    expect(await newest()).toEqual(WHOLE)
  })

  test('a bad day of the store is not taken for a damaged checkpoint', async () => {
    await checkpointAt(10)
    const busy = new EngineError('E_STORE', 'retry', 'busy')
    store.before = (_, site) => {
      if (site === 'checkpoint.get') throw busy
    }
    await expect(loadSnapshot(store, 't')).rejects.toBe(busy)
  })
})

describe('loading entries', () => {
  test('goes to the newest one, or to the end that was asked for', async () => {
    expect((await loadCommits(store, 't', 3)).map(({ version }) => version)).toEqual([
      3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ])
    expect((await loadCommits(store, 't', 3, 5)).map(({ version }) => version)).toEqual([3, 4, 5])
    expect(await loadCommits(store, 't', 13)).toEqual([])
  })

  test('of a table where nothing happened costs one request', async () => {
    store.calls.length = 0
    await loadCommits(store, 't', 13)
    expect(store.calls).toEqual([`log.get ${commitPath('t', 13)}`])
  })
})

function pointTo(version: number): void {
  store.seed(
    lastCheckpointPath('t'),
    renderLastCheckpoint({ version, size: 1, sizeInBytes: 1, numOfAddFiles: 1 }),
  )
}
