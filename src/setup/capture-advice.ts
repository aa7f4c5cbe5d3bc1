import { parseTableName, quoteName, quoteTable } from '../../schemas/postgres-name.ts'
import type { CaptureSettings } from '../config/upstream.ts'
import type { SourceFacts } from './source-facts.ts'

/** What a person should know or may want, and what is never done by itself. */
export function* captureAdvice(
  { readiness, publication, tables: facts }: SourceFacts,
  { heartbeat, ...settings }: CaptureSettings,
  tables: readonly string[] | '*',
): Generator<string> {
  if (readiness.slotKeepMegabytes < 0) {
    yield "a connector that stays away lets the log fill the disk: run ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf(); with what the disk can spare"
  }
  if (tables === '*') {
    yield 'the publication holds all tables: those of migration tools are kept out by the connector (table.exclude.list)'
    return
  }
  const wanted = new Set([...tables, heartbeat])
  for (const table of publication?.isForAllTables === true ? [] : (publication?.tables.keys() ?? [])) {
    if (wanted.has(table)) continue
    yield `${table} is in the publication and not in the configuration: to stop it, run ALTER PUBLICATION ${quoteName(settings.publication)} DROP TABLE ${quoteTable(parseTableName(table))};`
  }
  const plain = tables.filter((table) => facts.get(table)?.replicaIdentity === 'default')
  if (plain.length > 0) {
    yield `for a full change feed of ${plain.join(', ')}: ALTER TABLE … REPLICA IDENTITY FULL; the log then carries the whole old row of every update and delete`
  }
}
