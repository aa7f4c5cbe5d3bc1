import { EngineError, messageOf } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'
import { type ConnectorProperties, revealed } from '../config/connector-property.ts'
import { redactSecrets, type Secret } from '../config/secret.ts'
import type { AskHttp, HttpAnswer, HttpQuestion } from './http-port.ts'

/** What Connect says of a connector. */
export interface ConnectorStatus {
  readonly name: string
  /** `RUNNING` says that it was started, and not that it streams. */
  readonly state: string
  readonly worker: string
  /** Why it failed, as far as it is not a task that did. */
  readonly trace: string | null
  readonly tasks: readonly ConnectorTask[]
}

export interface ConnectorTask {
  readonly id: number
  readonly state: string
  readonly worker: string
  readonly trace: string | null
}

export interface ConnectAddress {
  /** Of its workers; the first that answers is asked. */
  readonly urls: readonly string[]
  readonly login: { readonly username: string; readonly password: Secret } | null
}

type Method = HttpQuestion['method']

/** Connect's workers agree anew who does what when one comes or goes; it refuses changes meanwhile. */
const REBALANCE_MS_MAX = 60_000
const PAUSE_MS = 1000
const CONFLICT = 409

/**
 * Kafka Connect over its REST interface. Methods reject with `E_CONNECT_UNREACHABLE` when no worker answers,
 * `E_CONNECT_LOGIN`, `E_NO_CONNECTOR` (usage), and `E_CONNECT_FAILED` with what Connect said.
 */
export class ConnectClient {
  readonly #address: ConnectAddress
  readonly #ask: AskHttp
  readonly #clock: Clock

  /** @throws EngineError `E_NO_CONNECT` (usage) when no address is named */
  constructor(address: ConnectAddress, ask: AskHttp, clock: Clock) {
    if (address.urls.length === 0) {
      throw new EngineError(
        'E_NO_CONNECT',
        'usage',
        'no Kafka Connect is named: give its address as `connector.url` of the pipeline, or with --url',
      )
    }
    this.#address = address
    this.#ask = ask
    this.#clock = clock
  }

  get location(): string {
    return this.#address.urls.join(', ')
  }

  async names(): Promise<readonly string[]> {
    return (await this.#json('GET', '/connectors')) as readonly string[]
  }

  async status(name: string): Promise<ConnectorStatus> {
    const found = (await this.#json('GET', `${path(name)}/status`)) as StatusAnswer
    const { state, worker_id: worker, trace } = found.connector
    const tasks = found.tasks.map((task) => ({
      id: task.id,
      state: task.state,
      worker: task.worker_id,
      trace: readable(task.trace),
    }))
    return { name: found.name, state, worker, trace: readable(trace), tasks }
  }

  /** @returns `null` when there is no such connector */
  async config(name: string): Promise<Readonly<Record<string, string>> | null> {
    const answer = await this.#answer('GET', `${path(name)}/config`)
    return answer.status === 404 ? null : (parse(this.#whole(answer, name)) as Record<string, string>)
  }

  /** What Connect and the connector itself find wrong with a configuration: `property: fault`. */
  async faults(name: string, properties: ConnectorProperties): Promise<readonly string[]> {
    const config = { ...revealed(properties), name }
    const type = String(properties['connector.class']).split('.').at(-1)!
    const found = (await this.#json(
      'PUT',
      `/connector-plugins/${encodeURIComponent(type)}/config/validate`,
      config,
    )) as ValidationAnswer
    return found.configs.flatMap(({ value }) =>
      value.errors.map((fault) => redactSecrets(`${value.name}: ${fault}`)),
    )
  }

  /** Creates it, or changes it; the same configuration once more changes nothing. */
  async put(name: string, properties: ConnectorProperties): Promise<'created' | 'changed' | 'same'> {
    const config = { ...revealed(properties), name }
    const present = await this.config(name)
    if (present !== null && sameConfig(present, config)) return 'same'
    await this.#json('PUT', `${path(name)}/config`, config)
    return present === null ? 'created' : 'changed'
  }

  async pause(name: string): Promise<void> {
    await this.#json('PUT', `${path(name)}/pause`)
  }

  async resume(name: string): Promise<void> {
    await this.#json('PUT', `${path(name)}/resume`)
  }

  /** Its tasks too, those that failed and those that did not. */
  async restart(name: string): Promise<void> {
    await this.#json('POST', `${path(name)}/restart?includeTasks=true&onlyFailed=false`)
  }

  async delete(name: string): Promise<void> {
    await this.#json('DELETE', path(name))
  }

  async #json(method: Method, at: string, body?: unknown): Promise<unknown> {
    const answer = await this.#answer(method, at, body)
    return parse(this.#whole(answer, decodeURIComponent(/^\/connectors\/([^/?]+)/.exec(at)?.[1] ?? '')))
  }

  /** The text of an answer that says yes. */
  #whole({ status, text }: HttpAnswer, name: string): string {
    if (status < 300) return text
    const said = redactSecrets(saidIn(text))
    if (status === 401 || status === 403) {
      throw new EngineError(
        'E_CONNECT_LOGIN',
        'stop',
        `Connect at ${this.location} does not accept the login: look at \`connector.username\` and \`connector.password\``,
      )
    }
    if (status === 404 && name !== '') {
      throw new EngineError(
        'E_NO_CONNECTOR',
        'usage',
        `Connect at ${this.location} has no connector ${name}; \`alluvium connector list\` shows those it has`,
      )
    }
    throw new EngineError(
      'E_CONNECT_FAILED',
      'stop',
      `Connect at ${this.location} refuses (${status}): ${said}`,
    )
  }

  async #answer(method: Method, at: string, body?: unknown): Promise<HttpAnswer> {
    const endMs = this.#clock.monotonicMs() + REBALANCE_MS_MAX
    for (;;) {
      const answer = await this.#first({ method, body, url: at })
      if (answer.status !== CONFLICT || this.#clock.monotonicMs() >= endMs) return answer
      await this.#clock.sleep(PAUSE_MS)
    }
  }

  /** Of the first worker that answers. */
  async #first(question: HttpQuestion): Promise<HttpAnswer> {
    const { urls, login } = this.#address
    const authorization =
      login === null
        ? {}
        : {
            authorization: `Basic ${Buffer.from(`${login.username}:${login.password.reveal()}`).toString('base64')}`,
          }
    let cause: unknown
    for (const url of urls) {
      try {
        return await this.#ask({ ...question, ...authorization, url: url.replace(/\/$/, '') + question.url })
      } catch (error) {
        cause = error
      }
    }
    const why =
      cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause)
    throw new EngineError(
      'E_CONNECT_UNREACHABLE',
      'retry',
      `no answer from Connect at ${this.location} (${redactSecrets(why)}): is it started, and is \`connector.url\` its REST address?`,
      {},
      cause,
    )
  }
}

interface StatusAnswer {
  readonly name: string
  readonly connector: { readonly state: string; readonly worker_id: string; readonly trace?: string }
  readonly tasks: readonly {
    readonly id: number
    readonly state: string
    readonly worker_id: string
    readonly trace?: string
  }[]
}

interface ValidationAnswer {
  readonly configs: readonly {
    readonly value: { readonly name: string; readonly errors: readonly string[] }
  }[]
}

function path(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`
}

function readable(trace: string | undefined): string | null {
  return trace === undefined ? null : redactSecrets(trace.trimEnd())
}

function parse(text: string): unknown {
  if (text.trim() === '') return null
  try {
    return JSON.parse(text)
  } catch {
    throw new EngineError(
      'E_CONNECT_FAILED',
      'stop',
      'what answers is no Kafka Connect: it sends no JSON; look at `connector.url`',
    )
  }
}

function saidIn(text: string): string {
  try {
    return String((JSON.parse(text) as { readonly message?: unknown }).message ?? text)
  } catch {
    return text.slice(0, 200)
  }
}

function sameConfig(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
