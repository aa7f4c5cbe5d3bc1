import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Two processes, each of which starts Spark once for all of its files: a core each on the smallest machine that this is run on. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, '../..'),
    include: ['test/e2e/*.e2e.ts'],
    pool: 'forks',
    maxWorkers: 2,
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
})
