import type { SourceTableName } from '../core/ports.ts'

/** A name as SQL has it; nothing in it can end it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as SQL has it. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export function quoteTable({ schema, table }: SourceTableName): string {
  return `${quoteName(schema)}.${quoteName(table)}`
}

/** `schema.table` as a person writes it; without a schema it is `public`. The first dot parts them. */
export function parseTableName(name: string): SourceTableName {
  const dot = name.indexOf('.')
  return dot < 0
    ? { schema: 'public', table: name }
    : { schema: name.slice(0, dot), table: name.slice(dot + 1) }
}
