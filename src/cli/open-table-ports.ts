import type { TableLogPorts } from '../../writers/table-log.ts'
import { openPorts } from '../engine.ts'
import { createLogger } from '../io/logger.ts'
import type { CliContext } from './context.ts'
import type { OpenLake } from './lake-options.ts'

/** What a command needs that commits to a table of the lake: warnings go to stderr. */
export function openTablePorts(lake: OpenLake, { stderr, environment }: CliContext): Promise<TableLogPorts> {
  return openPorts(
    lake.config,
    createLogger('warn', (line) => stderr.write(line)),
    environment('ALLUVIUM_FAILPOINT'),
  )
}
