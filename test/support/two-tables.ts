import { setImmediate as turn } from 'node:timers/promises'
import { MemoryTopics } from './memory-topics.ts'

/** The topic of the second table. */
export const SLOW = { topic: 'shop.public.slow' }

/** As many rows for each of two tables. */
export function twoTables(count: number): MemoryTopics {
  const topics = new MemoryTopics()
  for (let id = 0; id < count; id++) {
    topics.row('c', { id })
    topics.row('c', { id }, SLOW)
  }
  return topics
}

/** Gives way so often that whatever can go on has gone on. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}
