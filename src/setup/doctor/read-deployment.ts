import type { Config, PipelineConfig } from '../../config/config.ts'
import type { KafkaSettings } from '../../config/kafka-settings.ts'
import type { DeploymentFacts } from './chain-facts.ts'

/** @returns whether everybody on this machine may read the file; `null`: there is none */
export type WhoMayRead = (path: string) => Promise<boolean | null>

/** How the process is set up. */
export async function readDeployment(
  config: Config,
  pipeline: PipelineConfig,
  whoMayRead: WhoMayRead,
): Promise<DeploymentFacts> {
  const { source } = pipeline
  const paths = source.kind === 'kafka' ? secretFilesOf(source) : []
  return {
    profile: config.profile,
    lake: config.lake.kind,
    storeIsEncrypted: config.store.encryption !== undefined,
    listensTo: config.http.listen.host,
    warnings: config.warnings,
    schedule: Object.keys(config.dq.schedule),
    secretFiles: await Promise.all(
      paths.map(async (path) => ({ path, isOpenToAll: await whoMayRead(path) })),
    ),
  }
}

function secretFilesOf({ ssl, sasl }: KafkaSettings): readonly string[] {
  const held =
    sasl === null
      ? null
      : sasl.mechanism !== 'oauthbearer'
        ? sasl.password
        : 'url' in sasl.token
          ? sasl.token.clientSecret
          : sasl.token
  return [
    ...(held !== null && 'file' in held ? [held.file] : []),
    ...(ssl?.key === undefined ? [] : [ssl.key]),
  ]
}
