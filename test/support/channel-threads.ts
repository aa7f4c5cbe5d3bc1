import { MessageChannel } from 'node:worker_threads'
import type { ChangeSource } from '../../core/ports.ts'
import { serveWork } from '../../src/io/served-work.ts'
import type { WorkThread } from '../../src/io/work-thread.ts'
import { WorkerPool } from '../../src/io/worker-pool.ts'
import type { OpenWork, PipelineOptions } from '../../src/pipeline/pipeline.ts'
import { TopicWorker } from '../../src/pipeline/topic-worker.ts'
import { type PipelineRules, topicTies } from '../../src/pipeline-options.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'

/** Work that is asked for by messages as of threads, and done in this one: all that goes in or out is cloned. */
export class ChannelThreads {
  readonly #threads: WorkThread[] = []

  openWork(
    count: number,
    ports: TableLogPorts,
    source: ChangeSource,
    options: PipelineOptions,
    rules: PipelineRules,
  ): OpenWork {
    return (writeLetters) => {
      const threads = Array.from({ length: count }, () =>
        channelThread(({ writeLetters: write, logger, observe }) => {
          return new TopicWorker({ ...ports, logger, observe }, options, write, 1 << 27)
        }),
      )
      this.#threads.push(...threads)
      return new WorkerPool({
        threads,
        tiesOf: (topic) => topicTies(topic, rules),
        partitions: () => source.partitions(),
        writeLetters,
        logger: ports.logger,
        observe: ports.observe,
      })
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()))
  }
}

function channelThread(
  open: (host: Parameters<Parameters<typeof serveWork>[1]>[0]) => TopicWorker,
): WorkThread {
  const { port1, port2 } = new MessageChannel()
  serveWork(port2, async (host) => open(host))
  return { channel: port1, whenBroken() {}, close: async () => port1.close() }
}
