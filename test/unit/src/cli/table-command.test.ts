import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../../../support/cli-run.ts'
import { ingestInto, temporaryDirectory } from '../../../support/lake-of-recording.ts'

const directory = temporaryDirectory()
const lake = join(directory, 'lake')
const run = (...argv: readonly string[]) => runCommand([...argv, '--lake', lake])
const lines = (text: string) => text.split('\n').filter((line) => line !== '')

beforeAll(async () => {
  expect(await ingestInto(lake)).toBe(0)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('alluvium table list', () => {
  test('shows each table in a line', async () => {
    const { exitCode, stdout } = await run('table', 'list')
    expect(exitCode).toBe(0)
    expect(lines(stdout)).toHaveLength(19)
    expect(stdout).toMatch(
      /^table +version +rows +files +size +last commit \(UTC\) +mode +feed +deleted +removed +log +marks\n/,
    )
    expect(stdout).toMatch(
      /\ninventory\.customers +0 +35 +1 +\d+\.\d KB +\d{4}-\S+ \S+ +upsert \(id\) +rows +0% +0 +\d+\.\d KB\n/,
    )
    expect(stdout).toMatch(/\ninventory\.nopk_inserts +2 +1 +1 .* keyless +rows +0% /)
    expect(stdout).toMatch(/\ninventory\.evolving .* incomplete: renamed, price\n/)
  })

  test('with --json an object a line; our own tables only with --all', async () => {
    const names = async (...more: readonly string[]) =>
      lines((await run('table', 'list', '--json', ...more)).stdout).map((line) => JSON.parse(line).path)
    expect(await names()).not.toContain('_alluvium/default')
    expect(await names('--all')).toContain('_alluvium/default')
    const [first] = lines((await run('table', 'list', '--json')).stdout)
    expect(JSON.parse(first!)).toEqual({
      ...{ name: 'inventory.all_types', path: 'inventory/all_types', version: 0, rows: 4, files: 1 },
      ...{ deletedRows: 0, deletedShare: 0, sizeBytes: expect.any(Number), vectorBytes: 0, tombstones: 0 },
      ...{ mode: 'upsert', key: ['id'], partitionBy: [], changeFeed: 'rows', incomplete: [] },
      ...{ logBytes: expect.any(Number), requestsPerDay: null },
      lastCommit: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      verifiedThrough: null,
    })
  })

  test('a lake without tables is no error', async () => {
    const nowhere = join(directory, 'nowhere')
    expect(await runCommand(['table', 'list', '--lake', nowhere])).toEqual({
      exitCode: 0,
      stdout: `there is no table in ${nowhere}\n`,
      stderr: '',
    })
    expect(existsSync(nowhere)).toBe(false)
  })

  test('a table that cannot be read is listed with the reason, and the exit code says so', async () => {
    const odd = join(directory, 'odd')
    mkdirSync(join(odd, 'broken/_delta_log'), { recursive: true })
    writeFileSync(join(odd, 'broken/_delta_log/00000000000000000000.json'), '{"add":')
    const text = await runCommand(['table', 'list', '--lake', odd])
    expect(text).toMatchObject({
      exitCode: 2,
      stdout: expect.stringMatching(/\nbroken .*cannot be read: .*\(E_LOG_ENTRY\)/),
    })
    const json = await runCommand(['table', 'list', '--lake', odd, '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ path: 'broken', problem: { code: 'E_LOG_ENTRY' } })
  })
})

describe('alluvium table head', () => {
  test('shows rows under their names, our own columns only when they are asked for', async () => {
    const { exitCode, stdout } = await run('table', 'head', 'inventory.by_index')
    expect(exitCode).toBe(0)
    expect(lines(stdout)).toHaveLength(3)
    expect(lines(stdout)[0]).toMatch(/^code +region/)
    expect(stdout).not.toContain('_cdc_')
    expect((await run('table', 'head', 'inventory.by_index', '--all-columns')).stdout).toContain('_cdc_lsn')
  })

  test.each([
    'inventory.customers',
    'inventory/customers',
    './inventory/customers/',
    join(lake, 'inventory/customers'),
  ])('knows a table as %s', async (name) => {
    const { stdout } = await run('table', 'head', name, '-n', '2', '--columns', 'last_name,id', '--json')
    expect(lines(stdout)).toEqual([
      '{"last_name":"Thomas","id":1001}',
      expect.stringMatching(/^\{"last_name":"\w+","id":\d+\}$/),
    ])
  })

  test('rows in JSON are exact', async () => {
    const { stdout } = await run('table', 'head', 'inventory.all_types', '-n', '1', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      c_bigint: '9223372036854775807',
      c_numeric_38_9: '12345678901234567890123456789.123456789',
      c_bytea: 'AP8Q3q2+7w==',
      c_date: '2024-02-29',
      c_timestamp: '2024-02-29T13:14:15.123456',
      c_timestamptz: '2024-02-29T07:44:15.123456Z',
      c_int_array: [1, null, 3],
      c_point: { x: 1.5, y: -2.25 },
    })
  })

  test('an older version, and one without rows', async () => {
    const rows = async (version: string) => {
      const { stdout } = await run('table', 'head', 'inventory.nopk_inserts', '--version', version, '--json')
      return lines(stdout).length
    }
    expect([await rows('0'), await rows('1'), await rows('2')]).toEqual([4, 0, 1])
    expect((await run('table', 'head', 'inventory.nopk_inserts', '--version', '1')).stdout).toBe(
      'inventory.nopk_inserts has no rows at version 1\n',
    )
  })
})

describe('alluvium table history and changes', () => {
  test('history tells what each version did, the newest first', async () => {
    const { stdout } = await run('table', 'history', 'inventory.nopk_inserts', '--json')
    const entries = lines(stdout).map((line) => JSON.parse(line))
    expect(entries).toMatchObject([
      {
        version: 2,
        operation: 'WRITE',
        inserted: 1,
        deleted: 0,
        filesAdded: 1,
        filesRemoved: 0,
        engine: 'alluvium',
      },
      { version: 1, operation: 'MERGE', inserted: 0, deleted: 4, filesAdded: 0, filesRemoved: 1 },
      { version: 0, operation: 'WRITE', inserted: 4, updated: 0, vectorsChanged: 0 },
    ])
    const text = await run('table', 'history', 'inventory.nopk_inserts', '-n', '2')
    expect(lines(text.stdout)).toHaveLength(3)
    expect(text.stdout).toMatch(
      /\n +1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +MERGE +0 +0 +4 +\+0 -1 +0 +alluvium\n/,
    )
  })

  test('changes have their kind, version and time', async () => {
    const { stdout } = await run('table', 'changes', 'inventory.nopk_inserts', '--from', '1', '--json')
    expect(lines(stdout)).toHaveLength(5)
    expect(JSON.parse(lines(stdout)[0]!)).toEqual({
      _change_type: 'delete',
      _commit_version: 1,
      _commit_timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      a: 1,
      b: 'x',
    })
    const text = await run('table', 'changes', 'inventory.nopk_inserts', '--from', '2')
    expect(text.stdout).toMatch(
      /^_change_type +_commit_version +_commit_timestamp +a +b\ninsert +2 .* 100 +after truncate\n$/,
    )
    const none = await run('table', 'changes', 'inventory.nopk_inserts', '--from', '3')
    expect(none).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('has no changes') })
  })
})

describe('what cannot be', () => {
  test.each([
    [['head', 'inventory.custmers'], /did you mean inventory\.customers\? \(E_NO_TABLE\)/],
    [['head', 'customers'], /did you mean inventory\.customers\?/],
    [
      ['history', 'inventory'],
      /there is no table inventory in .*; it has inventory\.all_types, .*, … \(E_NO_TABLE\)/,
    ],
    [['ddl', 'inventory/customers/_delta_log'], /there is no table/],
    [['head', '../lake/inventory/customers'], /there is no table/],
    [['head', ''], /there is no table/],
    [
      ['head', 'inventory.orders', '--version', '7'],
      /no version 7 yet; its newest is 0 \(E_NO_SUCH_VERSION\)/,
    ],
    [['head', 'inventory.orders', '--version', 'x'], /'x' is invalid. It must be a version/],
    [['head', 'inventory.orders', '-n', '0'], /must be a whole number above 0/],
    [['head', 'inventory.orders', '--columns', 'id,zip'], /no column zip; it has id, order_date/],
    [['head', 'inventory.orders', '--columns', 'id,'], /names with commas/],
    [['changes', 'inventory.orders'], /required option '--from <version>'/],
    [['changes', 'inventory.orders', '--from', '9'], /E_NO_SUCH_VERSION/],
    [['ddl', 'inventory.orders', '--for', 'oracle'], /Allowed choices are spark/],
  ])('%j is told, and exits 64', async (argv, message) => {
    const { exitCode, stdout, stderr } = await run('table', ...argv)
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' })
    expect(stderr).toMatch(message)
  })

  test('a lake without the table says that it holds none', async () => {
    const result = await runCommand(['table', 'head', 'a.b', '--lake', join(directory, 'nowhere')])
    expect(result).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('it holds no table') })
  })

  test('every command has help with an example', async () => {
    for (const command of ['table list', 'table head', 'table history', 'table changes', 'table ddl']) {
      const help = await runCommand([...command.split(' '), '--help'])
      expect(help).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(`Example:\n {2}\\$ alluvium ${command}`),
      })
    }
  })
})

test('a table is found by its name when a template leads elsewhere, and the configuration says where the lake is', async () => {
  const config = join(directory, 'alluvium.yaml')
  const pipeline = 'source: { files: x }\n    tablePath: "{sourceName}/{schema}/{table}"'
  writeFileSync(config, `lake: ${lake}\npipelines:\n  p:\n    ${pipeline}\n`)
  const argv = ['table', 'head', 'inventory.orders', '-n', '1', '--columns', 'id', '--json', '-c', config]
  expect((await runCommand(argv)).stdout).toMatch(/^\{"id":\d+\}\n$/)
  expect((await runCommand([...argv.slice(0, -1), join(directory, 'none.yaml')])).exitCode).toBe(64)
})

test('table ddl names the place and the features of the table', async () => {
  const { stdout } = await run('table', 'ddl', 'inventory.customers', '--for', 'duckdb')
  expect(stdout).toBe(
    `-- duckdb\nINSTALL delta; LOAD delta;\nSELECT * FROM delta_scan('${join(lake, 'inventory/customers')}');\n`,
  )
  const all = lines((await run('table', 'ddl', 'inventory.customers', '--json')).stdout).map((line) =>
    JSON.parse(line),
  )
  expect(all.map(({ engine, canRead }) => [engine, canRead])).toEqual([
    ['spark', true],
    ['databricks', false],
    ['trino', true],
    ['athena', false],
    ['duckdb', true],
    ['delta-rs (to_pyarrow_table, to_pandas)', false],
  ])
})
