import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** One engine and one Prometheus for all files, one file at a time. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, '../../..'),
    include: ['test/e2e/ops/*.e2e.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
