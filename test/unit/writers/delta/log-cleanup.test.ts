import { beforeEach, describe, expect, test } from 'vitest'
import { writeCheckpoint } from '../../../../writers/delta/checkpoint.ts'
import { loadSnapshot } from '../../../../writers/delta/load-snapshot.ts'
import { cleanLog } from '../../../../writers/delta/log-cleanup.ts'
import { checkpointPath, commitPath } from '../../../../writers/delta/log-path.ts'
import { metadataOf, seedCommit, seedTable } from '../../../support/delta-log.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

const DAY = 86_400_000
const NOW = 1000 * DAY
const LOG = 't/_delta_log/'

let store: MemoryStore

/** Versions 0 to 9, one a day, the last one today; checkpoints at 3, 5 and 8; entries are kept for 2 days. */
beforeEach(async () => {
  store = new MemoryStore()
  seedTable(store, 't', 9)
  seedCommit(store, 't', 1, [metadataOf({ 'delta.logRetentionDuration': 'interval 2 days' })])
  for (const version of [3, 5, 8]) {
    await writeCheckpoint(store, 't', (await loadSnapshot(store, 't', { version }))!, 0)
  }
  store.seed(`${LOG}00000000000000000002.crc`, '{}')
  store.seed(`${LOG}00000000000000000005.crc`, '{}')
  store.seed(`${LOG}00000000000000000005.00000000000000000006.compacted.json`, '{}')
  store.seed(`${LOG}00000000000000000006.00000000000000000007.compacted.json`, '{}')
  for (const [path, object] of store.objects) {
    const version = Number(/(\d{20})/.exec(path)?.[1] ?? 9)
    object.modifiedMs = NOW - (9 - version) * DAY
  }
})

async function clean(nowMs = NOW): Promise<number> {
  return cleanLog(store, 't', (await loadSnapshot(store, 't'))!, nowMs)
}

function names(): string[] {
  return [...store.objects.keys()].map((path) => path.slice(LOG.length).replace(/^0+(?=\d\.)/, '')).sort()
}

describe('cleaning the log', () => {
  test('deletes what stands before the newest expired checkpoint, and keeps its entry', async () => {
    const before = await loadSnapshot(store, 't')
    expect(await clean()).toBe(8)
    expect(names()).toEqual([
      '5.checkpoint.parquet',
      '5.crc',
      '5.json',
      '6.00000000000000000007.compacted.json',
      '6.json',
      '7.json',
      '8.checkpoint.parquet',
      '8.json',
      '9.json',
      '_last_checkpoint',
    ])
    const after = (await loadSnapshot(store, 't'))!
    expect([...after.files.keys()].sort()).toEqual([...before!.files.keys()].sort())
    expect((await loadSnapshot(store, 't', { version: 5 }))!.commitId).toBe('commit-5')
    expect(await clean()).toBe(0)
  })

  test('counts days from midnight', async () => {
    expect(await clean(NOW - 1)).toBe(8)
    expect(await clean(NOW + DAY - 1)).toBe(0)
    expect(await clean(NOW + DAY)).toBeGreaterThan(0)
  })

  test('deletes nothing when no checkpoint is old enough', async () => {
    store.objects.delete(checkpointPath('t', 3))
    store.objects.delete(checkpointPath('t', 5))
    expect(await clean()).toBe(0)
  })

  test('deletes nothing when the checkpoint that must carry the table is damaged', async () => {
    store.seed(checkpointPath('t', 5), 'x')
    expect(await clean()).toBe(0)
  })

  test.each([
    ['cleanup is off', { 'delta.enableExpiredLogCleanup': 'false' }],
    ['the retention is long', { 'delta.logRetentionDuration': 'interval 30 days' }],
  ])('deletes nothing when %s', async (_, configuration) => {
    seedCommit(store, 't', 9, [
      metadataOf({ 'delta.logRetentionDuration': 'interval 2 days', ...configuration }),
    ])
    expect(await clean()).toBe(0)
  })

  test('leaves a protected log alone', async () => {
    seedCommit(store, 't', 9, [
      {
        kind: 'protocol',
        minReaderVersion: 1,
        minWriterVersion: 7,
        writerFeatures: ['checkpointProtection'],
      },
    ])
    expect(await clean()).toBe(0)
  })

  test('stops at an entry that is younger than a later one', async () => {
    store.objects.get(commitPath('t', 4))!.modifiedMs = NOW
    await clean()
    expect(names()[0]).toBe('3.checkpoint.parquet')
  })

  test('goes from old to new, so that a crash leaves no gap', async () => {
    const snapshot = (await loadSnapshot(store, 't'))!
    let deletions = 0
    store.before = (operation) => {
      if (operation === 'delete' && ++deletions === 4) throw new Error('crash')
    }
    await expect(cleanLog(store, 't', snapshot, NOW)).rejects.toThrow('crash')
    store.before = () => {}
    expect((await loadSnapshot(store, 't'))!.files.size).toBe(snapshot.files.size)
  })
})
