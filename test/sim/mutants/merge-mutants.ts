import type { Mutant } from './mutant.ts'

/** Files that are joined while the stream goes on. */
export const MERGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'position-map-off-by-one',
    file: 'writers/merge/stage-merge.ts',
    find: 'rows[startRow + i] = this.rowCount++',
    replacement: 'rows[startRow + i] = Math.max(0, this.rowCount++ - 1)',
    breaks: 'a row of a source is found at its place in the merged file',
    seed: 5,
  },
  {
    name: 'deleted-while-merged-comes-back',
    file: 'writers/merge/prepare-merge.ts',
    find: 'if (rows[row]! < 0) known++\n    else gone.add(rows[row]!)',
    replacement: 'if (rows[row]! < 0) known++',
    breaks: 'rows that were deleted while a merge ran are deleted in its file',
    seed: 5,
  },
  {
    name: 'vanished-source-comes-back',
    file: 'writers/merge/prepare-merge.ts',
    find: 'for (const row of source.rows) if (row >= 0) gone.add(row)\n',
    replacement: '',
    breaks: 'a source that is gone has taken its rows with it',
    seed: 5,
  },
  {
    name: 'locator-not-redirected',
    file: 'writers/merge/table-merger.ts',
    find: '() => redirect(staged, table.mode)',
    replacement: '() => {}',
    breaks: 'from the commit of a merge on, its rows are looked for in its file',
    seed: 1,
  },
  {
    name: 'redirect-ends-before-entries-are-moved',
    file: 'writers/locator/key-locator.ts',
    find: 'settleEntry(part.words, at, this.files)',
    replacement: 'if (at % 2 === 0) settleEntry(part.words, at, this.files)',
    breaks: 'places are told of until every entry of the locator has moved',
    seed: 118,
  },
  {
    name: 'merged-rows-counted-twice',
    file: 'writers/merge/stage-merge.ts',
    find: 'return encodeStatistics(rowCount, statistics',
    replacement: 'return encodeStatistics(2 * rowCount, statistics',
    breaks: 'a merged file says how many rows it holds',
    seed: 5,
  },
  {
    name: 'merge-keeps-a-source',
    file: 'writers/merge/prepare-merge.ts',
    find: 'removed.map((file) => removeOf(file, nowMs, false))',
    replacement: 'removed.slice(1).map((file) => removeOf(file, nowMs, false))',
    breaks: 'rows of a merged file are in no other',
    seed: 5,
  },
  {
    name: 'merge-is-a-data-change',
    file: 'writers/merge/stage-merge.ts',
    find: 'dataChange: false,',
    replacement: 'dataChange: true,',
    breaks: 'a merge changes no row, and readers of the feed hear nothing of it',
    seed: 5,
  },
]
