import type { Config } from './config.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import { Secret } from './secret.ts'
import type { Path } from './yaml-tree.ts'

/** What is legal and yet unwise: `dev` warns of it, `prod` refuses it. */
export interface ProfileFault {
  readonly path: Path
  /** The end of a sentence that begins with the path. */
  readonly fault: string
}

/**
 * Secrets that stand in the file itself.
 *
 * @param config before the environment was laid over it
 * @param fromEnvironment paths of values that came out of variables, see `YamlTree`
 */
export function writtenSecrets(
  config: Config,
  fromEnvironment: ReadonlySet<string>,
): readonly ProfileFault[] {
  const found: ProfileFault[] = []
  const look = (
    path: Path,
    secret: Secret | null | undefined,
    variable: string,
    mayHold = (_: string) => true,
  ) => {
    if (secret == null || fromEnvironment.has(path.join('.')) || !mayHold(secret.reveal())) return
    found.push({ path, fault: `holds a password; write "\${${variable}}" and keep it in the environment` })
  }
  look(['dq', 'source'], config.dq.source, 'POSTGRES_CONNECTION_STRING', holdsPassword)
  look(['http', 'metricsToken'], config.http.metricsToken, 'METRICS_TOKEN')
  for (const [name, { postgres, connector }] of config.upstreams) {
    const at = ['pipelines', name]
    look([...at, 'postgres', 'connection'], postgres.connection, 'POSTGRES_CONNECTION_STRING', holdsPassword)
    look([...at, 'connector', 'password'], connector.login?.password, 'CONNECT_PASSWORD')
    for (const [property, value] of Object.entries(connector.config)) {
      if (value instanceof Secret) look([...at, 'connector', 'config', property], value, 'CONNECTOR_SECRET')
    }
  }
  return found
}

function holdsPassword(url: string): boolean {
  return /:\/\/[^\s/@]*:[^\s/@]+@|\bpassword=/.test(url)
}

/** What goes over a network in clear; to this machine itself it may. */
export function clearNetworks(config: Config): readonly ProfileFault[] {
  const upstreams = [...config.upstreams].flatMap(([name, { postgres, connector }]) => {
    const at = ['pipelines', name]
    return [
      ...databaseFaults([...at, 'postgres', 'connection'], postgres.connection),
      ...connector.urls.flatMap((url) => [
        ...httpFaults([...at, 'connector', 'url'], url, 'configuration goes'),
      ]),
    ]
  })
  const brokers = config.pipelines.flatMap(({ name, source }) =>
    source.kind === 'kafka'
      ? [...kafkaFaults(['pipelines', name, 'source', 'kafka', 'brokers'], source)]
      : [],
  )
  return [
    ...databaseFaults(['dq', 'source'], config.dq.source ?? null),
    ...httpFaults(['store', 'endpoint'], config.store.endpoint ?? '', 'data goes'),
    ...brokers,
    ...upstreams,
  ]
}

function* databaseFaults(path: Path, url: Secret | null): Generator<ProfileFault> {
  const text = url?.reveal() ?? ''
  if (!/\bsslmode=disable\b/.test(text) || isLocal(hostOf(text))) return
  yield {
    path,
    fault: 'says sslmode=disable, so data goes over the network in clear; use sslmode=verify-full',
  }
}

function* httpFaults(path: Path, url: string, what: string): Generator<ProfileFault> {
  if (!url.startsWith('http://') || isLocal(hostOf(url))) return
  yield { path, fault: `is http, so ${what} over the network in clear; use https` }
}

function* kafkaFaults(path: Path, { brokers, ssl }: KafkaSettings): Generator<ProfileFault> {
  const [far] = brokers.filter((broker) => !isLocal(broker.replace(/:\d+$/, '')))
  if (ssl !== null || far === undefined) return
  yield {
    path,
    fault: `speaks to ${far} without TLS, so data and logins go over the network in clear; set \`ssl: true\``,
  }
}

function hostOf(url: string): string {
  return /^[a-z+]+:\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^:/?]*)/i.exec(url)?.[1] ?? ''
}

function isLocal(host: string): boolean {
  return /^(?:localhost|127\.[\d.]+|\[?::1\]?|)$/.test(host)
}
