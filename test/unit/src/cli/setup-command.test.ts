import { describe, expect, test } from 'vitest'
import { runCommand } from '../../../support/cli-run.ts'

describe('alluvium setup bucket', () => {
  const setup = (lake: string, ...more: string[]) => runCommand(['setup', 'bucket', '--lake', lake, ...more])

  test('prints a policy that is ready to be set, and nothing else on stdout', async () => {
    const { exitCode, stdout, stderr } = await setup('s3://my-bucket/delta', '--dry-run')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'DeltaLogEntriesAreNeverOverwritten',
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:PutObject',
          Resource: 'arn:aws:s3:::my-bucket/delta/*_delta_log/????????????????????.json',
          Condition: {
            Null: { 's3:if-none-match': 'true' },
            Bool: { 's3:ObjectCreationOperation': 'true' },
          },
        },
      ],
    })
    expect(stderr).toContain('put-bucket-policy --bucket my-bucket')
  })

  test('names the log entries of every table, and no other file beside them', async () => {
    const { stdout } = await setup('s3://my-bucket', '--dry-run', '--json')
    const [{ Resource }] = JSON.parse(stdout).Statement
    const pattern = Resource.replace('arn:aws:s3:::my-bucket/', '')
      .replace(/[.]/g, '\\.')
      .replace(/[?]/g, '.')
      .replace('*', '.*')
    const refuses = (key: string) => new RegExp(`^${pattern}$`).test(key)
    for (const table of ['', 'inventory/customers/', '_alluvium/default/'])
      expect(refuses(`${table}_delta_log/00000000000000000012.json`), table).toBe(true)
    for (const other of [
      '_last_checkpoint',
      '00000000000000000012.checkpoint.parquet',
      '00000000000000000012.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json',
      '00000000000000000004.00000000000000000006.compacted.json',
      '00000000000000000012.crc',
    ])
      expect(refuses(`inventory/customers/_delta_log/${other}`), other).toBe(false)
  })

  test('prints rules that clean up what nobody can read any more, and nothing else', async () => {
    const { exitCode, stdout, stderr } = await setup('s3://my-bucket/delta', '--dry-run', '--lifecycle')
    expect(exitCode).toBe(0)
    const { Rules } = JSON.parse(stdout)
    expect(Rules.map(({ Filter }: { Filter: object }) => Filter)).toEqual([
      { Prefix: 'delta/' },
      { Prefix: 'delta/' },
    ])
    expect(Rules.some((rule: object) => 'Expiration' in rule || 'Transitions' in rule)).toBe(false)
    expect(stderr).toContain('put-bucket-lifecycle-configuration --bucket my-bucket')
  })

  test('needs a bucket, and says that it cannot set the policy by itself', async () => {
    expect(await setup('./lake', '--dry-run')).toMatchObject({
      exitCode: 64,
      stderr: expect.stringMatching(/is a directory.*--lake s3:.*E_LAKE/),
    })
    expect(await setup('s3://my-bucket')).toMatchObject({
      exitCode: 64,
      stdout: '',
      stderr: expect.stringMatching(/add --dry-run.*E_NOT_IN_RELEASE/),
    })
  })
})
