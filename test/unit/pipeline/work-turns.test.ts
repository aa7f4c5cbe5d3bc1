import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { WorkTurns } from '../../../src/pipeline/work-turns.ts'

/** A house that is full until it is opened; what is done in it is noted. */
function house(isFull = false) {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const done: string[] = []
  const turns = new WorkTurns({ room: () => (isFull ? opened : Promise.resolve()) })
  const act = async (name: string, work: Promise<unknown> = turn()): Promise<void> => {
    done.push(`${name} begins`)
    await work
    done.push(`${name} ends`)
  }
  return { turns, done, act, open }
}

test('what nobody waited for comes in the order in which it was asked for', async () => {
  const { turns, done, act } = house()
  void turns.call('take', () => act('first'))
  void turns.call('take', () => act('second'))
  void turns.call('giveUp', () => act('third'))
  await turns.call('tick', () => act('fourth'))
  expect(done).toEqual(
    ['first', 'second', 'third', 'fourth'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  )
})

test('the mark does not wait for records, and records do not wait for the end of a flush', async () => {
  const { turns, done, act, open } = house(true)
  void turns.call('tick', () => act('tick'))
  void turns.call('flushAll', () => act('flush', new Promise(() => {})))
  await turns.call('passed', () => act('mark'))
  await turns.call('cutShort', () => act('cut'))
  expect(done).toEqual([
    'mark begins',
    'tick begins',
    'mark ends',
    'tick ends',
    'flush begins',
    'cut begins',
    'cut ends',
  ])
  open()
})

test('a full house holds records back until there is room, and ticks behind them', async () => {
  const { turns, done, act, open } = house(true)
  void turns.call('take', () => act('take'))
  const tick = turns.call('tick', () => act('tick'))
  await turn()
  expect(done).toEqual([])
  open()
  await tick
  expect(done.at(-1)).toBe('tick ends')
})

test('partitions that go do not wait for a full house', async () => {
  const { turns, done, act } = house(true)
  void turns.call('take', () => act('take'))
  void turns.call('take', () => act('another'))
  await turn()
  await turns.call('giveUp', () => act('go'))
  expect(done.at(-1)).toBe('go ends')
  void turns.call('take', () => act('late'))
  await turn()
  expect(done).not.toContain('late begins')
})

test('what stands behind a failure fails with it, and is never begun', async () => {
  const { turns, done, act } = house()
  const failed = turns.call('take', () => Promise.reject(new TypeError('no')))
  const later = turns.call('take', () => act('later'))
  await expect(failed).rejects.toThrow('no')
  await expect(later).rejects.toThrow('no')
  await turns.call('abandon', () => act('end'))
  expect(done).toEqual(['end begins', 'end ends'])
})

test('what was abandoned begins nothing more', async () => {
  const { turns, done, act } = house()
  void turns.call('take', () => act('first'))
  void turns.call('take', () => act('second'))
  await turn()
  await turns.call('abandon', () => act('end'))
  await turn()
  await turn()
  expect(done).not.toContain('second begins')
})
