import { describe, expect, test } from 'vitest'
import type { RawRecord } from '../../../core/ports.ts'
import type { RunReport } from '../../../src/pipeline/pipeline.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { jsonOf, PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

const TABLES = {
  'public.t': { replicaIdentity: 'full' as const, deadLetters: { maxShare: 1 } },
  'public.audit': { mode: 'append' as const },
  'public.soft': { deletes: 'soft' as const },
}
const TOPICS = ['shop.public.t', 'shop.public.keyless', 'shop.public.audit', 'shop.public.soft']

interface Stream {
  readonly topics: MemoryTopics
  /** What `public.t` holds in the end, by key. */
  readonly rows: ReadonlyMap<number, Record<string, unknown>>
  readonly letters: number
}

/** A stream of everything, with bad records among it; the same for the same seed. */
function streamOf(seed: number, records: number): Stream {
  const random = new SeededRandom(seed)
  const topics = new MemoryTopics()
  const live = new Map(TOPICS.map((topic) => [topic, new Map<number, Record<string, unknown>>()]))
  let letters = 0
  const sent: RawRecord[] = []
  for (let i = 0; i < records; i++) {
    const topic = TOPICS[random.below(TOPICS.length)]!
    const rows = live.get(topic)!
    const id = random.below(8)
    const place = { topic, partition: id % 2, ...(topic.endsWith('keyless') ? { key: null } : {}) }
    const old = rows.get(id)
    const dice = random.below(12)
    const row: Record<string, unknown> = { id, v: random.below(3) }
    if (random.chance(0.1)) row[`added${random.below(2)}`] = 'x'
    if (dice === 0) {
      topics.raw(['{', 'x', '', '{}', '[]', '{"op":"u"}'][random.below(6)]!, place)
      letters += topics.partitions.get(`${topic}/${place.partition}`)!.at(-1)!.value!.length > 0 ? 1 : 0
    } else if (dice === 1) topics.tombstone(id, place)
    else if (dice === 2) topics.heartbeat(place)
    else if (dice === 3 && !topic.endsWith('soft')) {
      // The last records once more, as Connect sends them after a crash. Of a soft delete that comes again it depends on
      // the cut whether it is counted as applied or as a duplicate; the table is the same.
      const again = sent.filter((record) => record.topic === topic && record.partition === place.partition)
      for (const record of again.slice(-1 - random.below(4))) topics.resend(record)
    } else if (old === undefined) {
      const isSnapshot = i < records / 8
      const record = topics.row(isSnapshot ? 'r' : 'c', row, place)
      if (!isSnapshot) sent.push(record)
      rows.set(id, row)
    } else if (dice < 9) {
      sent.push(topics.row('u', row, { before: JSON.stringify(old), ...place }))
      rows.set(id, row)
    } else {
      sent.push(topics.delete(id, { before: JSON.stringify(old), ...place }))
      rows.delete(id)
    }
  }
  return { topics, rows: live.get('shop.public.t')!, letters }
}

/**
 * What must be the same. Columns come in the order in which partitions were read; and any copy of a row without a key
 * may stand for any other, so that positions of such rows may differ.
 */
async function stateOf(world: PipelineWorld): Promise<string> {
  const tables = [
    await world.rows('public/t'),
    await world.rows('public/audit'),
    await world.rows('public/soft'),
    await world.data('public/keyless'),
  ]
  const sorted = tables.map((rows) => rows.map((row) => jsonOf(Object.entries(row).sort())).sort())
  return jsonOf({ sorted, letters: await world.letters(), mark: await world.mark() })
}

/** Counts that do not depend on where the stream is cut: whether two changes of a key meet in a batch does. */
function lasting({ records, tally }: RunReport): Record<string, number> {
  const { applied, superseded, ...others } = tally
  return { records, told: applied + superseded, ...others }
}

describe('where the stream is cut changes nothing', () => {
  test.each([1, 2, 3, 4, 5, 6])('seed %i', async (seed) => {
    const { topics, rows, letters } = streamOf(seed, 120)
    let first: { readonly state: string; readonly counts: Record<string, number> } | null = null
    for (const { batchRows, batchRecords } of [
      { batchRows: 1000, batchRecords: 1000 },
      { batchRows: 7, batchRecords: 5 },
      { batchRows: 1, batchRecords: 1000 },
    ]) {
      const world = new PipelineWorld()
      const report = await world.run(topics, { batch: { rows: batchRows }, batchRecords, tables: TABLES })
      const where = `batches of ${batchRows} rows, ${batchRecords} records`
      expect(stoppedTables(report), where).toEqual({})
      const [state, counts] = [await stateOf(world), lasting(report)]
      first ??= { state, counts }
      expect(counts, where).toEqual(first.counts)
      expect(state, where).toBe(first.state)
      expect(report.tally.deadLetters).toBe(letters)
      expect(await world.letters()).toHaveLength(letters)
      expect(await world.ids('public/t')).toEqual([...rows.keys()].sort((a, b) => a - b))
    }
  })
})
