import type { Mutant } from './mutant.ts'

/** The log: the one put that decides, races, checkpoints, cleanup. */
export const COMMIT_MUTANTS: readonly Mutant[] = [
  {
    name: 'own-412-taken-as-lost',
    file: 'writers/delta/commit.ts',
    find: "return commitIdOf(winner) === commitId ? committed : { kind: 'lost', version, winner }",
    replacement: "return { kind: 'lost', version, winner }",
    breaks: 'after a lost answer the entry that stands there may be our own',
    sites: ['log.put'],
  },
  {
    name: 'commit-id-not-compared',
    file: 'writers/delta/commit.ts',
    find: "return commitIdOf(winner) === commitId ? committed : { kind: 'lost', version, winner }",
    replacement: 'return committed',
    breaks: 'an entry at our version is a rival’s unless it has our commit id',
  },
  {
    name: 'conflict-409-taken-as-412',
    file: 'writers/delta/commit.ts',
    find: "if (found === null) return { kind: 'unknown', cause }",
    replacement: "if (found === null) return { kind: 'lost', version, winner: [] }",
    breaks: 'a put that failed is tried again as it was: it may still land',
    sites: ['log.put'],
  },
  {
    name: 'existing-entry-overwritten',
    file: 'writers/delta/commit.ts',
    find: "if ((await store.putIfAbsent('log.put', path, bytes)) === 'created') return committed",
    replacement: "await store.put('log.put', path, bytes)\n    return committed",
    breaks: 'a log entry is never overwritten',
  },
  {
    name: 'locator-not-rebuilt-after-foreign-commit',
    file: 'writers/table-log.ts',
    find: 'await onForeignChange(this.#snapshot!)',
    replacement: '',
    breaks: 'a locator is bound to a version, and follows it',
  },
  {
    name: 'staged-once-for-all-versions',
    file: 'writers/table-log.ts',
    find: 'actions = null\n        const loss',
    replacement: 'const loss',
    breaks: 'a commit that is planned anew has new actions',
  },
  {
    name: 'rows-that-come-and-go-leave-no-trace',
    file: 'writers/prepare-batch.ts',
    find: 'if (moves.offsets && plan.cameAndWent) return true',
    replacement: '',
    breaks: 'what comes to nothing is fenced off too: else half of it may come late, and stays',
  },
  {
    name: 'stale-last-checkpoint-trusted',
    file: 'writers/delta/load-snapshot.ts',
    find: 'const state = await fromCheckpoint(store, tablePath, listing, targetOf(listing, wanted))',
    replacement: 'const state = await fromCheckpoint(store, tablePath, listing, wanted ?? hint)',
    breaks: '_last_checkpoint is a hint: there are entries after it',
    sites: ['log.last-checkpoint.put'],
  },
  {
    name: 'checkpoint-without-txns',
    file: 'writers/delta/checkpoint.ts',
    find: 'if (!isExpired) yield txn',
    replacement: 'if (isExpired) yield txn',
    breaks: 'a checkpoint carries how far the table has come',
    sites: ['checkpoint.put'],
  },
  {
    name: 'checkpoint-without-vectors',
    file: 'writers/delta/checkpoint.ts',
    find: 'for (const add of files.values()) yield { ...add, dataChange: false }',
    replacement:
      'for (const add of files.values()) yield { ...add, dataChange: false, deletionVector: undefined }',
    breaks: 'a checkpoint carries the deletion vectors of its files',
    sites: ['checkpoint.put'],
  },
  {
    name: 'torn-checkpoint-trusted',
    file: 'writers/delta/checkpoint-read.ts',
    find: 'if (isDamage(error)) return null',
    replacement: 'if (isDamage(error)) return []',
    breaks: 'a torn checkpoint is passed over for an older one',
    sites: ['checkpoint.put'],
  },
  {
    name: 'log-cleaned-before-its-time',
    file: 'writers/delta/log-cleanup.ts',
    find: 'find(({ version }) => version <= newestExpired)',
    replacement: 'find(() => true)',
    breaks: 'entries that readers may still ask for stay',
    sites: ['log.last-checkpoint.get'],
  },
  {
    name: 'zombie-not-fenced',
    file: 'writers/table-log.ts',
    find: 'throw fencedError(this.tablePath, version, actions)',
    replacement: 'void fencedError(this.tablePath, version, actions)',
    also: {
      file: 'writers/topic-positions.ts',
      find: 'if (isMoved) throw',
      replacement: 'if (isMoved) void',
    },
    breaks: 'who is beaten by its own txn has a second writer, and must stop',
  },
  {
    name: 'winners-not-read',
    file: 'writers/table-log.ts',
    find: 'this.#snapshot = replay(this.#snapshot, version, actions)\n    }\n    return verdict',
    replacement:
      "this.#snapshot = replay(this.#snapshot, version, actions.filter(({ kind }) => kind !== 'remove'))\n    }\n    return verdict",
    breaks: 'what a winner removed is gone',
    seed: 43,
  },
  {
    name: 'foreign-rows-overlooked',
    file: 'writers/table-log.ts',
    find: `verdict = graver(verdict, loss)
      // Ours may stay right, but the locator knows rows in the files that went or that came in their place.
      if (prepared.ours.kind !== 'append' && actions.some(isFileAction)) verdict = graver(verdict, 'redo')`,
    replacement: "verdict = graver(verdict, loss === 'redo' ? 'rebase' : loss)",
    breaks: 'rows that a winner moved or removed are located anew',
  },
]
