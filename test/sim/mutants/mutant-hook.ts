import type { InitializeHook, ResolveHook } from 'node:module'

/** Addresses of a compiled file and of the one to load in its place. */
export interface Swap {
  readonly from: string
  readonly to: string
}

let swap: Swap

export const initialize: InitializeHook<Swap> = (data) => {
  swap = data
}

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const resolved = await nextResolve(specifier, context)
  return resolved.url === swap.from ? { ...resolved, url: swap.to } : resolved
}
