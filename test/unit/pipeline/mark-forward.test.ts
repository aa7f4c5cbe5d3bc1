import { expect, test } from 'vitest'
import { PassedMark } from '../../../src/pipeline/passed-mark.ts'
import { TablePatterns } from '../../../src/pipeline/table-patterns.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { testPorts } from '../../support/test-ports.ts'

// Found by the simulation, seed 29: a process that was paused, and does not know that another one went on.
test('a mark that is written late moves no partition back', async () => {
  const store = new MemoryStore()
  const late = await PassedMark.open(testPorts(store), 'p')
  const other = await PassedMark.open(testPorts(store), 'p')
  await other.write(passed({ a: 38n, b: 5n }))
  await late.write(passed({ a: 2n, b: 9n }))
  const now = await PassedMark.open(testPorts(store), 'p')
  expect(now.passed('a', 0)?.nextOffset).toBe(38n)
  expect(now.passed('b', 0)?.nextOffset).toBe(9n)
})

function passed(nextOffsets: Readonly<Record<string, bigint>>) {
  const partitions = Object.entries(nextOffsets).map(([topic, nextOffset]) => ({
    ...{ topic, partition: 0, nextOffset },
    fingerprint: null,
  }))
  return { partitions, tables: TablePatterns.ALL, floors: [] }
}
