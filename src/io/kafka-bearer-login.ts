import type { Mechanism } from 'kafkajs'
import { EngineError, messageOf } from '../../core/errors.ts'
import { kafkajs } from './kafka-client.ts'

/** ASCII SOH, between the parts of a message; alone, the answer to a refusal (RFC 7628 §3.1, §3.2.3). */
const SEPARATOR = '\u0001'

/**
 * SASL OAUTHBEARER (RFC 7628). kafkajs has it too, but takes a refusal for a welcome: the broker then closes the
 * connection, which looks like a network that comes and goes.
 *
 * @param provide the token; asked for at every login, also at those that prolong a connection
 */
export function bearerLogin(provide: () => Promise<string>): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({
      async authenticate() {
        const token = await askFor(provide)
        const message = `n,,${SEPARATOR}auth=Bearer ${token}${SEPARATOR}${SEPARATOR}`
        const refusal = await saslAuthenticate({ request: requestOf(message), response: TEXT })
        if (refusal === '') return
        // The broker tells what it thinks in the answer to this one.
        await saslAuthenticate({ request: requestOf(SEPARATOR) })
        throw new kafkajs.KafkaJSNonRetriableError(`the broker refuses the token: ${refusal}`)
      },
    }),
  }
}

/** The library tries again whatever does not say of itself that it is of no use. */
async function askFor(provide: () => Promise<string>): Promise<string> {
  try {
    return await provide()
  } catch (error) {
    const isPassing = error instanceof EngineError && error.remedy === 'retry'
    throw Object.assign(new Error(messageOf(error), { cause: error }), { retriable: isPassing })
  }
}

/** The library writes and reads bytes behind their length, 4 bytes, big endian. */
function requestOf(text: string) {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return { encode: () => Buffer.concat([length, bytes]) }
}

const TEXT = {
  decode: (raw: Buffer) => raw.subarray(4),
  parse: (bytes: Buffer) => bytes.toString(),
}
