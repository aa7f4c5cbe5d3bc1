import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sourcesOf } from '../../../../src/cli/source-options.ts'
import { memoryTerminal, runCommand } from '../../../support/cli-run.ts'
import { MemoryTopics } from '../../../support/memory-topics.ts'
import { writeMemoryTopics } from '../../../support/recorded-memory-topics.ts'

let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'alluvium-topics-'))
  mkdirSync(join(directory, 'topics'))
  const topics = new MemoryTopics()
  for (let id = 0; id < 5; id++) topics.row('c', { id }, { partition: id % 2 })
  topics.row('c', { id: 9 }, { topic: 'mixed' })
  writeMemoryTopics(join(directory, 'topics'), topics)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const from = () => join(directory, 'topics')

test('topics lists partitions, what they hold, and the tables that they feed', async () => {
  const config = join(directory, 'alluvium.yaml')
  const tables = '{ public.a: { topics: [mixed] }, public.b: { topics: [mixed] } }'
  const pipeline = `pipelines:\n  p:\n    source: { files: ${JSON.stringify(from())} }\n    tables: ${tables}\n`
  writeFileSync(config, `lake: ${JSON.stringify(join(directory, 'lake'))}\n${pipeline}`)
  const { exitCode, stdout } = await runCommand(['topics', '-c', config, '--json'])
  expect(exitCode).toBe(0)
  const t = { pipeline: 'p', topic: 'shop.public.t', startOffset: 0, feeds: ['public.t'] }
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    {
      pipeline: 'p',
      topic: 'mixed',
      partition: 0,
      startOffset: 0,
      endOffset: 1,
      feeds: ['public.a', 'public.b'],
    },
    { ...t, partition: 0, endOffset: 3 },
    { ...t, partition: 1, endOffset: 2 },
  ])
})

test.each([
  {
    offset: 'earliest',
    expected: [
      [0, 0],
      [0, 1],
    ],
  },
  {
    offset: 'latest',
    expected: [
      [0, 1],
      [0, 2],
    ],
  },
  { offset: '2', expected: [[0, 2]] },
])('peek begins at $offset', async ({ offset, expected }) => {
  const argv = ['peek', 'shop.public.t', '--from', from(), '--num', '2', '--offset', offset, '--json']
  const { stdout } = await runCommand(argv)
  const places = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(places.map((record) => [record.partition, record.offset])).toEqual(expected)
})

test('brokers that let anybody in are asked without a configuration, for all their topics', async () => {
  const terminal = memoryTerminal()
  const world = { stdout: terminal, stderr: terminal, environment: () => 'other:1', exitWith: () => {} }
  const [pipeline] = await sourcesOf({ brokers: 'a:9092,b:9092' }, world)
  expect(pipeline!.source).toMatchObject({
    kind: 'kafka',
    brokers: ['a:9092', 'b:9092'],
    topics: ['*'],
    sasl: null,
  })
  const wrong = await runCommand(['topics', '--brokers', 'http://a'])
  expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/brokers/) })
})
