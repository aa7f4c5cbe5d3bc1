/** What a part of `make sim` came to, for whoever started it (`run-parts.ts`). */
export interface PartSummaries {
  readonly seeds: {
    readonly from: number
    readonly count: number
    readonly commits: number
    readonly cpuSeconds: number
    readonly failed: readonly number[]
  }
  readonly loop: {
    readonly runs: number
    readonly sitesHit: number
    readonly sites: number
    /** That left another lake than the clean run. */
    readonly failed: number
  }
  readonly month: {
    readonly days: number
    readonly versions: number
    readonly cpuSeconds: number
    /** What was above its ceiling. */
    readonly failed: readonly string[]
  }
  readonly mutants: { readonly planted: number; readonly missed: readonly string[] }
}

export type PartName = keyof PartSummaries

/** Goes nowhere when the part was started by hand. */
export function tellSummary<Name extends PartName>(name: Name, summary: PartSummaries[Name]): void {
  process.send?.({ [name]: summary })
}
