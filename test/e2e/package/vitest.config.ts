import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** The package is built by run.sh. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, '../../..'),
    include: ['test/e2e/package/*.e2e.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    bail: 1,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
