import type { PipelineSample } from '../../src/pipeline/pipeline.ts'
import type { TableSample, WorkSample } from '../../src/pipeline/work-sample.ts'
import { emptyTally } from '../../writers/tally.ts'

export function tableSample(name: string, parts: Partial<TableSample> = {}): TableSample {
  return {
    name,
    state: 'streaming',
    stopped: null,
    version: 3,
    growth: {
      ...{ files: 4, smallFiles: 3, sizeBytes: 40_000, storedRows: 200, deletedRows: 50 },
      ...{ vectorBytes: 120, tombstones: 9 },
    },
    logBytes: 5000,
    pendingEvents: 0,
    pendingSinceMs: null,
    durableMs: 1000,
    parked: 0,
    letters: new Map(),
    ...parts,
  }
}

export function pipelineSample(
  parts: Partial<Omit<PipelineSample, 'work'>> & { work?: Partial<WorkSample> } = {},
): PipelineSample {
  const { work, ...rest } = parts
  return {
    phase: 'running',
    stillMs: 100,
    ...rest,
    work: {
      records: 0,
      tally: emptyTally(),
      tables: [],
      partitions: [{ topic: 'shop.public.t', partition: 0, nextOffset: 10n }],
      heldBytes: 0,
      heartbeatMs: null,
      ...work,
    },
  }
}
