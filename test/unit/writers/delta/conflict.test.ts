import { describe, expect, test } from 'vitest'
import { type Action, removeOf } from '../../../../writers/delta/actions.ts'
import { graver, judgeLoss, type LossVerdict, type OurCommit } from '../../../../writers/delta/conflict.ts'
import { addOf, metadataOf, PROTOCOL } from '../../../support/delta-log.ts'

type Kind = OurCommit['kind']

function ours(kind: Kind): OurCommit {
  return {
    kind,
    touched: new Set(kind === 'upsert' || kind === 'compaction' ? ['mine'] : []),
    appIds: new Set(['app']),
  }
}

const vector = { storageType: 'u' as const, pathOrInlineDv: 'x', offset: 1, sizeInBytes: 1, cardinality: 1 }
const newVector = [removeOf(addOf('mine'), 1, true), addOf('mine', { deletionVector: vector })]
const moved = [removeOf(addOf('other'), 1, false), addOf('merged', { dataChange: false })]

/** delta-protocol §12, a row each. */
const TABLE: [string, Action[], Record<Kind, LossVerdict>][] = [
  ['nothing of ours', [{ kind: 'commitInfo' }], verdicts('rebase', 'rebase', 'rebase', 'rebase')],
  ['protocol', [PROTOCOL], verdicts('replan', 'replan', 'replan', 'replan')],
  ['metaData', [metadataOf()], verdicts('replan', 'replan', 'replan', 'replan')],
  [
    'a txn of ours',
    [{ kind: 'txn', appId: 'app', version: 9n }],
    verdicts('fenced', 'fenced', 'fenced', 'fenced', 'redo'),
  ],
  [
    'a txn of others',
    [{ kind: 'txn', appId: 'x', version: 9n }],
    verdicts('rebase', 'rebase', 'rebase', 'rebase', 'redo'),
  ],
  ['new rows', [addOf('new')], verdicts('rebase', 'redo', 'rebase', 'rebase')],
  ['rows moved from files we do not touch', moved, verdicts('rebase', 'rebase', 'rebase', 'rebase')],
  [
    'rows moved from a file we touch',
    [removeOf(addOf('mine'), 1, false), addOf('merged', { dataChange: false })],
    verdicts('rebase', 'redo', 'redo', 'rebase'),
  ],
  [
    'a file of ours removed',
    [removeOf(addOf('mine'), 1, true)],
    verdicts('rebase', 'redo', 'redo', 'rebase'),
  ],
  ['another vector for a file of ours', newVector, verdicts('rebase', 'redo', 'redo', 'rebase')],
  [
    'another file removed',
    [removeOf(addOf('other'), 1, true)],
    verdicts('rebase', 'rebase', 'rebase', 'rebase'),
  ],
  [
    'a domain',
    [{ kind: 'domainMetadata', domain: 'd', configuration: '', removed: false }],
    verdicts('rebase', 'rebase', 'rebase', 'rebase'),
  ],
]

function verdicts(
  append: LossVerdict,
  upsert: LossVerdict,
  compaction: LossVerdict,
  metadata: LossVerdict,
  progress = metadata,
) {
  return { append, upsert, compaction, metadata, progress }
}

describe('losing a race', () => {
  for (const [what, winner, expected] of TABLE) {
    test.each(Object.entries(expected) as [Kind, LossVerdict][])(
      `to ${what}: our %s has to %s`,
      (kind, verdict) => {
        expect(judgeLoss(ours(kind), winner)).toBe(verdict)
      },
    )
  }

  test('a commit that touches every file minds any remove', () => {
    const truncate: OurCommit = { kind: 'upsert', touched: 'all', appIds: new Set() }
    expect(judgeLoss(truncate, moved)).toBe('redo')
  })

  test('the gravest finding of an entry, and of several winners, decides', () => {
    const winner: Action[] = [addOf('new'), { kind: 'txn', appId: 'app', version: 9n }, metadataOf()]
    expect(judgeLoss(ours('upsert'), winner)).toBe('fenced')
    expect(graver('redo', 'rebase')).toBe('redo')
    expect(graver('redo', 'replan')).toBe('replan')
  })
})
