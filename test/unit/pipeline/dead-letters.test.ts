import { expect, test } from 'vitest'
import { DEAD_LETTERS_PATH, DeadLetters } from '../../../src/pipeline/dead-letters.ts'
import { listDeadLetters } from '../../../src/pipeline/read-dead-letters.ts'
import { loadSnapshot } from '../../../writers/delta/load-snapshot.ts'
import { envelope } from '../../support/envelope-records.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { testPorts } from '../../support/test-ports.ts'

async function writeAll(store: MemoryStore, count: number): Promise<void> {
  const letters = await DeadLetters.open(testPorts(store), 'p')
  for (let n = 0; n < count; n++) {
    const record = { ...envelope(), offset: BigInt(n) }
    const why = { kind: 'undecodable', reason: 'BAD_JSON', message: '', table: null, at: record } as const
    await letters.write([{ record, why }])
    // What is done beside the writing has its time.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  await letters.settle()
}

const fileCount = async (store: MemoryStore) => (await loadSnapshot(store, DEAD_LETTERS_PATH))!.files.size

test('the files of dead letters are merged as those of any table', async () => {
  const store = new MemoryStore()
  await writeAll(store, 20)
  expect(await fileCount(store)).toBeLessThan(10)
  expect((await listDeadLetters(store, {}, 100)).count).toBe(20)
})

test('a merge of dead letters that fails harms none of them', async () => {
  const store = new MemoryStore()
  store.before = (_, site) => {
    if (site === 'data.get') throw new Error('a bad disk')
  }
  await writeAll(store, 12)
  store.before = () => {}
  expect(await fileCount(store)).toBe(12)
  expect((await listDeadLetters(store, {}, 100)).count).toBe(12)
})
