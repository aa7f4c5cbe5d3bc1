import type { Fact, Observe } from '../../core/fact.ts'
import type { Logger, RawRecord } from '../../core/ports.ts'
import type { Letter, WriteLetters } from '../pipeline/letter-box.ts'
import { type PackedBatch, unpackBatch } from '../pipeline/record-arena.ts'
import type { TopicWork } from '../pipeline/topic-work.ts'
import { WorkTurns } from '../pipeline/work-turns.ts'
import { type Channel, MessageCalls } from './message-calls.ts'

/** What a thread that does the work on topics can be asked. */
export interface ServedWork extends Omit<TopicWork, 'take' | 'takeRange'> {
  take(batch: PackedBatch): Promise<void>
  takeRange(table: string, batch: PackedBatch): Promise<void>
}

/** What such a thread asks of the one that started it. */
export interface WorkHost {
  /** The table of letters has one writer, and it is there. */
  writeLetters(letters: readonly Letter[]): Promise<void>
  log(level: keyof Logger, fields: Record<string, unknown>, message: string): Promise<void>
  observe(facts: readonly Fact[]): Promise<void>
}

/** What the work needs of the thread that asks for it. */
export interface Host {
  readonly writeLetters: WriteLetters
  readonly logger: Logger
  readonly observe: Observe
}

/** Does work for another thread. */
export function serveWork(channel: Channel, open: (host: Host) => Promise<TopicWork>): void {
  const facts: Fact[] = []
  const tellFacts = () => {
    if (facts.length > 0) void host.call('observe', [facts.splice(0)])
  }
  const host: MessageCalls<WorkHost> = new MessageCalls<WorkHost>(
    channel,
    ours(() => opened, tellFacts),
  )
  const opened: Promise<Opened> = open({
    writeLetters: (letters) => host.call('writeLetters', [letters.map(detached)]),
    logger: loggerOf(host),
    observe: (fact) => void facts.push(fact),
  }).then((work) => ({ work, turns: new WorkTurns(work) }))
  // Whoever asks for anything is told.
  opened.catch(() => {})
}

interface Opened {
  readonly work: TopicWork
  readonly turns: WorkTurns
}

/** @param beforeAnswer what was done is known before anybody hears that it was done */
function ours(opened: () => Promise<Opened>, beforeAnswer: () => void): ServedWork {
  const serve =
    <Name extends keyof TopicWork>(name: Name) =>
    async (...args: Parameters<TopicWork[Name]>): Promise<unknown> => {
      const { work, turns } = await opened()
      const method = work[name] as (...args: unknown[]) => Promise<unknown>
      try {
        return await turns.call(name, () => method.apply(work, args))
      } finally {
        beforeAnswer()
      }
    }
  const take = serve('take')
  const takeRange = serve('takeRange')
  const names = [
    ...(['isWithin', 'start', 'tick', 'room', 'flushAll', 'giveUp', 'hold', 'resume', 'nextRange'] as const),
    ...([
      'watch',
      'give',
      'endRange',
      'followFormerOwners',
      'knowMark',
      'floors',
      'begun',
      'passed',
      'cutShort',
      'abandon',
      'report',
      'sample',
    ] as const),
  ]
  return {
    ...(Object.fromEntries(names.map((name) => [name, serve(name)])) as unknown as ServedWork),
    take: async (batch) => void (await take(unpackBatch(batch))),
    takeRange: async (table, batch) => void (await takeRange(table, unpackBatch(batch))),
  }
}

function loggerOf(host: MessageCalls<WorkHost>): Logger {
  const log = (level: keyof Logger) => (fields: Record<string, unknown>, message: string) =>
    void host.call('log', [level, fields, message])
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

/** A letter takes along its own bytes, not the whole batch that they lie in. */
function detached({ record, why }: Letter): Letter {
  const own = (bytes: Uint8Array | null) => (bytes === null ? null : Uint8Array.from(bytes))
  const headers: RawRecord['headers'] = record.headers.map(([name, value]) => [name, own(value)])
  return { record: { ...record, key: own(record.key), value: own(record.value), headers }, why }
}
