import { beforeEach, describe, expect, test } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import type { Action } from '../../../../writers/delta/actions.ts'
import { tryCommit } from '../../../../writers/delta/commit.ts'
import { readCommit } from '../../../../writers/delta/log-entry.ts'
import { commitPath } from '../../../../writers/delta/log-path.ts'
import { addOf, metadataOf, PROTOCOL, seedTable } from '../../../support/delta-log.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

const OURS: Action[] = [{ kind: 'commitInfo', txnId: 'ours' }, addOf('a')]
const THEIRS: Action[] = [{ kind: 'commitInfo', txnId: 'theirs' }, addOf('b')]
const BUSY = new EngineError('E_STORE', 'retry', 'busy')

let store: MemoryStore

beforeEach(() => {
  store = new MemoryStore()
  seedTable(store, 't', 2)
})

function commit(actions = OURS): ReturnType<typeof tryCommit> {
  return tryCommit(store, 't', 3, actions)
}

function failAt(site: string, error: Error, when: 'before' | 'after'): void {
  store[when] = (_, at) => {
    if (at === site) throw error
  }
}

describe('trying to commit', () => {
  test('creates the entry with one request', async () => {
    const outcome = await commit()
    const bytes = store.objects.get(commitPath('t', 3))!.bytes
    expect(outcome).toEqual({ kind: 'committed', version: 3, sizeBytes: bytes.length })
    expect(readCommit(bytes, 3)).toEqual(OURS)
    expect(store.calls).toEqual([`log.put ${commitPath('t', 3)}`])
  })

  test('is lost to whoever was first, and tells what they did', async () => {
    await commit(THEIRS)
    expect(await commit()).toEqual({ kind: 'lost', version: 3, winner: THEIRS })
    expect(readCommit(store.objects.get(commitPath('t', 3))!.bytes, 3)).toEqual(THEIRS)
  })

  test('has won when "exists" means our own bytes', async () => {
    await commit()
    expect(await commit()).toMatchObject({ kind: 'committed', version: 3 })
  })

  test('has won when the answer was lost but the bytes arrived', async () => {
    failAt('log.put', BUSY, 'after')
    expect(await commit()).toMatchObject({ kind: 'committed', version: 3 })
  })

  test('is lost when the request failed and somebody else stands there', async () => {
    await commit(THEIRS)
    failAt('log.put', BUSY, 'before')
    expect(await commit()).toMatchObject({ kind: 'lost', version: 3 })
  })

  test('is unknown when the request failed and nothing stands there: it may still arrive', async () => {
    failAt('log.put', BUSY, 'before')
    expect(await commit()).toEqual({ kind: 'unknown', cause: BUSY })
    store.before = () => {}
    expect(await commit()).toMatchObject({ kind: 'committed' })
  })

  test('is unknown when reading back fails too', async () => {
    await commit(THEIRS)
    failAt('log.read-back', BUSY, 'before')
    expect(await commit()).toEqual({ kind: 'unknown', cause: BUSY })
  })

  test('does not swallow an error that will not get better', async () => {
    const denied = new EngineError('E_STORE_DENIED', 'stop', 'denied')
    failAt('log.put', denied, 'before')
    await expect(commit()).rejects.toBe(denied)
  })

  test('an entry without a commit id, or a first one without a table, is our bug', async () => {
    await expect(commit([addOf('a')])).rejects.toThrow('without txnId')
    await expect(tryCommit(store, 'new', 0, OURS)).rejects.toThrow('version 0')
    expect(await tryCommit(store, 'new', 0, [...OURS, PROTOCOL, metadataOf()])).toMatchObject({
      kind: 'committed',
    })
  })
})
