import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** One process and one file at a time: Spark starts once for all of them, and the machine may be small. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, '../..'),
    include: ['test/e2e/*.e2e.ts'],
    pool: 'forks',
    maxWorkers: 1,
    isolate: false,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
})
