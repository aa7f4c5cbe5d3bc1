import { EngineError, messageOf } from '../../core/errors.ts'
import { type ConnectorProperties, connectorProperty } from '../config/connector-property.ts'
import { withoutComments } from '../config/json-with-comments.ts'

export interface ConnectorFile {
  readonly name: string
  readonly properties: ConnectorProperties
}

/**
 * Reads a connector as `POST /connectors` takes it, `{"name", "config": {…}}`, or its configuration alone with a `name`
 * in it. Comments may stand between.
 *
 * @throws EngineError `E_CONNECTOR` (usage)
 */
export function parseConnectorFile(text: string, file: string): ConnectorFile {
  const given = parse(text, file)
  const { name, config = given } = given
  if (typeof name !== 'string' || name === '') throw unfit(file, 'it has no `name`')
  if (!isRecord(config)) throw unfit(file, 'its `config` is no object')
  if (typeof config['connector.class'] !== 'string') throw unfit(file, 'it has no `connector.class`')
  const nested = Object.entries(config).find(([, value]) => typeof value === 'object')
  if (nested !== undefined) throw unfit(file, `\`${nested[0]}\` is no plain value`)
  const entries = Object.entries(config).filter(([key]) => key !== 'name')
  return {
    name,
    properties: Object.fromEntries(
      entries.map(([key, value]) => [key, connectorProperty(key, String(value))]),
    ),
  }
}

function parse(text: string, file: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(withoutComments(text))
    if (isRecord(parsed)) return parsed
  } catch (error) {
    // Where it breaks, without what stands there: that may be a password.
    throw unfit(file, `it is no JSON (${/position \d+/.exec(messageOf(error))?.[0] ?? 'cut off'})`)
  }
  throw unfit(file, 'it is no object')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unfit(file: string, why: string): EngineError {
  return new EngineError(
    'E_CONNECTOR',
    'usage',
    `${file} cannot be a connector: ${why}; expected {"name": …, "config": {"connector.class": …}}`,
  )
}
