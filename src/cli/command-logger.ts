import type { Logger } from '../../core/ports.ts'
import { createLogger } from '../io/logger.ts'
import type { Terminal } from './terminal.ts'

/** What a command that ends by itself has to complain of: lines for whoever looks on, JSON for a file or a pipe. */
export function commandLogger({ stderr }: { readonly stderr: Terminal }): Logger {
  return createLogger('warn', (line) => stderr.write(line), stderr.isInteractive)
}
