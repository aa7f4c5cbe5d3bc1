import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import { kafkajs } from '../../../../src/io/kafka-client.ts'
import { toKafkaError } from '../../../../src/io/kafka-error.ts'

const { KafkaJSConnectionError, KafkaJSError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } = kafkajs
const named = (name: string) => Object.assign(new Error('no'), { name })
const typed = (type: string) => new KafkaJSProtocolError(Object.assign(new Error('no'), { type, code: 1 }))
const retried = (error: Error) => new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 5, retryTime: 1 })

describe('an error of the Kafka client', () => {
  test.each([
    [new KafkaJSConnectionError('connect ECONNREFUSED', { broker: 'b:1' }), 'E_KAFKA_UNREACHABLE', 'retry'],
    [retried(new KafkaJSConnectionError('Connection timeout')), 'E_KAFKA_UNREACHABLE', 'retry'],
    [new KafkaJSConnectionError('self-signed certificate'), 'E_KAFKA_TLS', 'stop'],
    [retried(new KafkaJSConnectionError('unable to verify the first certificate')), 'E_KAFKA_TLS', 'stop'],
    [named('KafkaJSSASLAuthenticationError'), 'E_KAFKA_LOGIN', 'stop'],
    [typed('TOPIC_AUTHORIZATION_FAILED'), 'E_KAFKA_DENIED', 'stop'],
    [retried(typed('GROUP_AUTHORIZATION_FAILED')), 'E_KAFKA_DENIED', 'stop'],
    [named('KafkaJSNotImplemented'), 'E_KAFKA_FAILED', 'stop'],
    [new KafkaJSError('of some kind', { retriable: true }), 'E_KAFKA_UNREACHABLE', 'retry'],
    ['not even an error', 'E_KAFKA_FAILED', 'stop'],
  ])('%s is %s (%s)', (error, code, remedy) => {
    expect(toKafkaError(error, 'cannot read')).toMatchObject({ code, remedy })
  })

  test('tells what was tried, what came of it and what to do', () => {
    const { message } = toKafkaError(typed('TOPIC_AUTHORIZATION_FAILED'), 'cannot list the topics')
    expect(message).toMatch(/^cannot list the topics: no; .*allow READ and DESCRIBE/)
  })

  test('shows no secret, and one of ours stays what it is', () => {
    const { message } = toKafkaError(new Error('login password=abc failed'), 'x')
    expect(message).not.toContain('abc')
    const ours = new EngineError('E_X', 'stop', 'x')
    expect(toKafkaError(ours, 'y')).toBe(ours)
    expect(toKafkaError(retried(new Error('x', { cause: ours })), 'y')).toBe(ours)
  })
})
