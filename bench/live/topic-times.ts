import { kafka } from './rig.ts'

/** By partition; none while there is no topic. */
export async function endOffsets(topic: string): Promise<readonly number[]> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const offsets = await admin.fetchTopicOffsets(topic)
    return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high))
  } catch {
    return []
  } finally {
    await admin.disconnect()
  }
}

const SOURCE = Buffer.from('"source":{"version"')
const TIME = Buffer.from('"ts_ms":')

/** When the source committed each record of a range, by partition and offset; 0 for those before it. */
export async function readSourceTimes(
  topic: string,
  from: readonly number[],
  to: readonly number[],
): Promise<readonly Float64Array[]> {
  const times = to.map((end) => new Float64Array(end))
  let left = to.reduce((sum, end, i) => sum + end - from[i]!, 0)
  const consumer = kafka.consumer({ groupId: `times-${topic}` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachBatch: async ({ batch: { partition, messages } }) => {
          for (const { offset, value } of messages) {
            const at = Number(offset)
            if (at < from[partition]! || at >= to[partition]!) continue
            times[partition]![at] = sourceTimeMs(value!)
            left--
          }
          if (left === 0) resolve()
        },
      })
      .catch(reject)
    from.forEach((offset, partition) => {
      consumer.seek({ topic, partition, offset: String(offset) })
    })
  })
  await consumer.disconnect()
  return times
}

function sourceTimeMs(value: Buffer): number {
  const at = value.indexOf(TIME, value.lastIndexOf(SOURCE)) + TIME.length
  return Number(/^\d+/.exec(value.toString('latin1', at, at + 20))![0])
}
