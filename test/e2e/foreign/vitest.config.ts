import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, '../../..'),
    include: ['test/e2e/foreign/*.e2e.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    // Spark on a machine that does other things too.
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
})
