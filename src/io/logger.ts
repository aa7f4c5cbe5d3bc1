import { pino } from 'pino'
import { EngineError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { redactSecrets } from '../config/secret.ts'
import { readableLine } from './readable-line.ts'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LEVELS)[number]

const OTHER_WORDS: Readonly<Record<string, LogLevel>> = {
  warning: 'warn',
  critical: 'fatal',
  off: 'silent',
  none: 'silent',
}

/** @throws EngineError `E_LOG_LEVEL` (usage) when the word is none of the levels */
export function parseLogLevel(word: string): LogLevel {
  const lower = word.trim().toLowerCase()
  const level = LEVELS.find((known) => known === lower) ?? OTHER_WORDS[lower]
  if (level !== undefined) return level
  throw new EngineError(
    'E_LOG_LEVEL',
    'usage',
    `${JSON.stringify(word)} is no log level; choose one of ${LEVELS.join(', ')}`,
  )
}

/**
 * One JSON object a line, or, for a person who looks on, one readable line. Whatever still looks like a secret when the
 * line is written is blotted out.
 */
export function createLogger(level: LogLevel, write: (line: string) => void, isForPerson = false): Logger {
  const shown = isForPerson ? readableLine : (line: string) => line
  return pino({ level, base: null }, { write: (line: string) => write(redactSecrets(shown(line))) })
}
