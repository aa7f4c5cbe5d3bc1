import type { S3Client } from '@aws-sdk/client-s3'
import { EngineError } from '../../core/errors.ts'
import { type Observe, unobserved } from '../../core/fact.ts'
import type { Clock, Random } from '../../core/ports.ts'
import { toStoreError } from './s3-error.ts'

/** A request and the reading of its answer, ended by the signal. */
export type S3Request<T> = (client: S3Client, abortSignal: AbortSignal) => Promise<T>

export interface S3ConnectionOptions {
  readonly client: S3Client
  readonly clock: Clock
  readonly random: Random
  readonly observe?: Observe
  /** Bound of one attempt, credentials and body included; the client has its own for silence. */
  readonly attemptMs?: number
}

const ATTEMPT_MS = 300_000
/** About six seconds in all; whoever calls has a longer breath and the loop for it. */
const ATTEMPTS_MAX = 6
const PAUSE_MS = 100
const PAUSE_MS_MAX = 5000

/** Sends requests: the one place that decides which of them are sent again, and when. The SDK itself never does. */
export class S3Connection {
  readonly #client: S3Client
  readonly #clock: Clock
  readonly #random: Random
  readonly #attemptMs: number
  readonly #observe: Observe

  constructor({ client, clock, random, observe = unobserved, attemptMs = ATTEMPT_MS }: S3ConnectionOptions) {
    this.#client = client
    this.#clock = clock
    this.#random = random
    this.#attemptMs = attemptMs
    this.#observe = observe
  }

  /**
   * Makes one attempt and no other.
   *
   * @param doing the beginning of the sentence that tells of its failure: `cannot write s3://lake/a.parquet`
   * @throws EngineError; with `retry` what was sent may have arrived all the same
   */
  async once<T>(doing: string, request: S3Request<T>): Promise<T> {
    const abortSignal = AbortSignal.timeout(this.#attemptMs)
    try {
      return await Promise.race([request(this.#client, abortSignal), expiryOf(abortSignal)])
    } catch (error) {
      const told = toStoreError(error, doing)
      if (told instanceof EngineError && told.remedy === 'retry') {
        this.#observe({ kind: 'store-retry', code: told.code })
      }
      if (told instanceof EngineError && told.code === 'E_STORE_EXPIRED') await this.#refreshCredentials()
      throw told
    }
  }

  /** The same for what may be done twice: repeated with growing pauses until it is answered or its attempts are used up. */
  async repeatedly<T>(doing: string, request: S3Request<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(doing, request)
      } catch (error) {
        const isBadDay = error instanceof EngineError && error.remedy === 'retry'
        if (!isBadDay || attempt === ATTEMPTS_MAX) throw error
        await this.pause(attempt)
      }
    }
  }

  /** Before attempt `attempt + 1`. Any length up to the ceiling, so that many clients do not come back at once. */
  async pause(attempt: number): Promise<void> {
    const ceiling = Math.min(PAUSE_MS * 2 ** attempt, PAUSE_MS_MAX)
    await this.#clock.sleep((ceiling * this.#random.bytes(1)[0]!) / 255)
  }

  async #refreshCredentials(): Promise<void> {
    try {
      await this.#client.config.credentials({ forceRefresh: true })
    } catch {
      // The next attempt meets the same obstacle and tells it.
    }
  }
}

/** Ends an attempt that does not heed its signal, such as a credential process that hangs. */
function expiryOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
