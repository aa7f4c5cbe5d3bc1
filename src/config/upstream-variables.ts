import { EngineError } from '../../core/errors.ts'
import type { Environment } from './environment.ts'
import { splitList } from './schema-forms.ts'
import type { CaptureSettings, Upstream } from './upstream.ts'
import { qualified } from './upstream-settings.ts'

/**
 * Lays `POSTGRES_CDC_PUBLICATION`, `_SLOT`, `_SCHEMA` and `_TABLES` (with commas, or `*`) or `_TABLES_JSON` over what a
 * file says of its database.
 *
 * @throws EngineError `E_CONFIG` naming the variable whose value cannot be used
 */
export function withUpstreamVariables({ postgres, connector }: Upstream, read: Environment): Upstream {
  const schema = read('POSTGRES_CDC_SCHEMA') ?? postgres.schema
  return {
    connector,
    postgres: {
      ...postgres,
      schema,
      publication: slotNamed('POSTGRES_CDC_PUBLICATION', read) ?? postgres.publication,
      slot: slotNamed('POSTGRES_CDC_SLOT', read) ?? postgres.slot,
      tables: tablesNamed(schema, read) ?? postgres.tables,
    },
  }
}

function slotNamed(name: string, read: Environment): string | undefined {
  const value = read(name)
  if (value === undefined || /^[a-z0-9_]{1,63}$/.test(value)) return value
  throw unfit(name, 'must be lower-case letters, digits and "_", at most 63 of them')
}

function tablesNamed(schema: string, read: Environment): CaptureSettings['tables'] | undefined {
  const name = read('POSTGRES_CDC_TABLES') === undefined ? 'POSTGRES_CDC_TABLES_JSON' : 'POSTGRES_CDC_TABLES'
  const text = read(name)
  if (text === undefined) return undefined
  const listed = splitList(text)
  if (!Array.isArray(listed) || !listed.every((table) => typeof table === 'string' && table !== '')) {
    throw unfit(name, 'must list tables: a,b or ["a","b"], or * for all')
  }
  return qualified(listed.includes('*') ? '*' : listed, schema)
}

function unfit(name: string, fault: string): EngineError {
  return new EngineError('E_CONFIG', 'stop', `the variable ${name} ${fault}`)
}
