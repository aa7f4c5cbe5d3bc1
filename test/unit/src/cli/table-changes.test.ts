import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CanonicalRow, rowText } from '../../../support/canonical-row.ts'
import { runCommand } from '../../../support/cli-run.ts'

const RECORDING = resolve(import.meta.dirname, '../../../../fixtures/debezium/envelope-schema')

async function jsonLines(...argv: readonly string[]): Promise<CanonicalRow[]> {
  const { exitCode, stdout, stderr } = await runCommand([...argv, '--json'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CanonicalRow)
}

describe.each([
  // With a row a batch, updates are updates; with more, the few there are fold into inserts.
  { rows: 1, types: ['delete', 'insert', 'update_postimage', 'update_preimage'] },
  { rows: 7, types: ['delete', 'insert'] },
])('the recording, ingested with $rows rows a batch', ({ rows, types }) => {
  const directory = mkdtempSync(join(tmpdir(), 'alluvium-changes-'))
  const lake = join(directory, 'lake')

  beforeAll(async () => {
    const config = join(directory, 'alluvium.yaml')
    writeFileSync(
      config,
      `lake: ${lake}\npipelines:\n  default:\n    source: { files: ${RECORDING} }\n    batch: { rows: ${rows} }\n`,
    )
    expect(await runCommand(['ingest', '-c', config, '--until-end', '--json'])).toMatchObject({ exitCode: 0 })
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('replaying the changes of each table from version 0 on gives exactly its rows', async () => {
    const tables = await jsonLines('table', 'list', '--lake', lake)
    expect(tables.length).toBeGreaterThan(15)
    const seen = new Set<unknown>()
    for (const { name } of tables) {
      const feed = await jsonLines('table', 'changes', String(name), '--from', '0', '--lake', lake)
      const head = await jsonLines('table', 'head', String(name), '-n', '1000', '--lake', lake)
      expect(replayed(feed), String(name)).toEqual(head.map(textOf).sort())
      for (const change of feed) seen.add(change['_change_type'])
    }
    expect([...seen].sort()).toEqual(types)
  })

  test('any range of versions is that part of the whole feed', async () => {
    const all = await jsonLines('table', 'changes', 'inventory.customers', '--from', '0', '--lake', lake)
    const newest = Number(all.at(-1)!['_commit_version'])
    expect(newest).toBeGreaterThan(0)
    const range = ['--from', '1', '--to', String(newest)]
    const part = await jsonLines('table', 'changes', 'inventory.customers', ...range, '--lake', lake)
    expect(part).toEqual(all.filter((change) => Number(change['_commit_version']) >= 1))
  })
})

/** The rows that are left, as texts, when old rows are taken out and new ones put in; every old row must be there. */
function replayed(feed: readonly CanonicalRow[]): string[] {
  const rows: string[] = []
  for (const { _change_type: type, _commit_version: version, _commit_timestamp: _, ...row } of feed) {
    const text = textOf(row)
    if (type === 'insert' || type === 'update_postimage') rows.push(text)
    else {
      const at = rows.indexOf(text)
      expect(at, `version ${version} takes out ${text}`).toBeGreaterThanOrEqual(0)
      rows.splice(at, 1)
    }
  }
  return rows.sort()
}

function textOf(row: CanonicalRow): string {
  return rowText(row, Object.keys(row).sort())
}
