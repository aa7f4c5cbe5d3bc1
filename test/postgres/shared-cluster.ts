import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { stopEmbeddedCluster } from './embedded-cluster.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the one cluster of this run lies, or will lie: the first test file that needs it starts it. */
    readonly postgresHome: string
  }
}

export default function setup(project: TestProject): () => void {
  const home = mkdtempSync(join(tmpdir(), 'alluvium-postgres-'))
  project.provide('postgresHome', home)
  return () => {
    if (existsSync(join(home, 'address'))) stopEmbeddedCluster(home)
    rmSync(home, { recursive: true, force: true })
  }
}
