import { expect, test } from 'vitest'
import { ProofLog, RUNS_PATH, readProofs, readVerified } from '../../../dq/proof-log.ts'
import type { CheckResult } from '../../../dq/verdict.ts'
import { DEFAULT_CONTRACT } from '../../../schemas/contract.ts'
import { TableWriter } from '../../../writers/table-writer.ts'
import { type ColumnTypes, changeEvent } from '../../support/change-event.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { testPorts } from '../../support/test-ports.ts'

const RUNS = { sourceName: 'alluvium', database: '', schema: '_dq', table: RUNS_PATH }

const result = (parts: Partial<CheckResult>): CheckResult => ({
  ...{ table: 'public.t', check: 'checksum', verdict: 'equal', detail: null, version: 3, snapshot: '5:5:' },
  ...{
    sourceRows: 9,
    lakeRows: 9,
    buckets: 4096,
    mismatchCount: 0,
    mismatches: [],
    deferred: 0,
    lagMs: null,
  },
  ...{ looks: 1, notes: [], durationMs: 12.4, repair: null, verifiedThrough: null },
  ...parts,
})

test('a table is verified through the newest place that a check has shown, whatever a later one found', async () => {
  const store = new MemoryStore()
  const log = new ProofLog(testPorts(store), 'p')
  await log.write('a', 1_000_000, [result({ verifiedThrough: { lsn: '0/20', atMs: 2000 } })])
  await log.write('b', 2_000_000, [
    result({ verifiedThrough: { lsn: '0/10', atMs: 1000 } }),
    result({ verdict: 'different', mismatchCount: 1 }),
    result({ table: 'public.u', check: 'lag' }),
  ])
  expect(await readVerified(store)).toEqual(new Map([['public.t', { lsn: '0/20', atMs: 2000 }]]))
  const past = await readProofs(store, 10, ['public.t'])
  expect(past.map(({ verdict, verifiedThrough }) => [verdict, verifiedThrough?.lsn ?? null]).sort()).toEqual([
    ['different', null],
    ['equal', '0/10'],
    ['equal', '0/20'],
  ])
})

test('results of a release that did not keep the place are read, and go on', async () => {
  const store = new MemoryStore()
  const columns: ColumnTypes = {
    run: 'string',
    started: 'timestamp',
    table: 'string',
    check: 'string',
    verdict: 'string',
    detail: 'string',
    duration_ms: 'long',
    version: 'long',
    snapshot: 'string',
    source_rows: 'long',
    lake_rows: 'long',
    buckets: 'integer',
    mismatches: 'long',
    deferred: 'long',
    looks: 'integer',
    lag_ms: 'long',
  }
  const contract = {
    ...DEFAULT_CONTRACT,
    name: RUNS_PATH,
    mode: 'append' as const,
    changeFeed: 'off' as const,
  }
  const options = { pipeline: 'p', table: RUNS, contract, path: RUNS_PATH, isOrdered: false }
  const writer = await TableWriter.open(testPorts(store), options)
  const after = {
    run: 'old',
    started: 1n,
    table: 'public.t',
    check: 'lag',
    verdict: 'equal',
    duration_ms: 1n,
  }
  const event = changeEvent({
    columns,
    key: null,
    after: { ...after, mismatches: 0n, deferred: 0n },
    position: null,
  })
  writer.add({ ...event, op: 'c', table: RUNS })
  await writer.flush([])
  expect(await readProofs(store, 10)).toMatchObject([{ run: 'old', verifiedThrough: null }])
  expect(await readVerified(store)).toEqual(new Map())
  const verifiedThrough = { lsn: '0/20', atMs: 2000 }
  await new ProofLog(testPorts(store), 'p').write('new', 2_000_000, [result({ verifiedThrough })])
  expect((await readProofs(store, 10)).map(({ run }) => run)).toEqual(['new', 'old'])
  expect(await readVerified(store)).toEqual(new Map([['public.t', verifiedThrough]]))
})
