import type { Reader } from '../../../schemas/contract.ts'
import { contractFor, type TableSettings } from '../../config/config.ts'
import type { SourceFacts } from '../source-facts.ts'
import type { LakeTableFact } from './chain-facts.ts'
import { type Found, findingsOf } from './finding.ts'

const { broken, risk } = findingsOf('tables')

/** What a reader refuses to read, as measured. */
const REFUSED: Readonly<Record<Reader, readonly string[]>> = {
  spark: [],
  'delta-rs': ['vacuumProtocolCheck'],
  polars: ['v2Checkpoint', 'vacuumProtocolCheck'],
  duckdb: ['vacuumProtocolCheck'],
  trino: ['vacuumProtocolCheck'],
}

/** Whether the tables can be read, by us and by those who were named. */
export function* checkTables(
  tables: readonly LakeTableFact[],
  settings: TableSettings,
  source: SourceFacts | null,
): Found {
  for (const table of tables) {
    const { name, path, problem, readerFeatures, isPaused, key, incomplete } = table
    if (problem !== null) {
      yield broken(
        'table-damaged',
        `${path}: ${problem.message}`,
        `see ${problem.code} in docs/guide/errors.md`,
      )
      continue
    }
    if (isPaused) {
      yield risk(
        'table-paused',
        `commits to ${name} are held`,
        `run \`alluvium table resume ${name}\` when whoever asked for it is done`,
      )
    }
    if (incomplete.length > 0) {
      yield risk(
        'incomplete-columns',
        `older rows of ${name} lack ${incomplete.join(', ')}, which the source has for them`,
        `let the connector take a new snapshot of ${name} (execute-snapshot, a signal of Debezium)`,
      )
    }
    const contract = contractFor(settings, name)
    for (const reader of contract.readers) {
      const refused = readerFeatures.filter((feature) => REFUSED[reader].includes(feature))
      if (refused.length === 0) continue
      yield broken(
        'reader-refuses',
        `${reader} cannot read ${name}: the table needs ${refused.join(', ')}`,
        `take ${reader} out of \`tables.${name}.readers\`, or make the table anew without it`,
      )
    }
    const keyOfSource = source?.tables.get(name)?.key ?? null
    if (
      contract.key === undefined &&
      keyOfSource !== null &&
      key.length > 0 &&
      !sameNames(key, keyOfSource)
    ) {
      yield broken(
        'key-changed',
        `rows of ${name} are told apart by ${key.join(', ')} here and by ${keyOfSource.join(', ')} in the source`,
        `name the key in \`tables.${name}.key\`, or take the topic in anew`,
      )
    }
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name))
}
