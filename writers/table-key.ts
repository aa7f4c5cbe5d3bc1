import { EngineError } from '../core/errors.ts'
import type { ChangeEvent } from '../schemas/change-event.ts'

/** Key columns by name; `null`: the event has no key. */
export function keyNames(event: ChangeEvent): readonly string[] | null {
  return event.key?.columns.map((column) => column.name) ?? null
}

/**
 * @param key of the table
 * @throws EngineError `E_KEY_CHANGED` (stop-table): rows under another key would stand beside those they replace
 */
export function refuseOtherKeys(
  events: readonly ChangeEvent[],
  key: readonly string[] | null,
  table: string,
): void {
  let checked: unknown
  for (const event of events) {
    if (event.op === 't' || (event.key !== null && event.key.columns === checked)) continue
    refuseOtherKey(keyNames(event), key, table, event.at)
    checked = event.key?.columns
  }
}

/**
 * @param names the key that events have, or are to have by the contract
 * @param at the event, where there is one
 * @throws EngineError `E_KEY_CHANGED` (stop-table)
 */
export function refuseOtherKey(
  names: readonly string[] | null,
  key: readonly string[] | null,
  table: string,
  at?: ChangeEvent['at'],
): void {
  if (names?.join('\n') === key?.join('\n')) return
  throw new EngineError(
    'E_KEY_CHANGED',
    'stop-table',
    `the table's key is ${keyText(key)} and the ${at === undefined ? "contract's" : "topic's"} is now ` +
      `${keyText(names)}; name the key to keep in tables.${table}.key, or take the topic in anew into another lake`,
    { table, ...at },
  )
}

function keyText(key: readonly string[] | null): string {
  return key === null ? 'none' : `(${key.join(', ')})`
}
