import type { TableConfig } from '../../src/config/config.ts'
import { DeadLetters } from '../../src/pipeline/dead-letters.ts'
import { judgeLetters, type StayingLetter } from '../../src/pipeline/letter-replay.ts'
import { readDeadLetters } from '../../src/pipeline/read-dead-letters.ts'
import { pipelineOptions } from '../../src/pipeline-options.ts'
import { KeyHasher } from '../../writers/locator/key-encoding.ts'
import { addTally, emptyTally, type Tally } from '../../writers/tally.ts'
import type { MemoryStore } from './memory-store.ts'
import { MemoryChangeSource, type MemoryTopics } from './memory-topics.ts'
import { configOf } from './pipeline-world.ts'
import { testPorts } from './test-ports.ts'

/** Replays all dead letters of a lake that no process writes, as `alluvium dlq replay` does it. */
export async function replayAll(
  store: MemoryStore,
  topics: MemoryTopics,
  tables: Readonly<Record<string, Partial<TableConfig>>>,
): Promise<{ readonly letters: number; readonly tally: Tally; readonly stay: readonly StayingLetter[] }> {
  const ports = testPorts(store)
  const rules = pipelineOptions(configOf({ tables }))
  const letters = await readDeadLetters(store, {}, 1000)
  const judged = judgeLetters(letters, rules, new KeyHasher(ports.random))
  const source = new MemoryChangeSource(topics, { batchRecords: 3 })
  const deadLetters = await DeadLetters.open(ports, rules.name)
  const { tombstones, control } = judged
  const tally = { ...emptyTally(), tombstones: tombstones.length, control: control.length }
  await deadLetters.markReplayed([...tombstones, ...control], ports.clock.nowMs())
  const stay = [...judged.stay]
  for (const replay of judged.tables) {
    await replay.look(source)
    addTally(tally, await replay.give(ports, rules))
    stay.push(...replay.stay)
    await deadLetters.markReplayed(replay.letters, ports.clock.nowMs())
  }
  await deadLetters.settle()
  return { letters: letters.length, tally, stay }
}
