import { Secret } from './secret.ts'

/** A property of a connector; secrets stay hidden until they are sent. */
export type ConnectorProperty = string | Secret

export type ConnectorProperties = Readonly<Record<string, ConnectorProperty>>

const SECRET_NAME =
  /password|passphrase|secret|token|credential|jaas|private|connection\.string|(?:api|access|account|license)[._-]?key/i

/** Connect looks such a value up itself, and shows only the reference: `${env:NAME}`. */
const REFERENCE = /^\$\{[^{}]+\}$/

/** What a person wrote as a property; a value whose name says that it is a secret becomes one, unless it is a reference. */
export function connectorProperty(name: string, value: string): ConnectorProperty {
  return SECRET_NAME.test(name) && !REFERENCE.test(value) ? new Secret(value) : value
}

/** As they are sent to Connect, secrets in clear. */
export function revealed(properties: ConnectorProperties): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name,
      value instanceof Secret ? value.reveal() : value,
    ]),
  )
}
