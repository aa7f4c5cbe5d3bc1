import { describe, expect, test } from 'vitest'
import { type Action, type AddFile, removeOf } from '../../../../writers/delta/actions.ts'
import { readCommit, writeCommit } from '../../../../writers/delta/log-entry.ts'

const vector = {
  storageType: 'u' as const,
  pathOrInlineDv: '^-aqEH.-t@S}K{vb[*k^',
  offset: 1,
  sizeInBytes: 38,
  cardinality: 3,
}

function add(path: string, more: Partial<AddFile> = {}): AddFile {
  return { kind: 'add', path, partitionValues: {}, size: 10, modificationTime: 5, dataChange: true, ...more }
}

function textOf(actions: readonly Action[]): string {
  return new TextDecoder().decode(writeCommit(actions))
}

function read(text: string): Action[] {
  return readCommit(new TextEncoder().encode(text), 7)
}

describe('a log entry', () => {
  test('starts with commitInfo, and removes stand before adds', () => {
    const lines = textOf([
      add('b', { deletionVector: vector, stats: '{"numRecords":9}' }),
      { kind: 'txn', appId: 'a', version: 9007199254740993n, lastUpdated: 3 },
      removeOf(add('b'), 77, true),
      { kind: 'commitInfo', timestamp: 1, operation: 'MERGE', operationParameters: { a: '1' }, txnId: 'x' },
    ]).split('\n')
    expect(lines).toEqual([
      '{"commitInfo":{"timestamp":1,"operation":"MERGE","operationParameters":{"a":"1"},"txnId":"x"}}',
      '{"txn":{"appId":"a","version":9007199254740993,"lastUpdated":3}}',
      '{"remove":{"path":"b","deletionTimestamp":77,"dataChange":true,"extendedFileMetadata":true,"partitionValues":{},"size":10}}',
      '{"add":{"path":"b","partitionValues":{},"size":10,"modificationTime":5,"dataChange":true,"deletionVector":' +
        '{"storageType":"u","pathOrInlineDv":"^-aqEH.-t@S}K{vb[*k^","offset":1,"sizeInBytes":38,"cardinality":3},' +
        '"stats":"{\\"numRecords\\":9}"}}',
      '',
    ])
  })

  test('a change file never says that it changes data', () => {
    expect(textOf([{ kind: 'cdc', path: '_change_data/c', partitionValues: {}, size: 4 }])).toBe(
      '{"cdc":{"path":"_change_data/c","partitionValues":{},"size":4,"dataChange":false}}\n',
    )
  })

  test('every kind of action comes back as it was written', () => {
    const actions: Action[] = [
      {
        kind: 'commitInfo',
        timestamp: 1,
        operation: 'WRITE',
        readVersion: 0,
        isBlindAppend: true,
        txnId: 'x',
      },
      {
        kind: 'protocol',
        minReaderVersion: 3,
        minWriterVersion: 7,
        readerFeatures: ['a'],
        writerFeatures: ['a', 'b'],
      },
      {
        kind: 'metaData',
        id: 'id',
        format: { provider: 'parquet', options: {} },
        schemaString: '{}',
        partitionColumns: ['p'],
        configuration: { 'delta.x': 'true' },
        createdTime: 3,
      },
      { kind: 'txn', appId: 'a', version: -(2n ** 63n), lastUpdated: 3 },
      { kind: 'domainMetadata', domain: 'd', configuration: '{}', removed: false },
      removeOf(add('r', { tags: { t: 'v' }, baseRowId: 2n ** 60n, deletionVector: vector }), 5, true),
      add('a%20b', {
        partitionValues: { p: null, q: 'x' },
        stats: '{"numRecords":1}',
        clusteringProvider: 'liquid',
      }),
      { kind: 'cdc', path: '_change_data/c', partitionValues: {}, size: 4 },
    ]
    expect(read(textOf(actions))).toEqual(actions)
  })

  test('unknown actions, unknown members and null members are left out', () => {
    expect(
      read(
        '{"sidecar":{"path":"x"}}\n{"future":1}\n{"txn":{"appId":"a","version":1,"more":{"x":[]},"lastUpdated":null}}\n\n',
      ),
    ).toEqual([{ kind: 'txn', appId: 'a', version: 1n }])
  })

  test('a commitInfo of any form is no error', () => {
    expect(
      read(
        '{"commitInfo":{"timestamp":"noon","operationParameters":{"a":1,"b":null,"c":"x"},"operationMetrics":[],"txnId":4}}',
      ),
    ).toEqual([{ kind: 'commitInfo', operationParameters: { a: '1', c: 'x' } }])
  })

  test.each([
    ['a cut line', '{"commitInfo":{}}\n{"add":{"path":"x"', 'line 2'],
    [
      'an add without path',
      '{"add":{"size":1,"modificationTime":1,"dataChange":true}}',
      'line 1: "path" must be a string',
    ],
    ['a txn with a fraction', '{"txn":{"appId":"a","version":1.5}}', 'line 1: "version"'],
    ['a line that is no object', '[1]', 'line 1'],
    [
      'an unknown place of a vector',
      '{"add":{"path":"a","size":1,"dataChange":true,"deletionVector":{"storageType":"q","pathOrInlineDv":"","sizeInBytes":1,"cardinality":1}}}',
      '"q"',
    ],
    ['an empty entry', '', 'it is empty'],
    ['an entry of blank lines', '\n\n', 'it is empty'],
  ])('%s stops the table and names version and line', (_, text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'E_LOG_ENTRY', remedy: 'stop-table' }))
    expect(() => read(text)).toThrow(message)
    expect(() => read(text)).toThrow('[version 7]')
  })

  test('bytes that are not UTF-8 stop the table', () => {
    expect(() => readCommit(Uint8Array.of(0xff, 0xfe), 3)).toThrow('not UTF-8')
  })
})

describe('a commit of ours is illegal', () => {
  const info: Action = { kind: 'commitInfo', txnId: 'x' }
  const txn: Action = { kind: 'txn', appId: 'a', version: 1n }
  const protocol: Action = { kind: 'protocol', minReaderVersion: 1, minWriterVersion: 2 }
  const stats = '{"numRecords":9}'

  test.each<[string, Action[], string]>([
    ['with two protocols', [protocol, { ...protocol, minWriterVersion: 4 }], 'protocol twice'],
    ['with two txn of one application', [txn, { ...txn, version: 2n }], 'txn a twice'],
    ['with two adds of one path', [add('a'), add('a', { size: 3 })], 'add a twice'],
    ['with mixed dataChange', [add('a'), add('b', { dataChange: false })], 'mixes dataChange'],
    ['with a vector but no statistics', [add('a', { deletionVector: vector })], 'no statistics'],
    [
      'with a path added and removed with one vector',
      [
        removeOf(add('a', { deletionVector: vector, stats }), 1, true),
        add('a', { deletionVector: vector, stats }),
      ],
      'same deletion vector',
    ],
    ['with two commitInfo', [info, info], 'commitInfo twice'],
  ])('%s', (_, actions, message) => {
    expect(() => writeCommit(actions)).toThrow(message)
  })

  test('but not when change files stand beside files that only move rows', () => {
    expect(() =>
      writeCommit([
        add('a', { dataChange: false }),
        { kind: 'cdc', path: 'c', partitionValues: {}, size: 1 },
      ]),
    ).not.toThrow()
  })
})
