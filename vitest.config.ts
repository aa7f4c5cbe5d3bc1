import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    setupFiles: ['test/seed.ts'],
    globalSetup: ['test/postgres/shared-cluster.ts'],
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    testTimeout: 120_000,
  },
})
