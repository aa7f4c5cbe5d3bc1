import type { StoreFacts } from './chain-facts.ts'
import { type Found, findingsOf } from './finding.ts'

const { broken } = findingsOf('store')

const ACTIONS: Readonly<Record<string, string>> = {
  get: 's3:GetObject',
  put: 's3:PutObject',
  list: 's3:ListBucket',
  delete: 's3:DeleteObject',
}

/** Whether the store lets us work, and keeps two writers apart. */
export function* checkStore({ conditionalPut, refused }: StoreFacts, location: string): Found {
  for (const right of refused) {
    yield broken(
      'store-rights',
      `${location} refuses to ${right}`,
      `allow ${ACTIONS[right]} to the login of this process, or give it write permission on the directory`,
    )
  }
  if (conditionalPut !== null) {
    yield broken(
      'conditional-put',
      conditionalPut.message,
      'use a store, or a release of it, that honours If-None-Match',
    )
  }
}
