import { expect, test } from 'vitest'
import { createLogger } from '../../../../src/io/logger.ts'

function written(log: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = []
  log(createLogger('debug', (line) => void lines.push(line), true))
  return lines.join('')
}

test('a person reads time, level, sentence and fields', () => {
  const line = written((logger) => logger.info({ table: 'public.t', rows: 3 }, 'merged small files'))
  expect(line).toMatch(/^\d\d:\d\d:\d\d info {2}merged small files {2}table=public\.t {2}rows=3\n$/)
})

test('what a table or a broker is called moves no cursor', () => {
  const line = written((logger) => logger.warn({ table: 'a\u001b[2Jb\nc' }, 'x'))
  expect(line).not.toContain('\u001b[2J')
  expect(line.trimEnd().split('\n')).toHaveLength(1)
})

test('a secret is blotted out here too', () => {
  const line = written((logger) => logger.error({ error: 'postgres://u:hunter2@db/x' }, 'no'))
  expect(line).not.toContain('hunter2')
})
