import type { InitializeHook, ResolveHook } from 'node:module'

/** Addresses of a compiled file and of the one to load in its place. */
export interface Swap {
  readonly from: string
  readonly to: string
}

let swaps: readonly Swap[] = []

export const initialize: InitializeHook<readonly Swap[]> = (data) => {
  swaps = data
}

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const resolved = await nextResolve(specifier, context)
  const swap = swaps.find(({ from }) => from === resolved.url)
  return swap === undefined ? resolved : { ...resolved, url: swap.to }
}
