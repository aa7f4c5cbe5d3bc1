import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../../../support/cli-run.ts'
import { ingestInto, temporaryDirectory } from '../../../support/lake-of-recording.ts'

const directory = temporaryDirectory()
const lake = join(directory, 'lake')
const run = (...argv: readonly string[]) => runCommand(['dlq', ...argv, '--lake', lake])
const lines = (text: string) => text.split('\n').filter((line) => line !== '')

/** Three records of two topics that nobody can read. */
const RECORDS = [
  {
    topic: 's.public.a',
    partition: 0,
    offset: 5,
    timestamp: 1_700_000_000_005,
    key: '{"id":1}',
    value: '{"a":\u001b[31m',
  },
  {
    ...{ topic: 's.public.a', partition: 1, offset: 7, timestamp: 1_700_000_000_007, keyBase64: '/w==' },
    ...{
      valueBase64: 'AAH/',
      headers: [
        ['h', 'x'],
        ['h', null],
        ['bin', { base64: '/w==' }],
      ],
    },
  },
  { topic: 's.public.b', partition: 0, offset: 6, timestamp: 1_700_000_000_006, key: null, value: '{}' },
]

beforeAll(async () => {
  const topics = join(directory, 'topics')
  mkdirSync(topics)
  for (const topic of ['s.public.a', 's.public.b']) {
    const records = RECORDS.filter((record) => record.topic === topic)
    writeFileSync(
      join(topics, `${topic}.jsonl`),
      records.map((record) => `${JSON.stringify(record)}\n`).join(''),
    )
  }
  expect(await ingestInto(lake, topics)).toBe(2)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('alluvium dlq list', () => {
  test('lists the newest first, and exits 2 because there are some', async () => {
    const { exitCode, stdout } = await run('list', '--json')
    expect(exitCode).toBe(2)
    const letters = lines(stdout).map((line) => JSON.parse(line))
    expect(letters.map(({ topic, offset }) => [topic, offset])).toEqual([
      ['s.public.a', 7],
      ['s.public.b', 6],
      ['s.public.a', 5],
    ])
    expect(letters[2]).toEqual({
      ...{ topic: 's.public.a', partition: 0, offset: 5, timestamp: 1_700_000_000_005, table: null },
      ...{ reason: 'BAD_JSON', message: expect.any(String) },
    })
  })

  test('for a person in columns, at most so many', async () => {
    const { stdout } = await run('list', '-n', '2')
    expect(stdout).toMatch(/^topic +partition +offset +time \(UTC\) +table +reason +message\n/)
    expect(stdout).toMatch(/\n\n2 of 3; -n shows more\n$/)
    expect(stdout).toContain('2023-11-14 22:13:20')
  })

  test('by reason and table; none is a plain sentence and no problem', async () => {
    const bad = await run('list', '--reason', 'BAD_JSON', '--json')
    expect(lines(bad.stdout)).toHaveLength(1)
    expect(await run('list', '--table', 'public.a')).toEqual({
      exitCode: 0,
      stdout: `there is no dead letter of public.a in ${lake}\n`,
      stderr: '',
    })
    const nowhere = join(directory, 'nowhere')
    expect(await runCommand(['dlq', 'list', '--lake', nowhere])).toMatchObject({
      exitCode: 0,
      stdout: `there is no dead letter in ${nowhere}\n`,
    })
    expect(await runCommand(['dlq', 'list', '--lake', nowhere, '--json'])).toMatchObject({
      exitCode: 0,
      stdout: '',
    })
  })
})

describe('alluvium dlq show', () => {
  test('shows text as text, without what could move the cursor', async () => {
    const { exitCode, stdout } = await run('show', 's.public.a', '0', '5')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('\nreason      BAD_JSON\n')
    expect(stdout).toContain('\nkey         8 bytes: {"id":1}\n')
    expect(stdout).toContain('\nvalue       10 bytes: {"a":\\x1b[31m\n')
  })

  test('shows other bytes in base64', async () => {
    const { stdout } = await run('show', 's.public.a', '1', '7')
    expect(stdout).toContain('key         1 bytes, base64: /w==\nvalue       3 bytes, base64: AAH/\n')
    expect(stdout).toContain(
      'header      h: 1 bytes: x\nheader      h: none\nheader      bin: 1 bytes, base64: /w==\n',
    )
  })

  test.each(RECORDS)(
    'in JSON, $topic $partition $offset is the record as it was recorded',
    async (record) => {
      const at = [record.topic, String(record.partition), String(record.offset)]
      const { stdout } = await run('show', ...at, '--json')
      const { table, reason, message, ...shown } = JSON.parse(stdout)
      expect(shown).toEqual({ headers: [], ...record })
      expect([table, typeof reason, typeof message]).toEqual([null, 'string', 'string'])
    },
  )

  test.each([
    [['s.public.a', '0', '6'], /no dead letter of this record .*offset 6\] \(E_NO_LETTER\)/],
    [['s.public.a', '0', '-1'], /unknown option|invalid/],
    [['s.public.a', '0', 'x'], /'x' is invalid/],
    [['s.public.a', '0', '9223372036854775808'], /is invalid/],
    [['s.public.a', '0'], /missing required argument 'offset'/],
  ])('%j is told, and exits 64', async (argv, message) => {
    const { exitCode, stdout, stderr } = await run('show', ...argv)
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' })
    expect(stderr).toMatch(message)
  })
})

test('every command has help with an example', async () => {
  for (const command of ['dlq list', 'dlq show', 'dlq replay']) {
    const help = await runCommand([...command.split(' '), '--help'])
    expect(help).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(`Example:\n {2}\\$ alluvium ${command}`),
    })
  }
})
