import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Certificates, makeCertificates } from './certificates.ts'

/** Doors of the broker that ask who is there. */
export interface SecuredListeners {
  readonly certificates: Certificates
  /** TLS; who comes need not say who it is. */
  readonly tls: string
  /** TLS, and who comes shows a certificate. */
  readonly mutualTls: string
  /** Passwords, over TLS. */
  readonly passwords: string
  /** Unsecured tokens (JWS with `alg: none`), over TLS. A connection ends with the token that it was made with. */
  readonly tokens: string
}

export const LOGIN = { username: 'alluvium', password: 'canary-password-of-nobody' }

const KAFKA_LOGIN = 'org.apache.kafka.common.security'

/**
 * Settings that add the listeners to a broker: a file for the rig.
 *
 * @param ports five free ones; the first is the broker's plain listener, the second its controller's
 */
export function securedListeners(directory: string, ports: readonly number[]) {
  const [plain, controller, ...rest] = ports
  const certificates = makeCertificates(directory)
  const names = ['TLS', 'MTLS', 'PASSWORDS', 'TOKENS']
  const doors = names.map((name, i) => `${name}://127.0.0.1:${rest[i]}`)
  const jaas = (listener: string, mechanism: string, module: string) =>
    `listener.name.${listener}.${mechanism.toLowerCase()}.sasl.jaas.config=${KAFKA_LOGIN}.${module};`
  const scram = 'scram.ScramLoginModule required'
  const lines = [
    `listeners=PLAINTEXT://127.0.0.1:${plain},CONTROLLER://127.0.0.1:${controller},${doors.join()}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${plain},CONTROLLER://127.0.0.1:${controller},${doors.join()}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,MTLS:SSL,PASSWORDS:SASL_SSL,TOKENS:SASL_SSL',
    'ssl.keystore.type=PEM',
    `ssl.keystore.location=${certificates.broker}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.location=${certificates.ca}`,
    'listener.name.mtls.ssl.client.auth=required',
    'listener.name.passwords.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    jaas('passwords', 'PLAIN', `plain.PlainLoginModule required user_${LOGIN.username}="${LOGIN.password}"`),
    jaas('passwords', 'SCRAM-SHA-256', scram),
    jaas('passwords', 'SCRAM-SHA-512', scram),
    'listener.name.tokens.sasl.enabled.mechanisms=OAUTHBEARER',
    jaas(
      'tokens',
      'OAUTHBEARER',
      'oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker"',
    ),
    'listener.name.tokens.oauthbearer.connections.max.reauth.ms=3600000',
  ]
  const settings = join(directory, 'secured-listeners.properties')
  writeFileSync(settings, `${lines.join('\n')}\n`)
  const [tls, mutualTls, passwords, tokens] = doors.map((door) => door.replace(/^.*:\/\//, ''))
  const listeners = { certificates, tls: tls!, mutualTls: mutualTls!, passwords: passwords!, tokens: tokens! }
  return { settings, listeners }
}

/** SCRAM users are not in a file: the broker keeps them. It takes one mechanism of a user at a time. */
export function addScramUser(broker: string): void {
  const { username, password } = LOGIN
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    const args = ['-Xmx128m', '-XX:+UseSerialGC', '-Drig.log.level=WARN', '-cp', resolve('.rig/kafka/*')]
    args.push(`-Dlog4j2.configurationFile=${resolve('test/e2e/rig/log4j2.properties')}`)
    args.push('kafka.admin.ConfigCommand', '--bootstrap-server', broker, '--alter', '--entity-type', 'users')
    args.push(
      '--entity-name',
      username,
      '--add-config',
      `${mechanism}=[iterations=4096,password=${password}]`,
    )
    execFileSync('java', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  }
}
