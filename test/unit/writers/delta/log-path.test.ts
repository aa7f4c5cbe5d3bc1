import { describe, expect, test } from 'vitest'
import { objectPath } from '../../../../writers/delta/file-path.ts'
import {
  beforeVersion,
  checkpointPath,
  commitPath,
  lastCheckpointPath,
  logPrefix,
  parseLogPath,
} from '../../../../writers/delta/log-path.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

describe('names in the log', () => {
  test('have 20 digits', () => {
    expect(commitPath('lake/t', 12)).toBe('lake/t/_delta_log/00000000000000000012.json')
    expect(checkpointPath('', 10)).toBe('_delta_log/00000000000000000010.checkpoint.parquet')
    expect(lastCheckpointPath('t')).toBe('t/_delta_log/_last_checkpoint')
    expect(() => commitPath('t', -1)).toThrow('not a table version')
  })

  test.each([
    ['00000000000000000012.json', { kind: 'commit', version: 12 }],
    ['00000000000000000010.checkpoint.parquet', { kind: 'checkpoint', version: 10 }],
    [
      '00000000000000000010.checkpoint.0000000001.0000000003.parquet',
      { kind: 'multi-part-checkpoint', version: 10, part: 1, parts: 3 },
    ],
    [
      '00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json',
      { kind: 'v2-checkpoint', version: 10, format: 'json' },
    ],
    [
      '00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet',
      { kind: 'v2-checkpoint', version: 10, format: 'parquet' },
    ],
    ['00000000000000000012.crc', { kind: 'checksum', version: 12 }],
    ['00000000000000000004.00000000000000000006.compacted.json', { kind: 'compacted', version: 4 }],
    ['_last_checkpoint', undefined],
    ['12.json', undefined],
    ['.00000000000000000012.json.crc', undefined],
    ['00000000000000000012.json.tmp', undefined],
    ['99999999999999999999.json', undefined],
  ])('%s is understood', (name, file) => {
    expect(parseLogPath(`t/_delta_log/${name}`)).toEqual(file)
  })

  test('a listing from a version holds all its files, and none of sidecars', () => {
    expect(beforeVersion('t', 10) < checkpointPath('t', 10)).toBe(true)
    expect(beforeVersion('t', 10) > commitPath('t', 9)).toBe(true)
    expect(commitPath('t', 9).startsWith(logPrefix('t'))).toBe(true)
    expect('t/_delta_log/_sidecars/x'.startsWith(logPrefix('t'))).toBe(false)
  })
})

describe('paths of files', () => {
  const store = new MemoryStore()

  test.each([
    ['part-0.parquet', 't/part-0.parquet'],
    ['letter=%252F%20x/a.parquet', 't/letter=%2F x/a.parquet'],
    ['p=é/a.parquet', 't/p=é/a.parquet'],
    ['p=%C3%A9/a.parquet', 't/p=é/a.parquet'],
    ['memory://lake/other/a%20b.parquet', 'other/a b.parquet'],
  ])('%s are decoded once', (logPath, path) => {
    expect(objectPath(store, 't', logPath)).toBe(path)
  })

  test('an absolute path is understood where the lake is a directory', () => {
    const directory = Object.assign(Object.create(store), { location: '/data/lake' })
    expect(objectPath(directory, 't', 'file:///data/lake/t/a.parquet')).toBe('t/a.parquet')
    expect(objectPath(directory, 't', 'file:/data/lake/t/a.parquet')).toBe('t/a.parquet')
    expect(objectPath(directory, 't', '/data/lake/t/a.parquet')).toBe('t/a.parquet')
    expect(() => objectPath(directory, 't', 'file:///data/lakes/a.parquet')).toThrow('outside')
  })

  test.each(['%E9/a.parquet', 's3://other/a.parquet', '/etc/passwd', 'a/%2E%2E/../b'])(
    '%s stops the table',
    (logPath) => {
      expect(() => objectPath(store, 't', logPath)).toThrow(
        expect.objectContaining({ code: 'E_FILE_PATH', remedy: 'stop-table' }),
      )
    },
  )
})
