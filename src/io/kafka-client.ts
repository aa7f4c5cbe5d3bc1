import { createRequire } from 'node:module'
import type { Logger as KafkaLogger } from 'kafkajs'
import { type AbortedTransaction, type FetchedMessage, withoutAborted } from './kafka-aborted-transactions.ts'
import { LZ4, SNAPPY, ZSTD } from './kafka-codecs.ts'

const require = createRequire(import.meta.url)

/**
 * kafkajs 2.2.4 hands out records of aborted transactions where several of them overlap (docs/adr/0007): its filter
 * takes the broker's list as sorted, and enters one transaction a record. Ours stands in its place; this has to happen
 * before the library is loaded. Nothing but this file reaches into it.
 */
function replaceFilter(): void {
  const path = require.resolve('kafkajs/src/consumer/filterAbortedMessages.js')
  require(path)
  require.cache[path]!.exports = (fetch: {
    readonly messages: readonly FetchedMessage[]
    readonly abortedTransactions?: readonly AbortedTransaction[]
  }) => withoutAborted(fetch.messages, fetch.abortedTransactions)
}

/** The field of a log entry that says how long a broker told a connection to wait, milliseconds. */
export const THROTTLED_MS = 'throttledMs'

/** The library waits where a quota of a broker asks for it (KIP-219), and tells nobody; now its log does. */
function tellThrottling(): void {
  const queue = require('kafkajs/src/network/requestQueue/index.js') as {
    readonly prototype: {
      maybeThrottle(this: { readonly logger: KafkaLogger }, throttledMs: number | null): void
    }
  }
  const wait = queue.prototype.maybeThrottle
  queue.prototype.maybeThrottle = function (throttledMs) {
    if (throttledMs !== null && throttledMs > 0)
      this.logger.info('throttled', { [THROTTLED_MS]: throttledMs })
    wait.call(this, throttledMs)
  }
}

replaceFilter()
tellThrottling()

/** The library, with what it lacks put in. Nothing else imports it for its code. */
export const kafkajs = require('kafkajs') as typeof import('kafkajs')

const { CompressionCodecs, CompressionTypes } = kafkajs
CompressionCodecs[CompressionTypes.Snappy] = () => SNAPPY
CompressionCodecs[CompressionTypes.LZ4] = () => LZ4
CompressionCodecs[CompressionTypes.ZSTD] = () => ZSTD
