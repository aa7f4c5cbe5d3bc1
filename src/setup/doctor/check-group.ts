import type { GroupFacts } from './chain-facts.ts'
import { type Found, findingsOf } from './finding.ts'

const { broken, risk } = findingsOf('group')

/** Whether somebody of us reads, and nobody else does in our name. */
export function* checkGroup({ state, members, isRunning, aheadOf }: GroupFacts, groupId: string): Found {
  if (state === 'Dead' || (members === 0 && !isRunning)) {
    yield broken('not-running', 'no process of the pipeline runs', 'run `alluvium ingest`')
  } else if (members === 0) {
    yield broken(
      'no-members',
      `a process of the pipeline runs, and the group ${groupId} has no member`,
      'look at its log: it waits for its brokers, or for a table that stopped',
    )
  } else if (!isRunning) {
    yield broken(
      'strangers',
      `the group ${groupId} has ${members} members, and no process of the pipeline shows itself in this lake`,
      'give this pipeline a group of its own (`groupId`), or look whether it writes into another lake',
    )
  } else if (state !== 'Stable') {
    yield risk(
      'rebalancing',
      `the group ${groupId} is ${state}`,
      'look again in a minute; a group that never rests has a member that comes and goes',
    )
  }
  if (aheadOf.length > 0) {
    yield risk(
      'group-ahead',
      `the offsets of the group ${groupId} are beyond those of our tables in ${aheadOf.join(', ')}`,
      'nothing is lost, the tables decide; but somebody else commits in this group: give the pipeline one of its own',
    )
  }
}
