import { EngineError } from '../../core/errors.ts'
import type { Config, PipelineConfig } from './config.ts'
import type { Secret } from './secret.ts'

/**
 * Where the database of a pipeline is.
 *
 * @throws EngineError `E_NO_SOURCE` (usage) when none is named
 */
export function sourceConnection({ dq, upstreams }: Config, pipeline: Pick<PipelineConfig, 'name'>): Secret {
  const connection = dq.source ?? upstreams.get(pipeline.name)?.postgres.connection ?? null
  if (connection !== null) return connection
  throw new EngineError(
    'E_NO_SOURCE',
    'usage',
    'no source database is named: set POSTGRES_CONNECTION_STRING, or `dq: { source: "${POSTGRES_CONNECTION_STRING}" }`',
  )
}
