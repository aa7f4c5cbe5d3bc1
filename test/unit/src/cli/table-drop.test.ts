import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dropTable } from '../../../../writers/table/drop-table.ts'
import { runCommand } from '../../../support/cli-run.ts'
import { temporaryDirectory } from '../../../support/lake-of-recording.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { MemoryTopics } from '../../../support/memory-topics.ts'
import { writeMemoryTopics } from '../../../support/recorded-memory-topics.ts'
import { withOwner } from '../../../support/table-owner-process.ts'

let directory: string
let lake: string

beforeEach(async () => {
  directory = temporaryDirectory()
  lake = join(directory, 'lake')
  mkdirSync(join(directory, 'topics'))
  const topics = new MemoryTopics()
  topics.row('c', { id: 1 })
  writeMemoryTopics(join(directory, 'topics'), topics)
  await runCommand(['ingest', '--from', join(directory, 'topics'), '--until-end', '--lake', lake])
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const drop = (...argv: string[]) => runCommand(['table', 'drop', '--lake', lake, ...argv])
const isThere = () => existsSync(join(lake, 'public/t/_delta_log/00000000000000000000.json'))

describe('alluvium table drop', () => {
  test('only tells what would go until somebody says yes', async () => {
    const told = await drop('public.t')
    expect(told).toMatchObject({
      exitCode: 2,
      stdout: expect.stringMatching(/below public\/t\/ would go.*--yes/),
    })
    expect(isThere()).toBe(true)
  })

  test('deletes all of the table, and says how it comes back', async () => {
    const dropped = await drop('public.t', '--yes')
    expect(dropped).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/checkpoint reset/) })
    expect(isThere()).toBe(false)
    expect(await drop('public.t', '--yes')).toMatchObject({
      exitCode: 64,
      stderr: expect.stringMatching(/E_NO_TABLE/),
    })
  })

  test('is refused while a process writes the table, and for what is no table of the source', async () => {
    await withOwner(lake, async () => {
      const refused = await drop('public.t', '--yes')
      expect(refused).toMatchObject({ exitCode: 64, stderr: expect.stringMatching(/E_PIPELINE_RUNS/) })
    })
    const mark = await drop('_alluvium/default', '--yes')
    expect(mark).toMatchObject({ exitCode: 64, stderr: expect.stringMatching(/no table of the source/) })
    expect(isThere()).toBe(true)
  })
})

test('the log goes first and from its end, and tables inside of the table stay', async () => {
  const store = new MemoryStore()
  const log = (n: number) => `t/_delta_log/${String(n).padStart(20, '0')}.json`
  for (const path of [
    't/part-1.parquet',
    log(0),
    log(1),
    't/inner/_delta_log/0.json',
    't/inner/a.parquet',
    'tt/b',
  ]) {
    await store.put('data.put', path, new Uint8Array(1))
  }
  const deleted: string[] = []
  const remember = new Proxy(store, {
    get: (target, name) =>
      name === 'delete'
        ? async (site: 'vacuum.delete', path: string) => {
            deleted.push(path)
            await target.delete(site, path)
          }
        : Reflect.get(target, name).bind?.(target),
  })
  expect(await dropTable(remember, 't', false)).toEqual({ objects: 3, sizeBytes: 3 })
  expect(deleted).toEqual([log(1), log(0), 't/part-1.parquet'])
  expect((await store.list('data.get', '')).map(({ path }) => path)).toEqual([
    't/inner/_delta_log/0.json',
    't/inner/a.parquet',
    'tt/b',
  ])
})
