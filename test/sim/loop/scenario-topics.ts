import { MemoryTopics } from '../../support/memory-topics.ts'

const LONG = 'stored out of line '.repeat(20)
const FILLER = '__debezium_unavailable_value'
const NARROW = ['{"type":"int64","field":"id"}', '{"type":"int32","optional":true,"field":"n"}']
const WIDE = ['{"type":"int64","field":"id"}', '{"type":"int64","optional":true,"field":"n"}']

const BAG = { topic: 'shop.public.bag', key: null }
const AUDIT = { topic: 'shop.public.audit', partition: 1 }
const SOFT = { topic: 'shop.public.soft' }
const REWRITTEN = { topic: 'shop.public.rewritten' }
const EAST = { topic: 'east.public.two' }
const WEST = { topic: 'west.public.two' }
const OLD = { topic: 'shop.public.old', fields: NARROW }

/** What is decided about the tables of the scenario. */
export const SCENARIO_TABLES = {
  'public.soft': { deletes: 'soft', partitionBy: ['grp'], replicaIdentity: 'full', changeFeed: 'full' },
  'public.audit': { mode: 'append' },
  'public.two': { topics: ['*.public.two'] },
  'public.rewritten': { merge: 'at-once', changeFeed: 'full' },
} as const

export const BATCH_ROWS = 3

/** Records of the table `old` that were committed one by one. */
const ONE_BY_ONE = 98

/** The table `old` as it was before. @param isWhole with its last two commits, of several rows */
export function oldTopic(isWhole: boolean, topics = new MemoryTopics()): MemoryTopics {
  for (let n = 0; n < ONE_BY_ONE; n++) topics.row(n === 0 ? 'c' : 'u', { id: 1, n }, OLD)
  if (!isWhole) return topics
  for (let id = 11; id < 11 + BATCH_ROWS; id++) topics.row('c', { id, n: 1 }, OLD)
  topics.row('u', { id: 12, n: 2 }, OLD)
  return topics
}

/** Every kind of table, and what each can meet. */
export function firstHalf(): MemoryTopics {
  const topics = new MemoryTopics()
  // Read first: in the second half something of it is passed over before anybody says how to go on.
  for (let id = 0; id < 2; id++) topics.row('c', { id, v: 'x' }, AUDIT)
  oldTopic(true, topics)
  topics.row('c', { id: 2, n: 7 }, OLD)
  for (let id = 0; id < 4; id++) topics.row(id < 2 ? 'r' : 'c', { id, v: `${LONG}${id}` })
  topics.row('u', { id: 1, v: FILLER, w: 1 })
  topics.raw('{"op":', { key: '{"id":1}' })
  topics.delete(2)
  topics.tombstone(2)
  for (let id = 0; id < 3; id++) topics.row('c', { id, grp: `g${id % 2}` }, SOFT)
  topics.row('u', { id: 1, grp: 'g0' }, { ...SOFT, before: '{"id":1,"grp":"g1"}' })
  topics.row('u', { id: 2, grp: 'g0' }, { ...SOFT, before: '{"id":2,"grp":"g0"}' })
  topics.delete(0, { ...SOFT, before: '{"id":0,"grp":"g0"}' })
  for (let n = 0; n < 4; n++) topics.row('c', { n: n % 2 }, BAG)
  topics.raw('a letter', { topic: BAG.topic })
  // A before-image that may be whole, or a key with fillers.
  topics.row('c', { id: 5, v: '' }, REWRITTEN)
  topics.row('u', { id: 5, v: 'x' }, { ...REWRITTEN, before: '{"id":5,"v":""}' })
  topics.row('c', { id: 2, v: 'a' }, REWRITTEN)
  for (let id = 0; id < 2; id++) topics.row('c', { id, v: 'a' }, REWRITTEN)
  return topics
}

/** A table that stops in the second half, because a record of it is gone, until somebody says that this is accepted. */
export const STOPPED_TABLE = 'public.audit'
/** The path of the table whose rows come by two topics. */
export const TWO_ROADS = 'public/two'

/** The first half, and what came after it. */
export function wholeScenario(): MemoryTopics {
  const topics = firstHalf()
  topics.row('u', { id: 1, n: 8_000_000_000 }, { ...OLD, fields: WIDE })
  topics.resend(topics.row('u', { id: 3, v: FILLER, w: 3 }))
  moveKey(topics, 3, 7)
  topics.row('c', { id: 2, v: 'again', w: 4 })
  topics.heartbeat()
  topics.raw('not JSON either')
  topics.delete(1, { ...SOFT, before: '{"id":1,"grp":"g0"}' })
  topics.row('u', { id: 2, grp: 'g2' }, { ...SOFT, before: '{"id":2,"grp":"g0"}' })
  topics.event({ op: '"d"', before: '{"n":1}', after: 'null', ...BAG })
  topics.row('c', { n: 5 }, BAG)
  topics.truncate(BAG)
  topics.row('c', { n: 6 }, BAG)
  topics.row('u', { id: 1, v: 'b' }, { ...REWRITTEN, before: '{"id":1,"v":""}' })
  topics.delete(2, REWRITTEN)
  topics.row('c', { id: 2, v: 'east' }, EAST)
  topics.row('c', { id: 1, v: 'east' }, EAST)
  topics.delete(1, EAST)
  topics.row('u', { id: 1, v: 'late' }, WEST)
  const gone = topics.delete(1, AUDIT)
  topics.row('c', { id: 3, v: 'y' }, AUDIT)
  topics.raw('the last record is a letter', AUDIT)
  topics.cutBefore(gone.offset + 1n, AUDIT)
  return topics
}

/** The row moves to another key, and its long text is not sent again. */
function moveKey(topics: MemoryTopics, from: number, to: number): void {
  // Both halves stand at one place of the source's history: after the record before them, before the one after.
  const at = { lsn: '1105', sequence: '"[\\"1101\\",\\"1105\\"]"', ts_us: '1772368215501105' }
  topics.delete(from, { source: at, headers: [['__debezium.newkey', `{"id":${to}}`]] })
  topics.tombstone(from)
  topics.row(
    'c',
    { id: to, v: FILLER, w: 3 },
    { source: at, headers: [['__debezium.oldkey', `{"id":${from}}`]] },
  )
}
