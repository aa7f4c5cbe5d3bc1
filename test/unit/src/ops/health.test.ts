import { describe, expect, test } from 'vitest'
import { type HealthFacts, judgeHealth, STANDS_STILL_MS } from '../../../../src/ops/health.ts'
import { pipelineSample, tableSample } from '../../../support/watched-pipeline.ts'

const WELL: HealthFacts = { isAssigned: true, isSourceReachable: true, lostSlots: [], waitsForStore: false }
const STILL = STANDS_STILL_MS + 1

describe('a pipeline', () => {
  test('that has its partitions and whose source answers is ready, and alive', () => {
    expect(judgeHealth(pipelineSample(), WELL)).toEqual({
      state: 'running',
      isReady: true,
      isLive: true,
      reasons: [],
    })
  })

  test('that was given no partition yet is not ready, and alive', () => {
    const health = judgeHealth(pipelineSample({ work: { partitions: [] } }), { ...WELL, isAssigned: false })
    expect(health).toMatchObject({ state: 'starting', isReady: false, isLive: true })
  })

  test('that was given none because there are more members than partitions is ready', () => {
    expect(judgeHealth(pipelineSample({ work: { partitions: [] } }), WELL).isReady).toBe(true)
  })

  test('whose brokers are gone is not ready, and is not helped by being started anew', () => {
    const health = judgeHealth(pipelineSample(), { ...WELL, isSourceReachable: false })
    expect(health).toMatchObject({ state: 'degraded', isReady: false, isLive: true })
    expect(health.reasons).toEqual(['the source does not answer'])
  })

  test('that waits for a store which does not answer is alive', () => {
    const health = judgeHealth(pipelineSample({ stillMs: STILL }), { ...WELL, waitsForStore: true })
    expect(health.isLive).toBe(true)
  })

  test('whose loop stands still, and not for the store, is not alive', () => {
    const health = judgeHealth(pipelineSample({ stillMs: STILL }), WELL)
    expect(health).toMatchObject({ state: 'stopped', isReady: false, isLive: false })
    expect(health.reasons).toEqual(['its loop has not gone round for 300 s'])
  })

  test('with a stopped table goes on, ready for its siblings, and names the table', () => {
    const stopped = tableSample('public.t', {
      state: 'stopped',
      stopped: { code: 'E_OFFSET_GAP', message: 'records are gone' },
    })
    const health = judgeHealth(pipelineSample({ work: { tables: [stopped] } }), WELL)
    expect(health).toMatchObject({ state: 'degraded', isReady: true, isLive: true })
    expect(health.reasons).toEqual(['table public.t stopped (E_OFFSET_GAP)'])
  })

  test('whose slot is lost works on, and says so', () => {
    const health = judgeHealth(pipelineSample(), { ...WELL, lostSlots: ['dbz'] })
    expect(health).toMatchObject({ state: 'degraded', isReady: true, isLive: true })
    expect(health.reasons).toEqual(['replication slot dbz is lost, or about to be'])
  })

  test('that has ended is neither ready nor running', () => {
    const health = judgeHealth(pipelineSample({ phase: 'ended', stillMs: STILL }), WELL)
    expect(health).toMatchObject({ state: 'stopped', isReady: false, isLive: true })
  })
})
