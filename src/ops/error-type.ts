/** The kinds that `cdc_errors_total` counts: closed, so that an alert can name them. */
export const ERROR_TYPES = ['source', 'decode', 'schema', 'store', 'commit', 'table', 'internal'] as const

export type ErrorType = (typeof ERROR_TYPES)[number]

const BY_PREFIX: readonly (readonly [RegExp, ErrorType])[] = [
  [/^E_(?:KAFKA|OFFSET_GAP|TOPIC|NO_TOPIC|RECORDING|NO_RECORDING|HISTORY|POSTGRES)/, 'source'],
  [/^E_DEAD_LETTER/, 'decode'],
  [/^E_(?:SCHEMA|WIDEN|COLUMN_NAME|PARTITION_COLUMN|KEY_CHANGED|MODE_CHANGED)/, 'schema'],
  [/^E_(?:STORE|DISK|TOO_MANY_FILES)/, 'store'],
  [/^E_(?:FENCED|COMMIT|LOG|RESTORED|CHECKPOINT)/, 'commit'],
  [/^E_(?:BUG|WORKER)/, 'internal'],
]

/** @param code of an `EngineError`; what is not known by its name concerns one table */
export function errorType(code: string): ErrorType {
  return BY_PREFIX.find(([prefix]) => prefix.test(code))?.[1] ?? 'table'
}
