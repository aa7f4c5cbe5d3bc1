import { appendFile, cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCommand } from '../../../support/cli-run.ts'

const RECORDING = resolve('fixtures/debezium/envelope-schema')
const TOPIC = 'envelope-schema.inventory.customers'

describe('alluvium peek', () => {
  const peek = (...rest: string[]) => runCommand(['peek', ...rest])

  test('shows standard CDC records, a line each', async () => {
    const { exitCode, stdout } = await peek(TOPIC, '--from', RECORDING, '--num', '3')
    const lines = stdout.trimEnd().split('\n')
    expect(exitCode).toBe(0)
    expect(lines).toHaveLength(3)
    const found = /^\d+:\d+ (\{.*\})$/.exec(lines[0]!)
    expect(JSON.parse(found![1]!)).toMatchObject({
      operation: 'INSERT',
      table: 'customers',
      data: { id: expect.any(Number), first_name: expect.any(String) },
      primary_key: expect.any(Number),
    })
  })

  test('with --json each line also says where the record stands and what it is', async () => {
    const { stdout } = await peek(TOPIC, '--from', RECORDING, '--num', '1000', '--json')
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(records[0]).toMatchObject({
      topic: TOPIC,
      partition: 0,
      offset: expect.any(Number),
      kind: 'change',
      record: {},
    })
    expect(new Set(records.map(({ kind }) => kind))).toEqual(new Set(['change', 'tombstone']))
  })

  test('begins at a time: an instant, or so long ago', async () => {
    const offsets = async (...rest: string[]) => {
      const { stdout } = await peek(TOPIC, '--from', RECORDING, '--num', '1', '--json', ...rest)
      return stdout === '' ? null : JSON.parse(stdout)
    }
    const [first, last] = [await offsets(), await offsets('--offset', 'latest')]
    expect(first.offset).toBe(0)
    expect(await offsets('--since', '2000-01-01T00:00:00Z')).toEqual(first)
    const at = JSON.parse(
      (await readFile(join(RECORDING, `${TOPIC}.jsonl`), 'utf8')).trimEnd().split('\n').at(-1)!,
    ).timestamp
    const found = await offsets('--since', new Date(at).toISOString())
    expect(found.offset).toBeGreaterThan(first.offset)
    expect(found.offset).toBeLessThanOrEqual(last.offset)
    expect(await offsets('--since', new Date(at + 1).toISOString())).toBe(null)
    expect(await offsets('--since', '1ms')).toBe(null)
  })

  test.each([
    [[TOPIC, '--from', RECORDING, '--since', 'yesterday'], /how long ago, such as 15m/],
    [[TOPIC, '--from', RECORDING, '--since', '2026-02-31T99:00:00Z'], /how long ago, such as 15m/],
    [[TOPIC, '--from', RECORDING, '--since', '1h', '--offset', '3'], /cannot be used with/],
    [
      ['envelope-schema.inventory.custmers', '--from', RECORDING],
      /no topic .*; did you mean envelope-schema\.inventory\.customers\?/,
    ],
    [['customers', '--from', RECORDING], /did you mean envelope-schema\.inventory\.customers\?/],
    [['zzz', '--from', RECORDING], /there are: envelope-schema\./],
    [[TOPIC, '--from', '/nowhere'], /not a directory of recorded topics/],
    [[TOPIC], /E_NO_CONFIG/],
    [[TOPIC, '--from', RECORDING, '--num', '0'], /whole number above 0/],
  ])('bad usage %j exits 64', async (argv, message) => {
    expect(await peek(...argv)).toMatchObject({
      exitCode: 64,
      stdout: '',
      stderr: expect.stringMatching(message),
    })
  })

  describe('on a topic with a broken record', () => {
    let directory: string
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'alluvium-peek-'))
      await cp(join(RECORDING, `${TOPIC}.jsonl`), join(directory, 'a.jsonl'))
      await appendFile(
        join(directory, 'z.jsonl'),
        '{"topic":"z","partition":0,"offset":0,"timestamp":1,"key":null,"value":"{\\u001b","headers":[]}\n',
      )
    })
    afterEach(() => rm(directory, { recursive: true, force: true }))

    test('names the reason and exits 2', async () => {
      const { exitCode, stdout } = await peek('z', '--from', directory)
      expect({ exitCode, stdout }).toEqual({
        exitCode: 2,
        stdout: expect.stringMatching(/^0:0 undecodable BAD_JSON: /),
      })
      expect(stdout).not.toContain('\u001b')
    })
  })
})
