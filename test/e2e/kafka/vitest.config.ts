import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** One broker for all files, one file at a time. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, '../../..'),
    include: ['test/e2e/kafka/*.e2e.ts'],
    globalSetup: ['test/e2e/kafka/broker-of-the-run.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
