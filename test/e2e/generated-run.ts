import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ACCOUNT_COLUMNS } from '../support/account.ts'
import {
  GENERATED_TABLE,
  type GeneratedTopic,
  generateTopic,
  type TopicPlan,
} from '../support/generate-topic.ts'

/** A generated topic in a temporary directory, with a configuration that ingests it in batches of a given size. */
export interface GeneratedRun extends Disposable {
  readonly topic: GeneratedTopic
  readonly from: string
  readonly config: string
  /** A lake that does not exist yet, and the directory of the generated table in it. */
  readonly lake: (name: string) => { readonly lake: string; readonly table: string }
}

export function prepareGeneratedRun(plan: TopicPlan, batchRows: number): GeneratedRun {
  const directory = mkdtempSync(join(tmpdir(), 'alluvium-generated-'))
  const from = join(directory, 'topics')
  mkdirSync(from)
  const topic = generateTopic(from, plan)
  const config = join(directory, 'alluvium.yaml')
  writeFileSync(config, JSON.stringify(configFor(directory, plan, batchRows)))
  return {
    topic,
    from,
    config,
    lake: (name) => ({
      lake: join(directory, name),
      table: join(directory, name, ...GENERATED_TABLE.split('.')),
    }),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** As JSON, which is YAML too. */
function configFor(directory: string, plan: TopicPlan, batchRows: number): object {
  const table = { key: ['id'], columns: ACCOUNT_COLUMNS, replicaIdentity: plan.replicaIdentity }
  return {
    lake: join(directory, 'lake'),
    pipelines: {
      generated: {
        source: { files: join(directory, 'topics') },
        batch: { rows: batchRows },
        tables: { [GENERATED_TABLE]: table },
      },
    },
  }
}
