import { expect, test } from 'vitest'
import { Secret } from '../../../../src/config/secret.ts'
import { createLogger, parseLogLevel } from '../../../../src/io/logger.ts'

test('writes one JSON object a line, from the level on, without secrets', () => {
  const lines: string[] = []
  const logger = createLogger('info', (line) => lines.push(line))
  logger.debug({}, 'not this')
  logger.info({ table: 'public.orders', version: 5n, source: new Secret('canary') }, 'committed')
  logger.error({ err: new Error('postgres://u:canary@h/db refused') }, 'cannot connect')
  expect(lines).toHaveLength(2)
  expect(lines.join('')).not.toContain('canary')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 30, table: 'public.orders', version: 5, source: '[redacted]', msg: 'committed' },
    { level: 50, msg: 'cannot connect' },
  ])
})

test('takes the words that other tools use for levels', () => {
  expect(['INFO', 'Warning', 'critical', 'debug'].map(parseLogLevel)).toEqual([
    'info',
    'warn',
    'fatal',
    'debug',
  ])
  expect(() => parseLogLevel('loud')).toThrow(
    expect.objectContaining({ code: 'E_LOG_LEVEL', remedy: 'usage' }),
  )
})
