import { EngineError } from '../../core/errors.ts'
import { type StructType, struct } from '../../schemas/delta-types.ts'

/**
 * The named columns of a table, in the order of the names.
 *
 * @throws EngineError `E_NO_COLUMN` (usage) when the table has no such column
 */
export function selectColumns(schema: StructType, names: readonly string[]): StructType {
  return struct(
    names.map((name) => {
      const found = schema.fields.find((field) => field.name === name)
      if (found !== undefined) return found
      throw new EngineError(
        'E_NO_COLUMN',
        'usage',
        `the table has no column ${name}; it has ${schema.fields.map((field) => field.name).join(', ')}`,
      )
    }),
  )
}
