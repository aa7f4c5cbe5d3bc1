import type { Request } from '../pipeline/request.ts'
import { RequestBox } from '../pipeline/request-box.ts'
import { type AskPorts, askProcesses } from './ask-processes.ts'
import type { FedTable } from './table-pipelines.ts'

/** Pauses of one table, one of each of its pipelines. */
export interface Pause {
  readonly box: RequestBox
  readonly request: Request
  readonly processes: number
}

export interface HoldOptions {
  /** After which the table goes on by itself, milliseconds. */
  readonly for: number
  /** How long to wait for processes that run and do not answer, milliseconds. */
  readonly wait: number
}

/**
 * Holds the commits of every process to a table. All of its pipelines pause, or none.
 *
 * @throws EngineError `E_NO_ANSWER` (stop) when a process that runs does not answer
 */
export async function holdTable(
  ports: AskPorts,
  { name, pipelines }: Pick<FedTable, 'name' | 'pipelines'>,
  options: HoldOptions,
  signal: AbortSignal,
): Promise<readonly Pause[]> {
  const pauses: Pause[] = []
  try {
    for (const pipeline of pipelines) {
      const ask = { kind: 'pause', table: name } as const
      const limits = { lifeMs: options.for, waitMs: options.wait, signal }
      const { request, answers } = await askProcesses(ports, pipeline, { ask, ...limits })
      pauses.push({ box: new RequestBox(ports, pipeline), request, processes: answers.length })
    }
    return pauses
  } catch (error) {
    for (const { box, request } of pauses) await box.clear(request)
    throw error
  }
}
