import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseExactJson } from '../../../writers/delta/exact-json.ts'
import {
  checksumOf,
  parseLastCheckpoint,
  renderLastCheckpoint,
} from '../../../writers/delta/last-checkpoint.ts'

const TABLES = join(import.meta.dirname, '../../../fixtures/tables')

describe('the checksum of _last_checkpoint', () => {
  test('of the vector of PROTOCOL.md', () => {
    const json = parseExactJson(
      `{"k0":"'v 0'","checksum":"x","k1":{"k2":2,"k3":["v3",[1,2],{"k4":"v4","k5":["v5","v6","v7"]}]}}`,
    )
    expect(checksumOf(json)).toBe('6a92d155a59bf2eecbd4b4ec7fd1f875')
  })

  test.each(['with_checkpoint', 'no_replay', 'stats_as_struct'])(
    'of the file that Spark wrote in %s',
    (table) => {
      const bytes = readFileSync(join(TABLES, table, 'table/_delta_log/_last_checkpoint'))
      const json = parseExactJson(bytes.toString('utf8')) as { checksum: string }
      expect(checksumOf(json)).toBe(json.checksum)
      expect(parseLastCheckpoint(bytes)).toBe(table === 'no_replay' ? 4 : 2)
    },
  )

  test('of a pointer of ours holds it together', () => {
    const bytes = renderLastCheckpoint({ version: 7, size: 12, sizeInBytes: 345, numOfAddFiles: 6 })
    expect(new TextDecoder().decode(bytes)).toBe(
      '{"version":7,"size":12,"sizeInBytes":345,"numOfAddFiles":6,"checksum":"55d5388d32b29c4635b8e9c1d179ad35"}',
    )
    expect(parseLastCheckpoint(bytes)).toBe(7)
    const other = new TextDecoder().decode(bytes).replace('"size":12', '"size":13')
    expect(parseLastCheckpoint(new TextEncoder().encode(other))).toBeUndefined()
  })
})
