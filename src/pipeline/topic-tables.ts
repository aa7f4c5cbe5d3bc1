import { type TableId, tableName } from '../../schemas/change-event.ts'

/**
 * Whether a topic feeds a table: by the globs of `tables.<name>.topics`, or by default when the topic's name ends in
 * the table's (design §3.4). Debezium replaces characters that a topic cannot hold by `_`.
 */
export function feedsTable(topic: string, table: TableId, globs: readonly string[] | undefined): boolean {
  if (globs !== undefined) return globs.some((glob) => matchesGlob(topic, glob))
  const name = topicText(tableName(table))
  return topic === name || topic.endsWith(`.${name}`) || topic === topicText(table.table)
}

/** `schema.table` of the table that a topic feeds by default: the last two parts of its name. */
export function defaultTableName(topic: string): string {
  return topic.split('.').slice(-2).join('.')
}

/** `*` stands for any characters, `?` for one. */
export function matchesGlob(text: string, glob: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.')
  return new RegExp(`^${pattern}$`, 's').test(text)
}

function topicText(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_')
}
