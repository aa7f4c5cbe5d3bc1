import { expect, test } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import type { Fact } from '../../../../core/fact.ts'
import { ObservedStore } from '../../../../src/ops/observed-store.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { HandClock } from '../../../support/test-ports.ts'

function watched(store = new MemoryStore()) {
  const facts: Fact[] = []
  return { facts, store: new ObservedStore(store, new HandClock(), (fact) => facts.push(fact)) }
}

test('each call is told when it begins and, with its answer, when it ends', async () => {
  const { facts, store } = watched()
  const bytes = new Uint8Array(3)
  await store.get('data.get', 'a')
  await store.putIfAbsent('log.put', 'a', bytes)
  await store.putIfAbsent('log.put', 'a', bytes)
  await store.getRange('data.get', 'a', 0, 2)
  await store.head('data.head', 'a')
  await store.list('log.list', '')
  await store.put('data.put', 'b', bytes)
  await store.putParts('data.put', 'c', (async function* () {})())
  await store.delete('vacuum.delete', 'b')
  expect(facts.filter(({ kind }) => kind === 'store-asked')).toHaveLength(9)
  const ended = facts.flatMap((fact) => (fact.kind === 'store-request' ? [`${fact.op} ${fact.code}`] : []))
  expect(ended).toEqual([
    ...['get absent', 'put_if_absent ok', 'put_if_absent exists', 'get_range ok', 'head ok', 'list ok'],
    ...['put ok', 'put_parts ok', 'delete ok'],
  ])
})

test('a call that fails is told by its code, and fails', async () => {
  class BusyStore extends MemoryStore {
    override async get(): Promise<never> {
      throw new EngineError('E_STORE_BUSY', 'retry', 'not now')
    }
  }
  const { facts, store } = watched(new BusyStore())
  await expect(store.get('data.get', 'a')).rejects.toMatchObject({ code: 'E_STORE_BUSY' })
  expect(facts.at(-1)).toMatchObject({ kind: 'store-request', code: 'E_STORE_BUSY', durationMs: 0 })
})
