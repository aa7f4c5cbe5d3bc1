import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../../../support/cli-run.ts'
import { MemoryTopics } from '../../../support/memory-topics.ts'
import { writeMemoryTopics } from '../../../support/recorded-memory-topics.ts'

const directory = mkdtempSync(join(tmpdir(), 'alluvium-plan-'))
const file = join(directory, 'alluvium.yaml')

/** The same pipeline with these settings of its tables, and of itself. */
function configure(tables: string, more = ''): void {
  const source = `source: { files: ${JSON.stringify(directory)} }`
  writeFileSync(
    file,
    `lake: ${JSON.stringify(join(directory, 'lake'))}\npipelines: { p: { ${source}, ${more} tables: ${tables} } }\n`,
  )
}

async function plan(tables: string, more = '') {
  configure(tables, more)
  const { exitCode, stdout } = await runCommand(['plan', '-c', file, '--json'])
  const lines = stdout.split('\n').filter((line) => line !== '')
  return {
    exitCode,
    tables: Object.fromEntries(lines.map((line) => [JSON.parse(line).table, JSON.parse(line).effects])),
  }
}

beforeAll(async () => {
  const topics = new MemoryTopics()
  for (const table of ['orders', 'customers', 'secrets'])
    topics.row('c', { id: 1 }, { topic: `shop.public.${table}` })
  writeMemoryTopics(directory, topics)
  configure('{ public.secrets: { skip: true }, "*": {} }')
  const state = join(directory, '.alluvium')
  const { exitCode, stderr } = await runCommand(['ingest', '--until-end', '-c', file, '--state', state])
  expect([exitCode, stderr]).toEqual([0, expect.anything()])
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('alluvium plan', () => {
  test('of an unchanged configuration finds nothing to do', async () => {
    expect(await plan('{ public.secrets: { skip: true }, "*": {} }')).toEqual({
      exitCode: 0,
      tables: { 'public.customers': [], 'public.orders': [] },
    })
  })

  test('tells what changes, what is to come, and ends with 0', async () => {
    const tables =
      '{ public.orders: { deletes: soft }, public.customers: { skip: true }, public.secrets: { start: earliest } }'
    expect(await plan(tables)).toMatchObject({
      exitCode: 0,
      tables: {
        'public.orders': [{ kind: 'change', what: expect.stringContaining('_cdc_deleted') }],
        'public.customers': [{ kind: 'stays', what: expect.stringContaining('read past') }],
        'public.secrets': [{ kind: 'create' }],
      },
    })
  })

  test('ends with 2 where a table would stop, and says why', async () => {
    const { exitCode, tables } = await plan('{ public.orders: { mode: append }, public.secrets: {} }')
    expect(exitCode).toBe(2)
    expect(tables).toMatchObject({
      'public.orders': [{ kind: 'stop', code: 'E_MODE_CHANGED' }],
      'public.secrets': [{ kind: 'stop', code: 'E_START_UNNAMED' }],
    })
    const { stdout } = await runCommand(['plan', '-c', file])
    expect(stdout).toMatch(/^would stop: public\.orders: .*\(E_MODE_CHANGED\)\nwould stop: public\.secrets: /)
    expect(stdout).toMatch(/\n1 of 3 tables stay as they are\n$/)
  })

  test('a table that would begin at another path would begin without its rows', async () => {
    const { exitCode, tables } = await plan('{ "*": {} }', 'tablePath: "silver/{schema}/{table}",')
    expect(exitCode).toBe(2)
    expect(tables['public.orders']).toEqual([
      { kind: 'stop', what: expect.stringMatching(/lies at public\/orders .* says silver\/public\/orders/) },
    ])
  })
})
