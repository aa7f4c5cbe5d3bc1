import { COMMIT_MUTANTS } from './commit-mutants.ts'
import { FOLD_MUTANTS } from './fold-mutants.ts'
import { GROWTH_MUTANTS } from './growth-mutants.ts'
import { LOCATOR_MUTANTS } from './locator-mutants.ts'
import { MERGE_MUTANTS } from './merge-mutants.ts'
import type { Mutant } from './mutant.ts'
import { PIPELINE_MUTANTS } from './pipeline-mutants.ts'
import { TABLE_MUTANTS } from './table-mutants.ts'

/** Every planted bug. Each is found by some seed or by the loop, or our tests are blind to its like. */
export const MUTANTS: readonly Mutant[] = [
  ...PIPELINE_MUTANTS,
  ...FOLD_MUTANTS,
  ...TABLE_MUTANTS,
  ...COMMIT_MUTANTS,
  ...MERGE_MUTANTS,
  ...LOCATOR_MUTANTS,
  ...GROWTH_MUTANTS,
]
