import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import type { Fact } from '../../../../core/fact.ts'
import { openKafka } from '../../../../src/io/kafka-connection.ts'
import { systemClock } from '../../../../src/io/system-clock.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const require = createRequire(import.meta.url)

/** What the library puts between a connection and its socket. */
interface RequestQueue {
  throttledUntil: number
  maybeThrottle(throttledMs: number | null | undefined): void
}

test('time that a broker tells a connection to wait is told, and waited for', async () => {
  const facts: Fact[] = []
  const address = { brokers: ['127.0.0.1:1'], ssl: null, sasl: null }
  const kafka = await openKafka(address, systemClock, quiet, (fact) => facts.push(fact))
  const Queue = require('kafkajs/src/network/requestQueue/index.js') as new (options: object) => RequestQueue
  const queue = new Queue({ logger: kafka.logger().namespace('RequestQueue') })
  for (const none of [null, undefined, 0]) queue.maybeThrottle(none)
  expect([facts, queue.throttledUntil]).toEqual([[], -1])
  const startedMs = Date.now()
  queue.maybeThrottle(250)
  expect(facts).toEqual([{ kind: 'source-throttled', throttledMs: 250 }])
  expect(queue.throttledUntil).toBeGreaterThanOrEqual(startedMs + 250)
})
