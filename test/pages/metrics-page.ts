import { METRICS, type MetricDefinition } from '../../src/ops/metric-list.ts'

const HEAD = `# Metrics

What \`/metrics\` tells, beside what Node says of itself (\`process_…\`, \`nodejs_…\`). Names and labels stay. Made from \`src/ops/metric-list.ts\`.

| metric | kind | labels | what it is |
| --- | --- | --- | --- |
`

/** The guide's page of metrics. */
export function metricsPage(): string {
  const lines = Object.entries<MetricDefinition>(METRICS).map(([name, { kind, labels = [], help }]) => {
    const named = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${kind} | ${named} | ${help} |\n`
  })
  return HEAD + lines.join('')
}
