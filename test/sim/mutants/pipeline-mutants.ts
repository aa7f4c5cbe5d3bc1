import type { Mutant } from './mutant.ts'

/** The loop: offsets, marks, letters, partitions that come and go. */
export const PIPELINE_MUTANTS: readonly Mutant[] = [
  {
    name: 'ack-before-commit',
    file: 'src/pipeline/partition-progress.ts',
    find: 'if (owner.isBehind && passed.nextOffset < least.nextOffset) least = passed',
    replacement: 'if (owner.stopped !== null && passed.nextOffset < least.nextOffset) least = passed',
    breaks: 'mark and group offset are never ahead of a table that buffers',
  },
  {
    name: 'duplicates-not-dropped',
    file: 'writers/table-writer.ts',
    find: 'return next !== null && at.offset < next',
    replacement: 'return next === null && at.offset < 0n',
    breaks: 'a record below the txn of its table is in it already',
  },
  {
    name: 'duplicate-test-off-by-one',
    file: 'writers/table-writer.ts',
    find: 'return next !== null && at.offset < next',
    replacement: 'return next !== null && at.offset <= next',
    breaks: 'txn is the next offset to read, not the last one read (>= for >)',
  },
  {
    name: 'txn-one-too-low',
    file: 'writers/table-progress.ts',
    find: 'put(name, nextOffset)\n',
    replacement: 'put(name, nextOffset > 0n ? nextOffset - 1n : 0n)\n',
    breaks: 'txn is the next offset to read, not the last one read',
  },
  {
    name: 'txn-one-too-high',
    file: 'writers/table-progress.ts',
    find: 'put(name, nextOffset)\n',
    replacement: 'put(name, nextOffset + 1n)\n',
    breaks: 'txn is the next offset to read, not one after it',
  },
  {
    name: 'marks-not-restored-after-restart',
    file: 'writers/table-writer.ts',
    find: 'writer.#marks = marks',
    replacement: '',
    breaks: 'which positions were applied is known after a restart too',
  },
  {
    name: 'offsets-of-quiet-partitions-forgotten',
    file: 'src/pipeline/table-owner.ts',
    find: 'const positions = [...new Set([...this.partitions, ...this.starts.keys()])].map(',
    replacement: 'const positions = [...new Set([...this.partitions, ...this.starts.keys()])].slice(-1).map(',
    breaks: 'a commit moves the offsets of all partitions whose records it holds',
  },
  {
    name: 'mark-ahead-of-a-commit-in-flight',
    file: 'src/pipeline/table-owner.ts',
    find: 'return !this.takesStream || this.hasWork || this.isFlushing',
    replacement: 'return !this.takesStream || this.hasWork',
    breaks: 'the mark is never ahead of a commit that is under way',
  },
  {
    name: 'first-letter-of-a-batch-lost',
    file: 'src/pipeline/letter-box.ts',
    find: 'await this.#write(letters)\n',
    replacement: 'await this.#write(letters.slice(1))\n',
    breaks: 'every record that cannot be read is kept',
  },
]
