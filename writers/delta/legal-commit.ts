import { assert } from '../../core/assert.ts'
import type { Action, AddFile, RemoveFile } from './actions.ts'
import { dvUniqueId } from './dv-descriptor.ts'

/**
 * Holds a commit of ours against the rules that make log replay mean one thing.
 *
 * @throws AssertionError naming the rule: an illegal commit is a bug, and must not reach the log
 * @see delta-protocol §2: at most one of each, one add and one remove per path, `dataChange` uniform
 */
export function assertLegalCommit(actions: readonly Action[]): void {
  const seen = new Set<string>()
  const adds = new Map<string, AddFile>()
  const removes = new Map<string, RemoveFile>()
  let dataChange: boolean | undefined
  for (const action of actions) {
    const key = uniqueKey(action)
    assert(!seen.has(key), `one commit holds ${key} twice`)
    seen.add(key)
    if (action.kind === 'add') adds.set(action.path, action)
    if (action.kind === 'remove') removes.set(action.path, action)
    if (action.kind === 'add' || action.kind === 'remove') {
      assert(dataChange === undefined || dataChange === action.dataChange, 'one commit mixes dataChange')
      dataChange = action.dataChange
    }
    if (action.kind === 'add') assertVectorHasStatistics(action)
  }
  for (const [path, add] of adds) {
    const remove = removes.get(path)
    if (remove === undefined) continue
    assert(
      dvUniqueId(add.deletionVector) !== dvUniqueId(remove.deletionVector),
      `one commit adds and removes ${path} with the same deletion vector`,
    )
  }
}

function uniqueKey(action: Action): string {
  switch (action.kind) {
    case 'add':
    case 'remove':
    case 'cdc':
      return `${action.kind} ${action.path}`
    case 'txn':
      return `txn ${action.appId}`
    case 'domainMetadata':
      return `domainMetadata ${action.domain}`
    case 'commitInfo':
    case 'protocol':
    case 'metaData':
      return action.kind
    default:
      return action satisfies never
  }
}

/** Readers count rows as `numRecords - cardinality`, so a vector without statistics cannot be read. */
function assertVectorHasStatistics(add: AddFile): void {
  assert(
    add.deletionVector === undefined || add.stats !== undefined,
    `${add.path} has a deletion vector but no statistics`,
  )
}
