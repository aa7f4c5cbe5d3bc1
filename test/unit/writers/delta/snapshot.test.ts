import { describe, expect, test } from 'vitest'
import { type Action, type AddFile, removeOf } from '../../../../writers/delta/actions.ts'
import type { DeletionVectorDescriptor } from '../../../../writers/delta/dv-descriptor.ts'
import {
  replay,
  type TableSnapshot,
  withFewerTombstones,
  withoutExpiredTombstones,
} from '../../../../writers/delta/snapshot.ts'
import { addOf, metadataOf, PROTOCOL } from '../../../support/delta-log.ts'

function vector(offset: number): DeletionVectorDescriptor {
  return { storageType: 'u', pathOrInlineDv: '^-aqEH.-t@S}K{vb[*k^', offset, sizeInBytes: 38, cardinality: 3 }
}

function tableOf(...entries: readonly (readonly Action[])[]): TableSnapshot {
  let snapshot = replay(null, 0, [PROTOCOL, metadataOf()])
  for (const actions of entries) snapshot = replay(snapshot, snapshot.version + 1, actions)
  return snapshot
}

function live(snapshot: TableSnapshot): readonly AddFile[] {
  return [...snapshot.files.values()]
}

describe('replaying the log', () => {
  test('keeps the newest of everything', () => {
    const snapshot = tableOf(
      [addOf('a'), addOf('b'), { kind: 'txn', appId: 'x', version: 1n }],
      [
        { kind: 'commitInfo', timestamp: 77, txnId: 'id-2' },
        removeOf(addOf('a'), 5, true),
        { kind: 'txn', appId: 'x', version: 2n },
        { kind: 'domainMetadata', domain: 'd', configuration: '1', removed: false },
      ],
    )
    expect(live(snapshot).map(({ path }) => path)).toEqual(['b'])
    expect([...snapshot.tombstones.values()].map(({ path }) => path)).toEqual(['a'])
    expect(snapshot.txns.get('x')!.version).toBe(2n)
    expect(snapshot.domains.get('d')!.configuration).toBe('1')
    expect(snapshot).toMatchObject({ version: 2, timestampMs: 77, commitId: 'id-2' })
    expect(snapshot.schema.fields[0]!.name).toBe('id')
  })

  test('a new deletion vector replaces the file and leaves a tombstone of the old one', () => {
    const first = addOf('a')
    const second = addOf('a', { deletionVector: vector(1) })
    const third = addOf('a', { deletionVector: vector(47) })
    const snapshot = tableOf([first], [removeOf(first, 5, true), second], [third, removeOf(second, 6, true)])
    expect(live(snapshot)).toEqual([third])
    expect([...snapshot.tombstones.values()].map((remove) => remove.deletionVector?.offset)).toEqual([
      undefined,
      1,
    ])
  })

  test('a remove with another vector than the live file has does not take it out', () => {
    const snapshot = tableOf(
      [addOf('a', { deletionVector: vector(47) })],
      [removeOf(addOf('a', { deletionVector: vector(1) }), 5, true)],
    )
    expect(snapshot.files.size).toBe(1)
  })

  test('a remove of a path that is written otherwise takes nothing out', () => {
    expect(tableOf([addOf('a%20b')], [removeOf(addOf('a b'), 5, true)]).files.size).toBe(1)
  })

  test('a file that comes back is no longer a tombstone', () => {
    const snapshot = tableOf([addOf('a')], [removeOf(addOf('a'), 5, true)], [addOf('a')])
    expect(snapshot.files.size).toBe(1)
    expect(snapshot.tombstones.size).toBe(0)
  })

  test('a removed domain is gone, and change files are no part of the state', () => {
    const snapshot = tableOf(
      [{ kind: 'domainMetadata', domain: 'd', configuration: '1', removed: false }],
      [
        { kind: 'domainMetadata', domain: 'd', configuration: '1', removed: true },
        { kind: 'cdc', path: '_change_data/c', partitionValues: {}, size: 1 },
      ],
    )
    expect(snapshot.domains.size).toBe(0)
    expect(snapshot.files.size).toBe(0)
  })

  test('an older snapshot stays what it was', () => {
    const before = tableOf([addOf('a')])
    const after = replay(before, 2, [removeOf(addOf('a'), 5, true), addOf('b')])
    expect(live(before).map(({ path }) => path)).toEqual(['a'])
    expect(before.tombstones.size).toBe(0)
    expect(live(after).map(({ path }) => path)).toEqual(['b'])
  })

  test('the schema is parsed once and again only when it changes', () => {
    const before = tableOf([addOf('a')])
    expect(replay(before, 2, [addOf('b')]).schema).toBe(before.schema)
    const changed = {
      ...metadataOf(),
      schemaString: '{"type":"struct","fields":[{"name":"x","type":"string"}]}',
    }
    expect(replay(before, 2, [changed]).schema.fields[0]!.name).toBe('x')
  })

  test('a feature that we do not know stops the table at the entry that brings it', () => {
    const protocol: Action = {
      ...PROTOCOL,
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['typeWidening'],
    }
    expect(() => tableOf([protocol])).toThrow('typeWidening')
  })

  test('a first entry without protocol or metaData stops the table', () => {
    expect(() => replay(null, 0, [PROTOCOL])).toThrow(expect.objectContaining({ code: 'E_LOG_INCOMPLETE' }))
  })

  test('a commit to a table of 100,000 files costs far less than the table', () => {
    const files = Array.from({ length: 100_000 }, (_, at) => addOf(`f${at}`))
    let snapshot = replay(null, 0, [PROTOCOL, metadataOf(), ...files])
    const start = performance.now()
    for (let version = 1; version <= 200; version++) {
      snapshot = replay(snapshot, version, [removeOf(files[version]!, 1, true), addOf(`n${version}`)])
    }
    expect(snapshot.files.size).toBe(100_000)
    // Copying the table would take some 10 ms a commit; 200 commits must stay far below that.
    expect(performance.now() - start).toBeLessThan(1000)
  })
})

describe('expired tombstones', () => {
  const removed = (atMs: number) => [addOf(`f${atMs}`), removeOf(addOf(`g${atMs}`), atMs, true)]
  const DAY = 86_400_000

  test.each<[string, Record<string, string>, number]>([
    ['after 7 days by default', {}, 7 * DAY],
    ['by the property of the table', { 'delta.deletedFileRetentionDuration': 'interval 1 day' }, DAY],
    ['by days and hours', { 'delta.deletedFileRetentionDuration': 'interval 2 days 12 hours' }, 2.5 * DAY],
    [
      'by the default when the property cannot be read',
      { 'delta.deletedFileRetentionDuration': '1 month' },
      7 * DAY,
    ],
  ])('go %s', (_, configuration, retentionMs) => {
    const nowMs = 100 * DAY
    let snapshot = tableOf([metadataOf(configuration)])
    snapshot = replay(snapshot, 2, removed(nowMs - retentionMs - 1))
    snapshot = replay(snapshot, 3, removed(nowMs - retentionMs))
    const kept = withoutExpiredTombstones(snapshot, nowMs)
    expect([...kept.tombstones.values()].map((remove) => remove.deletionTimestamp)).toEqual([
      nowMs - retentionMs,
    ])
    expect(kept.files.size).toBe(snapshot.files.size)
    expect(withoutExpiredTombstones(kept, nowMs)).toBe(kept)
  })
})

describe('remembering fewer removed files', () => {
  /** `live` and `gone` get a vector and another; then `gone` goes. */
  const entries = ['live', 'gone'].flatMap((path) => [
    [addOf(path)],
    [removeOf(addOf(path), 1, true), { ...addOf(path), deletionVector: vector(1) }],
    [
      removeOf({ ...addOf(path), deletionVector: vector(1) }, 2, true),
      { ...addOf(path), deletionVector: vector(50) },
    ],
  ])
  const snapshot = tableOf(
    ...entries,
    [removeOf({ ...addOf('gone'), deletionVector: vector(50) }, 3, true)],
    [addOf('other')],
    [removeOf(addOf('other'), 4, true)],
  )
  const left = (max: number) =>
    [...withFewerTombstones(snapshot, max).tombstones.values()].map(
      ({ path, deletionVector }) => `${path} ${deletionVector?.offset ?? ''}`,
    )

  test('forgets nothing below the ceiling', () => {
    expect(snapshot.tombstones.size).toBe(6)
    expect(withFewerTombstones(snapshot, 6)).toBe(snapshot)
  })

  test('forgets vectors that newer ones have replaced, the oldest first', () => {
    expect(left(5)).toEqual(['live 1', 'gone ', 'gone 1', 'gone 50', 'other '])
  })

  test('never forgets a file that is gone', () => {
    expect(left(0)).toEqual(['gone 50', 'other '])
  })
})
