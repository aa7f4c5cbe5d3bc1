import { writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Message } from 'kafkajs'
import { MadeUpOrders } from '../../src/bench/made-up-orders.ts'
import { kafka } from './rig.ts'

/**
 * Puts made-up changes into a topic: first the rows that the table begins with, as fast as it goes, then a steady stream
 * whose changes are of the moment in which they are put. Writes the moment of every change to a file (doubles, by
 * offset), and prints when the steady part began and what rate it kept.
 */

const TICK_MS = 20
const SETTLE_MS = 10_000
const SEND_MAX = 2000

const { values } = parseArgs({
  options: {
    topic: { type: 'string' },
    table: { type: 'string', default: 'orders' },
    'initial-rows': { type: 'string', default: '0' },
    rate: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '0' },
    times: { type: 'string' },
  },
})
const topic = values.topic!
const initialRows = Number(values['initial-rows'])
const rate = Number(values.rate)
const steadyCount = Math.round(rate * Number(values.seconds))

const orders = new MadeUpOrders({ initialRows, table: values.table, timeMsOf: () => Date.now() })
const times = new Float64Array(initialRows + steadyCount)
let put = 0

function nextMessages(count: number): Message[] {
  return Array.from({ length: count }, () => {
    const { key, value, timestampMs } = orders.next()
    times[put++] = timestampMs
    return { key: key as Buffer, value: value as Buffer, timestamp: String(timestampMs) }
  })
}

const producer = kafka.producer({ maxInFlightRequests: 1 })
await producer.connect()
while (put < initialRows) {
  await producer.send({ topic, acks: 1, messages: nextMessages(Math.min(SEND_MAX, initialRows - put)) })
}
// What comes first is not measured, and must be out of the way.
if (values.times !== undefined) await pause(SETTLE_MS)
const steadyFromMs = Date.now()
const steadyFrom = put
while (put < times.length) {
  const due = Math.min(Math.floor(((Date.now() - steadyFromMs) / 1000) * rate), steadyCount)
  const count = Math.min(steadyFrom + due - put, SEND_MAX)
  if (count > 0) await producer.send({ topic, acks: 1, messages: nextMessages(count) })
  if (count < SEND_MAX) await pause(TICK_MS)
}
const seconds = (Date.now() - steadyFromMs) / 1000
await producer.disconnect()
if (values.times !== undefined) writeFileSync(values.times, Buffer.from(times.buffer))
const keptRate = Math.round(steadyCount / Math.max(seconds, 0.001))
process.stdout.write(`${JSON.stringify({ steadyFrom, put, keptRate, rowCount: orders.rowCount })}\n`)
