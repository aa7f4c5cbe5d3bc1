import { describe, expect, test } from 'vitest'
import { BatchKeys } from '../../../writers/batch-keys.ts'
import { HASH_WORDS, KeyHasher } from '../../../writers/locator/key-encoding.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { testPorts } from '../../support/test-ports.ts'

const COLUMNS = [{ name: 'id', type: 'long', hasDefault: false }] as const
const COUNT = 5000
const keyOf = (id: number) => ({ columns: COLUMNS, values: [BigInt(id)] })

describe('the keys of a batch', () => {
  test('keep their numbers and hashes however many come', () => {
    const hasher = new KeyHasher(testPorts(new MemoryStore()).random)
    const keys = new BatchKeys(hasher)
    for (let id = 0; id < COUNT; id++) expect(keys.numberOf(keyOf(id))).toBe(id)
    for (let id = 0; id < COUNT; id++) expect(keys.numberOf(keyOf(id))).toBe(id)
    expect(keys.count).toBe(COUNT)
    const hash = new Uint32Array(HASH_WORDS)
    for (let id = 0; id < COUNT; id++) {
      hasher.hashKey(['long'], [BigInt(id)], hash, 0)
      const at = keys.at(id)
      if (keys.words.slice(at, at + HASH_WORDS).some((word, i) => word !== hash[i])) {
        throw new Error(`the hash of key ${id} is another`)
      }
    }
  })

  test('may be hashed by whoever brings them', () => {
    const keys = new BatchKeys(new KeyHasher(testPorts(new MemoryStore()).random))
    const put = (id: number) => keys.number((words, at) => words.fill(id + 1, at, at + HASH_WORDS))
    for (let id = 0; id < COUNT; id++) expect(put(id)).toBe(id)
    for (let id = 0; id < COUNT; id++) expect(put(id)).toBe(id)
  })
})
