import { describe, expect, test } from 'vitest'
import { arrayOf, field, mapOf, type StructType, struct } from '../../../../schemas/delta-types.ts'
import type { Metadata, Protocol } from '../../../../writers/delta/actions.ts'
import {
  assertReadable,
  assertWritable,
  hasTimestampNtz,
  type ProtocolNeeds,
  protocolFor,
  upgradeProtocol,
} from '../../../../writers/delta/protocol.ts'

const NONE: ProtocolNeeds = { deletionVectors: false, changeDataFeed: false, timestampNtz: false }
const SCHEMA = struct([field('id', 'long')])

function metadata(configuration: Record<string, string> = {}): Metadata {
  return {
    kind: 'metaData',
    id: 'id',
    format: { provider: 'parquet', options: {} },
    schemaString: '',
    partitionColumns: [],
    configuration,
  }
}

function protocol(
  reader: number,
  writer: number,
  readerFeatures?: string[],
  writerFeatures?: string[],
): Protocol {
  return {
    kind: 'protocol',
    minReaderVersion: reader,
    minWriterVersion: writer,
    readerFeatures,
    writerFeatures,
  }
}

describe('the protocol of a table of ours', () => {
  test.each<[string, Partial<ProtocolNeeds>, Protocol]>([
    ['plain rows', {}, protocol(1, 2)],
    [
      'a change feed',
      { changeDataFeed: true },
      protocol(1, 7, undefined, ['appendOnly', 'invariants', 'changeDataFeed']),
    ],
    [
      'deletion vectors',
      { deletionVectors: true },
      protocol(3, 7, ['deletionVectors'], ['appendOnly', 'invariants', 'deletionVectors']),
    ],
    [
      'deletion vectors, a feed and timestamp_ntz',
      { deletionVectors: true, changeDataFeed: true, timestampNtz: true },
      protocol(
        3,
        7,
        ['deletionVectors', 'timestampNtz'],
        ['appendOnly', 'invariants', 'changeDataFeed', 'deletionVectors', 'timestampNtz'],
      ),
    ],
  ])('for %s', (_, needs, expected) => {
    expect(protocolFor({ ...NONE, ...needs })).toEqual(expected)
  })

  test('stays the same object when nothing is missing', () => {
    const before = protocolFor({ ...NONE, deletionVectors: true })
    expect(upgradeProtocol(before, { ...NONE, deletionVectors: true })).toBe(before)
    const legacy = protocol(1, 4)
    expect(upgradeProtocol(legacy, { ...NONE, changeDataFeed: true })).toBe(legacy)
  })

  test('from a legacy version to 7 lists every feature it implied', () => {
    expect(upgradeProtocol(protocol(2, 6), { ...NONE, timestampNtz: true })).toEqual(
      protocol(
        3,
        7,
        ['columnMapping', 'timestampNtz'],
        [
          'appendOnly',
          'invariants',
          'checkConstraints',
          'changeDataFeed',
          'generatedColumns',
          'columnMapping',
          'identityColumns',
          'timestampNtz',
        ],
      ),
    )
  })

  test('a feed added to a vector table keeps its reader list', () => {
    expect(
      upgradeProtocol(protocolFor({ ...NONE, deletionVectors: true }), { ...NONE, changeDataFeed: true }),
    ).toEqual(
      protocol(3, 7, ['deletionVectors'], ['appendOnly', 'invariants', 'deletionVectors', 'changeDataFeed']),
    )
  })

  test('timestamp_ntz is found at any depth', () => {
    expect(
      hasTimestampNtz(struct([field('a', arrayOf(mapOf('string', struct([field('t', 'timestamp_ntz')]))))])),
    ).toBe(true)
    expect(hasTimestampNtz(struct([field('a', 'timestamp')]))).toBe(false)
  })
})

describe('a table of others', () => {
  test.each<[string, Protocol, Record<string, string>, string]>([
    [
      'an unknown reader feature',
      protocol(3, 7, ['typeWidening'], ['typeWidening']),
      {},
      'it uses typeWidening',
    ],
    [
      'a catalog that owns the log',
      protocol(3, 7, ['catalogManaged'], ['catalogManaged']),
      {},
      'catalogManaged',
    ],
    ['a reader version from the future', protocol(4, 7), {}, 'reader version 4'],
    ['column mapping in use', protocol(2, 5), { 'delta.columnMapping.mode': 'name' }, 'columnMapping'],
  ])('with %s is not read, and the feature is named', (_, itsProtocol, configuration, message) => {
    expect(() => assertReadable(itsProtocol, metadata(configuration))).toThrow(
      expect.objectContaining({ code: 'E_TABLE_FEATURE', remedy: 'stop-table' }),
    )
    expect(() => assertReadable(itsProtocol, metadata(configuration))).toThrow(message)
  })

  test('with features that are listed but not in use is read', () => {
    expect(() =>
      assertReadable(protocol(2, 5), metadata({ 'delta.columnMapping.mode': 'none' })),
    ).not.toThrow()
    expect(() =>
      assertReadable(protocol(3, 7, ['deletionVectors', 'timestampNtz', 'v2Checkpoint'], []), metadata()),
    ).not.toThrow()
  })

  test.each<[string, Protocol, Record<string, string>, StructType, string]>([
    [
      'an unknown writer feature',
      protocol(1, 7, undefined, ['rowTracking', 'x']),
      {},
      SCHEMA,
      'rowTracking, x',
    ],
    ['V2 checkpoints', protocol(3, 7, ['v2Checkpoint'], ['v2Checkpoint']), {}, SCHEMA, 'v2Checkpoint'],
    [
      'a constraint',
      protocol(1, 3),
      { 'delta.constraints.c': 'a > 1' },
      SCHEMA,
      'checkConstraints (delta.constraints.c)',
    ],
    [
      'in-commit timestamps',
      protocol(1, 7, undefined, ['inCommitTimestamp']),
      { 'delta.enableInCommitTimestamps': 'true' },
      SCHEMA,
      'inCommitTimestamp',
    ],
    [
      'a generated column',
      protocol(1, 4),
      {},
      nested('delta.generationExpression'),
      'generatedColumns (column x)',
    ],
    ['an identity column', protocol(1, 6), {}, nested('delta.identity.start'), 'identityColumns (column x)'],
    ['an invariant', protocol(1, 2), {}, nested('delta.invariants'), 'invariants (column x)'],
    [
      'a default',
      protocol(1, 7, undefined, ['allowColumnDefaults']),
      {},
      nested('CURRENT_DEFAULT'),
      'allowColumnDefaults',
    ],
  ])('with %s is not written', (_, itsProtocol, configuration, schema, message) => {
    expect(() => assertWritable(itsProtocol, metadata(configuration), schema, 'append')).toThrow(message)
  })

  test('that only takes appends is appended to and not changed', () => {
    const appendOnly = metadata({ 'delta.appendOnly': 'true' })
    expect(() => assertWritable(protocol(1, 2), appendOnly, SCHEMA, 'append')).not.toThrow()
    expect(() => assertWritable(protocol(1, 2), appendOnly, SCHEMA, 'change')).toThrow('delta.appendOnly')
  })

  test('with idle features is written', () => {
    const all = [
      'appendOnly',
      'invariants',
      'checkConstraints',
      'generatedColumns',
      'identityColumns',
      'domainMetadata',
    ]
    expect(() => assertWritable(protocol(1, 7, undefined, all), metadata(), SCHEMA, 'change')).not.toThrow()
  })

  function nested(key: string): StructType {
    return struct([field('s', struct([{ ...field('x', 'long'), metadata: { [key]: 1 } }]))])
  }
})
