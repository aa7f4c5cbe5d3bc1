import type { TableFact } from './source-facts.ts'

/** Why nothing in the log would tell the rows of a table apart. */
export type IdentityFault = 'no-key' | 'deferrable-key' | 'identity-nothing'

/**
 * Once a table is published, Postgres refuses updates and deletes of rows that it cannot identify in its log.
 *
 * @returns `null` when it can
 */
export function identityFault({ replicaIdentity, key, isKeyDeferrable }: TableFact): IdentityFault | null {
  if (replicaIdentity === 'nothing') return 'identity-nothing'
  if (replicaIdentity !== 'default') return null
  if (key === null) return 'no-key'
  return isKeyDeferrable ? 'deferrable-key' : null
}
