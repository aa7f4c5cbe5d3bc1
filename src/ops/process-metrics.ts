import { BoundedNames } from './bounded-names.ts'
import { MetricRegistry } from './metric-registry.ts'
import { type LabelNames, PipelineMetrics } from './pipeline-metrics.ts'

/** Series that belong to no pipeline and must be there, as 0, before anything happens. */
const AT_ZERO = [
  ['cdc_commit_conflicts_total', 'kind', ['rebase', 'redo', 'fenced']],
  ['cdc_ambiguous_commits_total', 'resolved', ['ours', 'theirs', 'no']],
  ['cdc_schema_changes_total', 'kind', ['columns-added', 'columns-widened']],
  ['cdc_s3_retries_total', 'code', ['E_STORE_BUSY', 'E_STORE_UNREACHABLE', 'E_STORE_EXPIRED']],
  ['cdc_merged_bytes_total', 'direction', ['read', 'written']],
] as const

/** All metrics of a process: its pipelines share the registry and the bound on labels. */
export class ProcessMetrics {
  readonly registry = new MetricRegistry()
  readonly #names: LabelNames = { tables: new BoundedNames(), topics: new BoundedNames() }

  constructor(version: string) {
    this.registry.set('cdc_build_info', { version }, 1)
    this.registry.add('cdc_fenced_total', {}, 0)
    for (const [name, label, values] of AT_ZERO) {
      for (const value of values) this.registry.add(name, { [label]: value }, 0)
    }
  }

  pipeline(pipeline: string, tables: readonly string[], startedMs: number): PipelineMetrics {
    return new PipelineMetrics(this.registry, { pipeline, tables, startedMs }, this.#names)
  }
}
