import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createS3Client } from '../../../src/io/s3-client.ts'
import { S3Connection } from '../../../src/io/s3-connection.ts'
import { S3Store } from '../../../src/io/s3-store.ts'
import { systemClock } from '../../../src/io/system-clock.ts'
import { systemRandom } from '../../../src/io/system-random.ts'
import type { Action } from '../../../writers/delta/actions.ts'
import { readCommit } from '../../../writers/delta/log-entry.ts'
import { commitPath } from '../../../writers/delta/log-path.ts'
import { type PreparedCommit, TableLog } from '../../../writers/table-log.ts'
import { addOf, metadataOf, PROTOCOL } from '../../support/delta-log.ts'
import { S3Server } from './s3-server.ts'

const WRITERS = 4
const COMMITS_EACH = 25

/** A commit that no other can hit: a file of its own, a position of its own. */
function commitOf(writer: string, count: number, actions: readonly Action[] = []): PreparedCommit {
  const txn: Action = { kind: 'txn', appId: writer, version: BigInt(count) }
  return {
    operation: 'WRITE',
    metrics: {},
    actions: [...actions, addOf(`${writer}-${count}.parquet`), txn],
    ours: { kind: 'append', touched: new Set(), appIds: new Set([writer]) },
  }
}

describe('writers that race for the versions of one table on S3', () => {
  let server: S3Server
  let store: S3Store

  beforeAll(async () => {
    server = await S3Server.start()
    store = open()
  })
  afterAll(() => server?.stop())

  function open(): S3Store {
    const client = createS3Client(server.settings)
    const connection = new S3Connection({ client, clock: systemClock, random: systemRandom })
    return new S3Store({ connection, bucket: server.bucket, prefix: 'raced' })
  }

  function openLog(): Promise<TableLog> {
    const silent = { debug() {}, info() {}, warn() {}, error() {} }
    const ports = {
      clock: systemClock,
      random: systemRandom,
      logger: silent,
      stepReached: () => {},
      observe: () => {},
    }
    return TableLog.open({ ...ports, store: open() }, 't')
  }

  test('each commit lands once, none is lost, and no version is left out', async () => {
    const creator = await openLog()
    await creator.commit(
      async () => commitOf('creator', 1, [PROTOCOL, metadataOf()]),
      async () => {},
    )
    const write = async (writer: string) => {
      const log = await openLog()
      for (let count = 1; count <= COMMITS_EACH; count++) {
        await log.commit(
          async () => commitOf(writer, count),
          async () => {},
        )
      }
    }
    const writers = Array.from({ length: WRITERS }, (_, i) => `writer-${i}`)
    await Promise.all(writers.map(write))

    const landed: string[] = []
    for (let version = 1; version <= WRITERS * COMMITS_EACH; version++) {
      const entry = await store.get('test.get', commitPath('t', version))
      expect(entry, `version ${version}`).not.toBeNull()
      for (const action of readCommit(entry!, version)) if (action.kind === 'add') landed.push(action.path)
    }
    const written = writers.flatMap((writer) =>
      Array.from({ length: COMMITS_EACH }, (_, i) => `${writer}-${i + 1}.parquet`),
    )
    expect(landed.sort()).toEqual(written.sort())
    expect(await store.get('test.get', commitPath('t', WRITERS * COMMITS_EACH + 1))).toBeNull()
  })
})
