import { EngineError, messageOf } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'

/** An endpoint that has not answered by then does not. */
const ANSWER_MS = 10_000
/** Of a token whose time is not told; RFC 6749 only recommends to tell it. */
const LIFETIME_MS = 300_000
/** Of a token's time, after which the next one is asked for, */
const RENEW_SHARE = 2 / 3
/** and in any case so long before its end: a connection that gets a token which is nearly over logs in without end. */
const LEFT_MS_MIN = 15_000

export interface OAuthClient {
  readonly url: string
  readonly clientId: string
  /** Asked for at every request, so that a changed secret is taken up. */
  readonly clientSecret: () => Promise<string>
  readonly scope?: string
}

interface Token {
  readonly value: string
  readonly renewAtMs: number
  readonly expiresAtMs: number
}

/** Access tokens by OAuth 2 client credentials (RFC 6749 §4.4), each kept while it is good. */
export class OAuthTokens {
  readonly #client: OAuthClient
  readonly #clock: Clock
  #token: Token | null = null
  #asking: Promise<Token> | null = null

  constructor(client: OAuthClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /**
   * An endpoint that has a bad day is not missed while the last token is good.
   *
   * @throws EngineError `E_KAFKA_LOGIN` (stop) when the endpoint refuses us, `E_KAFKA_UNREACHABLE` (retry)
   */
  async current(): Promise<string> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#token !== null && nowMs < this.#token.renewAtMs) return this.#token.value
    try {
      this.#asking ??= this.#ask(nowMs)
      this.#token = await this.#asking
    } catch (error) {
      const isPassing = error instanceof EngineError && error.remedy === 'retry'
      if (!isPassing || this.#token === null || nowMs >= this.#token.expiresAtMs) throw error
    } finally {
      this.#asking = null
    }
    return this.#token.value
  }

  async #ask(nowMs: number): Promise<Token> {
    const { url } = this.#client
    const answer = await this.#post()
    if (answer.status >= 500 || answer.status === 429) throw unreachable(url, `it answers ${answer.status}`)
    const text = await answer.text()
    if (!answer.ok) throw refused(url, `it answers ${answer.status}${reasonIn(text)}`)
    const { access_token: value, expires_in: seconds } = parsed(text)
    if (typeof value !== 'string' || value === '') throw refused(url, 'its answer holds no `access_token`')
    const lifetimeMs = Number(seconds) > 0 ? Number(seconds) * 1000 : LIFETIME_MS
    const goodForMs = Math.min(lifetimeMs * RENEW_SHARE, lifetimeMs - LEFT_MS_MIN)
    return { value, renewAtMs: nowMs + goodForMs, expiresAtMs: nowMs + lifetimeMs }
  }

  async #post(): Promise<Response> {
    const { url, clientId, clientSecret, scope } = this.#client
    const form = { grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }
    const login = [clientId, await clientSecret()].map(encodeURIComponent).join(':')
    try {
      return await fetch(url, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS),
      })
    } catch (error) {
      throw unreachable(url, messageOf(error instanceof Error ? (error.cause ?? error) : error))
    }
  }
}

/** The body of an answer; what is not JSON holds nothing. */
function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** The code of RFC 6749 §5.2 alone: a description may repeat what was sent. */
function reasonIn(text: string): string {
  const { error } = parsed(text)
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : ''
}

function refused(url: string, why: string): EngineError {
  const cure = 'look at `sasl.tokenEndpoint`: its address, `clientId`, secret and `scope`'
  return new EngineError('E_KAFKA_LOGIN', 'stop', `${url} gives us no token: ${why}; ${cure}`)
}

function unreachable(url: string, why: string): EngineError {
  const cure = 'look at `sasl.tokenEndpoint` and at the network'
  return new EngineError('E_KAFKA_UNREACHABLE', 'retry', `${url} gives us no token: ${why}; ${cure}`)
}
