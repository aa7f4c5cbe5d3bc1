import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** One run of one world: the servers are started by run.sh. A step that fails ends it. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, '../../..'),
    include: ['test/e2e/live/*.e2e.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
