import { EngineError } from '../../core/errors.ts'
import type { RawRecord } from '../../core/ports.ts'
import { type ChangeEvent, type TableId, tableName, type Undecodable } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { sourceIdentity } from '../../writers/table-properties.ts'

/**
 * A record tells of a table that its topic does not feed: it may be another process that writes this table (design
 * §3.4), so that neither writing it nor passing it would be right.
 */
export function fedFromElsewhere({ table, at }: ChangeEvent): EngineError {
  const name = tableName(table)
  return new EngineError(
    'E_TABLE_OF_ANOTHER_TOPIC',
    'stop-table',
    `a record tells of ${name}, and its topic is not one of that table's; if it should be, name it: ` +
      `tables.${name}.topics: [${JSON.stringify(at.topic)}, …]`,
    { table: name, topic: at.topic, partition: at.partition, offset: at.offset },
  )
}

/**
 * Two sources with tables of one name must not be mixed.
 *
 * @throws EngineError `E_TABLE_IDENTITY` (stop-table)
 */
export function refuseOtherSource(stored: TableId, arriving: TableId, name: string): void {
  if (arriving === stored || sourceIdentity(arriving) === sourceIdentity(stored)) return
  throw new EngineError(
    'E_TABLE_IDENTITY',
    'stop-table',
    `the table is the copy of ${sourceIdentity(stored)}, and a topic tells of ${sourceIdentity(arriving)}; ` +
      'give each source a lake of its own',
    { table: name },
  )
}

/** Without a key a row can only be known by all its values. @returns `null` when nothing is lacking */
export function lacksBeforeImage(event: ChangeEvent, contract: TableContract): Undecodable | null {
  const needsImage =
    event.key === null && (event.op === 'u' || event.op === 'd') && contract.mode === 'upsert'
  if (!needsImage || event.before !== null) return null
  return {
    kind: 'undecodable',
    reason: 'NO_BEFORE_IMAGE',
    message:
      'an update or delete of a table without a key carries no row before it; set REPLICA IDENTITY FULL at the source',
    table: event.table,
    at: event.at,
  }
}

/** Most of a table's records are dead letters: it is the topic, or our idea of it, that is wrong (design §3.7). */
export function storm(contract: TableContract, record: RawRecord): EngineError {
  return new EngineError(
    'E_DEAD_LETTER_STORM',
    'stop-table',
    `more than ${contract.deadLetters.maxShare * 100} % of the table's last records could not be read (alluvium dlq list says why); ` +
      'the rest stays in the topic. Set the types or the format right, or allow it with deadLetters: { maxShare: 1 }',
    { table: contract.name, topic: record.topic, partition: record.partition, offset: record.offset },
  )
}
