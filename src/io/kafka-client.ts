import { createRequire } from 'node:module'
import { type AbortedTransaction, type FetchedMessage, withoutAborted } from './kafka-aborted-transactions.ts'
import { LZ4, SNAPPY, ZSTD } from './kafka-codecs.ts'

const require = createRequire(import.meta.url)

/**
 * kafkajs 2.2.4 hands out records of aborted transactions where several of them overlap (docs/adr/0007): its filter
 * takes the broker's list as sorted, and enters one transaction a record. Ours stands in its place; this has to happen
 * before the library is loaded, and is the only place that reaches into it.
 */
function replaceFilter(): void {
  const path = require.resolve('kafkajs/src/consumer/filterAbortedMessages.js')
  require(path)
  require.cache[path]!.exports = (fetch: {
    readonly messages: readonly FetchedMessage[]
    readonly abortedTransactions?: readonly AbortedTransaction[]
  }) => withoutAborted(fetch.messages, fetch.abortedTransactions)
}

replaceFilter()

/** The library, with what it lacks put in. Nothing else imports it for its code. */
export const kafkajs = require('kafkajs') as typeof import('kafkajs')

const { CompressionCodecs, CompressionTypes } = kafkajs
CompressionCodecs[CompressionTypes.Snappy] = () => SNAPPY
CompressionCodecs[CompressionTypes.LZ4] = () => LZ4
CompressionCodecs[CompressionTypes.ZSTD] = () => ZSTD
