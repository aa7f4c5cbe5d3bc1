import { expect, test } from 'vitest'
import type { PartitionRange } from '../../../../core/ports.ts'
import { PipelineWatch } from '../../../../src/ops/pipeline-watch.ts'
import { ProcessMetrics } from '../../../../src/ops/process-metrics.ts'
import { HandClock } from '../../../support/test-ports.ts'
import { pipelineSample } from '../../../support/watched-pipeline.ts'

const LOGGER = { debug() {}, info() {}, warn() {}, error() {} }

/** A pipeline that is followed until it was asked for its partitions so many times. */
async function followed(asked: number, partitions: () => Promise<readonly PartitionRange[]>) {
  const clock = new HandClock()
  const metrics = new ProcessMetrics('1')
  const watch = new PipelineWatch('shop', metrics.pipeline('shop', [], 0), { clock, logger: LOGGER })
  const ended = new AbortController()
  let left = asked
  await watch.follow(
    {
      name: 'shop',
      sample: async () => pipelineSample(),
      partitions: () => {
        if (--left === 0) ended.abort()
        return partitions()
      },
      slots: async () => [],
      proofs: async () => [],
    },
    ended.signal,
  )
  clock.now += 60_000
  return { watch, metrics, sample: await watch.sample() }
}

const away = async () => Promise.reject(new TypeError('no answer'))

test('brokers that did not answer once are not taken for gone', async () => {
  expect((await followed(1, away)).sample?.health.isReady).toBe(true)
})

test('brokers that did not answer twice in a row are', async () => {
  const { sample } = await followed(2, away)
  expect(sample?.health).toMatchObject({
    isReady: false,
    isLive: true,
    reasons: ['the source does not answer'],
  })
})

test('a source that answers again is there again', async () => {
  let count = 0
  const { sample } = await followed(4, async () => (++count < 3 ? away() : []))
  expect(sample?.health.isReady).toBe(true)
})

test('the end of a pipeline by an error is counted by its kind', async () => {
  const { watch, metrics } = await followed(1, async () => [])
  watch.noteFailure('E_KAFKA_DENIED')
  expect(await metrics.registry.text()).toContain('cdc_errors_total{pipeline="shop",error_type="source"} 1\n')
})
