import type { TableLogPorts } from '../../writers/table-log.ts'
import { openPorts } from '../engine.ts'
import { commandLogger } from './command-logger.ts'
import type { CliContext } from './context.ts'
import type { OpenLake } from './lake-options.ts'

/** What a command needs that commits to a table of the lake: warnings go to stderr. */
export function openTablePorts(lake: OpenLake, { stderr, environment }: CliContext): Promise<TableLogPorts> {
  return openPorts(lake.config, commandLogger({ stderr }), environment('ALLUVIUM_FAILPOINT'))
}
