import { EngineError } from '../../core/errors.ts'
import type { ChangeSource } from '../../core/ports.ts'
import type { WithTaker } from '../../dq/repair.ts'
import type { TableId } from '../../schemas/change-event.ts'
import { allDeferred, type MomentRowsTaker } from '../../writers/moment-rows.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { readSourceIdentity } from '../../writers/table-properties.ts'
import { TableWriter } from '../../writers/table-writer.ts'
import type { PipelineConfig } from '../config/config.ts'
import { momentIdOf } from '../pipeline/moment-rows-shelf.ts'
import { runningProcesses } from '../pipeline/process-sign.ts'
import { requestName } from '../pipeline/request.ts'
import { feedsTable } from '../pipeline/topic-tables.ts'
import type { PipelineOptions } from '../pipeline/topic-work.ts'
import { pipelineOptions } from '../pipeline-options.ts'
import { AskedOwner, type AskedOwnerOptions } from './asked-owner.ts'
import { holdTable } from './hold-table.ts'
import { pipelinesIn } from './table-pipelines.ts'

/** For so long a table is held when no process runs its pipeline; should this one die, it goes on by itself. */
const HELD_MS = 60 * 60_000
/** Rows are given no later than so long before that. */
const MARGIN_MS = 5 * 60_000

export interface GivenTable {
  /** `schema.table`. */
  readonly name: string
  readonly source: TableId
}

/**
 * Does work that brings rows to a table, through whoever owns it: a process that runs the pipeline, or this one when none
 * does, with the table held so that none begins to write it meanwhile.
 *
 * @param topics of the pipeline
 * @throws EngineError `E_NO_ANSWER` (stop) and what the work throws
 */
export async function withMomentRowsTaker<T>(
  ports: TableLogPorts,
  rules: PipelineOptions,
  topics: ChangeSource,
  table: GivenTable,
  options: AskedOwnerOptions,
  work: (taker: MomentRowsTaker) => Promise<T>,
): Promise<T> {
  const { name: pipeline } = rules
  const askOwner = () => work(new AskedOwner(ports, { ...table, pipeline }, options))
  if ((await runningProcesses(ports.store, ports.clock, pipeline)).length > 0) return askOwner()
  const limits = { for: HELD_MS, wait: options.waitMs }
  const pauses = await holdTable(ports, { name: table.name, pipelines: [pipeline] }, limits, options.signal)
  try {
    // One that began in between is asked: it was told of the pause, which ends now.
    if (pauses.every(({ processes }) => processes === 0)) {
      return await withOwnTable(ports, rules, topics, table, work)
    }
  } finally {
    for (const { box, request } of pauses) await box.clear(request)
  }
  return askOwner()
}

/**
 * Who takes rows of each table of a pipeline, for a proof that repairs.
 *
 * @throws EngineError `E_NO_OWNER` (stop) for a table that several pipelines feed: no one knows what all of them do
 */
export function takersOf(
  ports: TableLogPorts,
  pipeline: PipelineConfig,
  topics: ChangeSource,
  options: AskedOwnerOptions,
): WithTaker {
  return async ({ name, path }, work) => {
    const { snapshot } = (await DeltaTable.open(ports.store, path))!
    const feeding = pipelinesIn(snapshot)
    if (feeding.some((each) => each !== pipeline.name)) throw fedByOthers(name, feeding)
    const source = readSourceIdentity(snapshot.metadata.configuration)!
    return withMomentRowsTaker(ports, pipelineOptions(pipeline), topics, { name, source }, options, work)
  }
}

function fedByOthers(name: string, pipelines: readonly string[]): EngineError {
  const message = `rows of ${name} are not written beside its stream: several pipelines feed it (${pipelines.join(', ')})`
  return new EngineError('E_NO_OWNER', 'stop', message)
}

/** The table in this process, as its owner would have it. */
async function withOwnTable<T>(
  ports: TableLogPorts,
  { name: pipeline, contractFor, pathOf }: PipelineOptions,
  topics: ChangeSource,
  { name, source }: GivenTable,
  work: (taker: MomentRowsTaker) => Promise<T>,
): Promise<T> {
  const contract = contractFor(name)
  const options = { pipeline, table: source, contract, path: pathOf(source), isOrdered: true }
  const writer = await TableWriter.open(ports, options)
  const endMs = ports.clock.monotonicMs() + HELD_MS - MARGIN_MS
  const give: MomentRowsTaker['give'] = async (rows) => {
    const given = { ...rows, id: momentIdOf(requestName(ports.clock.nowMs(), ports.random)) }
    if (ports.clock.monotonicMs() > endMs) return allDeferred(given, writer.version, HELD_TOO_LONG)
    const partitions = await topics.partitions()
    return writer.give(
      given,
      partitions.filter(({ topic }) => feedsTable(topic, source, contract.topics)),
    )
  }
  try {
    return await work({ watch: () => writer.watch(), give })
  } finally {
    await writer.release()
  }
}

const HELD_TOO_LONG = 'the table could not be held long enough; do it again'
