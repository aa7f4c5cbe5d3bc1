import { beforeEach, describe, expect, test } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import type { Action } from '../../../../writers/delta/actions.ts'
import { writeCommit } from '../../../../writers/delta/log-entry.ts'
import { commitPath } from '../../../../writers/delta/log-path.ts'
import { type PreparedCommit, TableLog } from '../../../../writers/table-log.ts'
import { addOf, metadataOf, PROTOCOL } from '../../../support/delta-log.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { HandClock, testPorts } from '../../../support/test-ports.ts'

const MINUTE = 60_000

describe('entries of ours that somebody overwrites', () => {
  let store: MemoryStore
  let clock: HandClock
  let log: TableLog
  let commits: number

  beforeEach(async () => {
    store = new MemoryStore()
    clock = new HandClock()
    commits = 0
    log = await TableLog.open({ ...testPorts(store), clock }, 't')
    await commit([PROTOCOL, metadataOf()])
  })

  async function commit(more: readonly Action[] = []): Promise<void> {
    const prepared: PreparedCommit = {
      operation: 'WRITE',
      metrics: {},
      actions: [...more, addOf(`f${++commits}`)],
      ours: { kind: 'append', touched: new Set(), appIds: new Set() },
    }
    await log.commit(
      async () => prepared,
      async () => {},
    )
  }

  /** As Spark does on `s3a://`: a put without a condition. */
  function overwrite(version: number): void {
    const info: Action = {
      kind: 'commitInfo',
      operation: 'MERGE',
      engineInfo: 'Apache-Spark/4.0',
      txnId: 'theirs',
    }
    store.seed(commitPath('t', version), writeCommit([info, addOf('theirs')]))
  }

  const readsOf = (version: number) =>
    store.calls.filter((call) => call === `log.get ${commitPath('t', version)}`).length

  test('stop the table within a minute, and the intruder is named', async () => {
    await commit()
    overwrite(1)
    await commit()
    clock.now += MINUTE
    const error = await commit().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(EngineError)
    expect(error).toMatchObject({
      code: 'E_LOG_OVERWRITTEN',
      remedy: 'stop-table',
      message: expect.stringMatching(/Apache-Spark\/4\.0 \(operation MERGE\).*table t, version 1/),
    })
    expect(store.objects.has(commitPath('t', 3))).toBe(false)
  })

  test('are looked for once an entry, not with every commit', async () => {
    for (let version = 1; version <= 5; version++) await commit()
    expect(readsOf(3)).toBe(0)
    clock.now += MINUTE
    await commit()
    await commit()
    clock.now += MINUTE
    await commit()
    expect([1, 3, 5, 6, 7].map(readsOf)).toEqual([1, 1, 1, 1, 1])
    expect(readsOf(8)).toBe(0)
  })

  test('are told apart from entries that others made in their turn', async () => {
    await commit()
    overwrite(2)
    await commit()
    clock.now += MINUTE
    await commit()
    expect(log.snapshot!.version).toBe(4)
  })

  test('are looked for later when the store has a bad day, and the commit goes on', async () => {
    await commit()
    overwrite(1)
    clock.now += MINUTE
    store.before = (_, site) => {
      if (site === 'log.get') throw new EngineError('E_STORE_BUSY', 'retry', 'busy')
    }
    await commit()
    expect(log.snapshot!.version).toBe(2)
    store.before = () => {}
    await expect(commit()).rejects.toMatchObject({ code: 'E_LOG_OVERWRITTEN' })
  })

  test('are forgotten beyond a bound, oldest first', async () => {
    for (let version = 1; version <= 300; version++) await commit()
    overwrite(10)
    clock.now += MINUTE
    await commit()
    expect([10, 44, 45, 300].map(readsOf)).toEqual([0, 0, 1, 1])
  })
})
