import type { LoopReport } from './loop.ts'

/** What a loop did, in a few lines. */
export function printLoop({ runs, sitesHit, sitesKnown, runsByMode, failures }: LoopReport): string {
  const modes = [...runsByMode].map(([mode, count]) => `${mode} ${count}`).join(', ')
  const share = ((100 * sitesHit.length) / sitesKnown).toFixed(0)
  const lines = [
    `loop: ${runs} runs (${modes})`,
    `loop: ${sitesHit.length} of ${sitesKnown} sites hit (${share} %), ${failures.length} runs that differ from the clean one`,
  ]
  for (const { fault, why } of failures) {
    lines.push(fault === null ? `  ${why}` : `  ${fault.site} #${fault.call} ${fault.mode}: ${why}`)
  }
  return lines.join('\n')
}
