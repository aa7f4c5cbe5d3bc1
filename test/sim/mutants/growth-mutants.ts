import type { Mutant } from './mutant.ts'

/** What keeps a table small, day after day. */
export const GROWTH_MUTANTS: readonly Mutant[] = [
  {
    name: 'tombstones-forgotten-before-their-files',
    file: 'writers/log-upkeep.ts',
    find: 'const expired = await expireTombstones(this.#log.snapshot!, expiry)',
    replacement:
      'const expired = new Map([...this.#log.snapshot!.tombstones].filter(([, { deletionTimestamp: t }]) => t! < expiry.nowMs - 3_600_000))',
    breaks: 'removed files are deleted when their retention has passed',
    byMonth: true,
  },
  {
    name: 'log-not-cleaned',
    file: 'writers/log-upkeep.ts',
    find: 'await cleanLog(store, tablePath, snapshot, nowMs, beforeEntries)',
    replacement: '',
    breaks: 'entries that nobody may ask for are deleted',
    byMonth: true,
  },
  {
    name: 'change-files-left-behind',
    file: 'writers/table/expire-files.ts',
    find: 'if (isNamed) files.add(action)',
    replacement: "if (isNamed && action.kind !== 'cdc') files.add(action)",
    breaks: 'change files go with the entries that name them',
    byMonth: true,
  },
  {
    name: 'nothing-is-merged',
    file: 'writers/merge/merge-plan.ts',
    find: 'return best?.paths ?? null',
    replacement: 'return null',
    breaks: 'small files join',
    byMonth: true,
  },
]
