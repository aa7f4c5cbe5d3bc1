import { beforeAll, expect, test } from 'vitest'
import { typeText } from '../../schemas/evolution.ts'
import { applyReset, planReset } from '../../src/pipeline/checkpoint-reset.ts'
import { readCheckpoints } from '../../src/pipeline/checkpoints.ts'
import { OwnSign } from '../../src/pipeline/process-sign.ts'
import { RequestBox } from '../../src/pipeline/request-box.ts'
import { TablePatterns } from '../../src/pipeline/table-patterns.ts'
import { backfillAppId, readBackfillState, withBackfillState } from '../../writers/backfill/backfill-state.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import { owedTexts } from '../../writers/owed-rows.ts'
import { owedValueText } from '../../writers/owed-values.ts'
import { PartitionMarks } from '../../writers/partition-marks.ts'
import { progressTxns } from '../../writers/table-progress.ts'
import { withTableProperties } from '../../writers/table-properties.ts'
import { MemoryChangeSource, MemoryTopics } from '../support/memory-topics.ts'
import { PipelineWorld } from '../support/pipeline-world.ts'
import { testPorts } from '../support/test-ports.ts'

/**
 * What lies in a lake is a public format (design §4): the next release goes on with this one's. A name that changes here
 * is a lake that is not understood any more.
 */
const world = new PipelineWorld()

beforeAll(async () => {
  const topics = new MemoryTopics()
  fillAll(topics)
  const tables = {
    'public.log': { mode: 'append' as const },
    'public.soft': { deletes: 'soft' as const, changeFeed: 'full' as const },
    'public.roads': { topics: ['east.public.roads', 'west.public.roads'] },
  }
  await world.run(topics, { tables, batch: { rows: 2 } })
  const ports = testPorts(world.store)
  const box = new RequestBox(ports, 'default')
  const request = await box.leave({ kind: 'pause', table: 'public.t' }, 1000)
  await box.answer(request, { process: ports.random.uuid(), outcome: 'done', message: '' })
  await new OwnSign(ports.store, ports.clock, 'default', ports.random.uuid()).showWhenDue()
  const order = { tables: null, topic: 'shop.public.t', to: 'latest', newEpoch: true } as const
  const ranges = await new MemoryChangeSource(topics).partitions()
  const steps = planReset(await readCheckpoints(world.store, 'default'), ranges, order)
  await applyReset(ports, 'default', steps, order, TablePatterns.ALL)
})

function fillAll(topics: MemoryTopics): void {
  const place = (table: string, partition = 0) => ({ topic: `shop.public.${table}`, partition })
  const first = topics.row('c', { id: 1 })
  topics.row('c', { id: 2, late: 1 })
  topics.delete(1)
  topics.resend(first)
  topics.raw('{"op":')
  topics.row('c', { id: 1 }, place('log'))
  topics.row('c', { id: 1 }, place('soft'))
  topics.row('c', { id: 2 }, place('soft'))
  topics.delete(1, place('soft'))
  topics.row('c', { id: 1 }, place('emptied'))
  topics.truncate(place('emptied'))
  topics.truncate(place('never'))
  topics.row('c', { id: 1 }, { topic: 'east.public.roads' })
  topics.row('c', { id: 2 }, { topic: 'west.public.roads' })
  topics.delete(1, { topic: 'west.public.roads' })
}

/** App ids of all tables, with what stands for a topic and a partition in its place. */
async function appIds(): Promise<Set<string>> {
  const names = new Set<string>()
  for (const path of tablePaths()) {
    const { txns } = (await loadSnapshot(world.store, path))!
    for (const appId of txns.keys()) {
      const isMark = path.startsWith('_alluvium/')
      const name = appId.replace(/\/[a-z]+\.public\.[a-z]+\/\d+/, '/<topic>/<partition>')
      names.add(`${isMark ? 'mark' : 'table'}: ${name.replace(/floor\/[^/]+\//, 'floor/<table>/')}`)
    }
  }
  return names
}

function tablePaths(): string[] {
  const paths = [...world.store.objects.keys()]
  return [...new Set(paths.flatMap((path) => /^(.*?)\/_delta_log\//.exec(path)?.[1] ?? []))].sort()
}

test('progress, marks, floors and epochs have these names', async () => {
  expect([...(await appIds())].sort()).toEqual([
    'mark: alluvium/default/<topic>/<partition>',
    'mark: alluvium/default/<topic>/<partition>/print.key',
    'mark: alluvium/default/<topic>/<partition>/print.offset',
    'mark: alluvium/default/<topic>/<partition>/print.time',
    'mark: alluvium/default/floor/<table>/epoch',
    'mark: alluvium/default/floor/<table>/lsn',
    'mark: alluvium/default/floor/<table>/seq',
    'table: alluvium/default/<topic>/<partition>',
    'table: alluvium/default/<topic>/<partition>/epoch',
    'table: alluvium/default/<topic>/<partition>/epoch.offset',
    'table: alluvium/default/<topic>/<partition>/mark.count',
    'table: alluvium/default/<topic>/<partition>/mark.epoch',
    'table: alluvium/default/<topic>/<partition>/mark.lsn',
    'table: alluvium/default/<topic>/<partition>/mark.seq',
    'table: alluvium/default/floor.epoch',
    'table: alluvium/default/floor.lsn',
    'table: alluvium/default/floor.seq',
  ])
})

test('marks of tables without a key, and of key swaps, have these names beside', () => {
  const name = 'shop.public.t/0'
  const mark = { position: { epoch: 0, seq: 1n, lsn: 1n }, count: 1 }
  const marks = new PartitionMarks([[name, mark]], [[name, 1]], [[name, 1]], [[name, 1n]])
  const at = { topic: 'shop.public.t', partition: 0, nextOffset: 1n }
  const names = progressTxns('p', [at], marks, null, 0).map(({ appId }) => appId.replace('alluvium/p/', ''))
  const own = ['count', 'seen', 'twins', 'run'].map((value) => `${name}/mark.${value}`)
  expect(names.slice(-4)).toEqual(own)
})

test('objects lie at these places', () => {
  const names = [...world.store.objects.keys()].map((path) =>
    path
      .replace(/\d{20}/, '<version>')
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
      .replace(/\d{13}-[0-9a-f]{8}/, '<time>-<random>')
      .replace(/^public\/[a-z]+/, '<table>'),
  )
  expect([...new Set(names)].sort()).toEqual([
    '<table>/_change_data/cdc-00000-<uuid>.c000.snappy.parquet',
    '<table>/_delta_log/<version>.json',
    '<table>/_graves/<uuid>',
    '<table>/deletion_vector_<uuid>.bin',
    '<table>/part-00000-<uuid>.c000.snappy.parquet',
    '_alluvium/default/_delta_log/<version>.json',
    '_alluvium/default/processes/<uuid>.json',
    '_alluvium/default/requests/<time>-<random>.<uuid>.answer.json',
    '_alluvium/default/requests/<time>-<random>.json',
    '_dlq/_delta_log/<version>.json',
    '_dlq/part-00000-<uuid>.c000.snappy.parquet',
  ])
})

test('tables have these columns of ours', async () => {
  const columns = new Set<string>()
  for (const path of tablePaths()) {
    const { schema } = (await loadSnapshot(world.store, path))!
    for (const { name, type } of schema.fields) if (name.startsWith('_cdc_')) columns.add(`${name} ${type}`)
  }
  expect([...columns].sort()).toEqual([
    '_cdc_deleted boolean',
    '_cdc_epoch integer',
    '_cdc_lsn long',
    '_cdc_op string',
    '_cdc_seq long',
    '_cdc_ts timestamp',
    '_cdc_txid long',
  ])
})

test('tables have these properties, the mark one of its own', async () => {
  const some = ['x']
  const all = withTableProperties(
    {},
    {
      ...{ source: 's', mode: 'upsert', key: some, fullBefore: true, incomplete: some, addedLater: some },
      ...{ unsent: some, owed: some, owedValues: some, changeFeed: 'auto' },
    },
  )
  expect(all).toEqual({
    'alluvium.addedLater': '["x"]',
    'alluvium.changeFeed': 'auto',
    'alluvium.format': '1',
    'alluvium.incomplete': '["x"]',
    'alluvium.key': '["x"]',
    'alluvium.mode': 'upsert',
    'alluvium.owed': '["x"]',
    'alluvium.owedValues': '["x"]',
    'alluvium.replicaIdentity': 'full',
    'alluvium.source': 's',
    'alluvium.unsent': '["x"]',
  })
  const mark = (await loadSnapshot(world.store, '_alluvium/default'))!
  expect(Object.keys(mark.metadata.configuration).filter((name) => name.startsWith('alluvium.'))).toEqual([
    'alluvium.format',
    'alluvium.tables',
  ])
  const named = (await loadSnapshot(world.store, 'public/t'))!.metadata.configuration
  expect(named).toMatchObject({
    'alluvium.source': '["shop","cdcdb","public","t"]',
    'delta.deletedFileRetentionDuration': 'interval 1 day',
    'delta.enableChangeDataFeed': 'true',
    'delta.enableDeletionVectors': 'true',
    'delta.logRetentionDuration': 'interval 7 days',
  })
})

test('a backfill leaves these names in its table', () => {
  const part = { schema: 'public', table: 't', storage: '16384', blocks: 7 }
  const plan = { parts: [part], chunkBlocks: 4 }
  const state = {
    run: 'r',
    state: 'loading',
    snapshot: '700:703:701',
    lsn: 9_000n,
    where: null,
    ...plan,
  } as const
  const loading = withBackfillState({ other: 'x' }, state)
  expect(loading).toEqual({
    other: 'x',
    'alluvium.backfill':
      '{"run":"r","state":"loading","snapshot":"700:703:701","lsn":"9000",' +
      '"parts":[{"schema":"public","table":"t","storage":"16384","blocks":7}],"chunkBlocks":4}',
  })
  expect(readBackfillState(loading)).toEqual(state)
  expect(withBackfillState({}, { ...state, state: 'done' })).toEqual({
    'alluvium.backfill': '{"run":"r","state":"done","snapshot":"700:703:701","lsn":"9000"}',
  })
  const partly = withBackfillState({}, { ...state, state: 'done', where: "region = 'north'" })
  expect(partly).toEqual({
    'alluvium.backfill': `{"run":"r","state":"done","snapshot":"700:703:701","lsn":"9000","where":"region = 'north'"}`,
  })
  expect(readBackfillState(partly)?.where).toBe("region = 'north'")
  expect(backfillAppId('r')).toBe('alluvium.backfill/r')
})

test('dead letters have these columns', async () => {
  const { schema } = (await loadSnapshot(world.store, '_dlq'))!
  const own = schema.fields.filter(({ name }) => !name.startsWith('_cdc_'))
  expect(own.map(({ name, type }) => [name, typeText(type)])).toEqual([
    ['topic', 'string'],
    ['partition', 'integer'],
    ['offset', 'long'],
    ['timestamp', 'timestamp'],
    ['table', 'string'],
    ['reason', 'string'],
    ['message', 'string'],
    ['key', 'binary'],
    ['value', 'binary'],
    ['headers', 'array<struct<name:string,value:binary>>'],
    ['replayed', 'timestamp'],
  ])
})

test('a grave is this line', () => {
  const [path] = [...world.store.objects.keys()].filter((name) => name.includes('/_graves/'))
  const text = Buffer.from(world.store.objects.get(path!)!.bytes).toString()
  expect(text).toMatch(/^0 1005 1010 \d{13} [A-Za-z0-9+/=]+ west\.public\.roads\/0 1\n$/)
})

test('rows that are owed are these texts', () => {
  const position = { epoch: 0, seq: 7n, lsn: 9n }
  expect(owedTexts([{ digest: 'd1', position }])).toEqual(['0:7:9:d1'])
  const debt = { from: 'a', at: position, row: 'b', leftAt: null, columns: ['body'] }
  expect(owedValueText(debt)).toBe('0:7:9 a b - ["body"]')
})
