import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../core/errors.ts'
import { OwnSign, runningProcesses } from '../../../src/pipeline/process-sign.ts'
import type { Ask } from '../../../src/pipeline/request.ts'
import { RequestBox } from '../../../src/pipeline/request-box.ts'
import { type Honours, RequestDesk } from '../../../src/pipeline/request-desk.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { type HandClock, testPorts } from '../../support/test-ports.ts'

const HOUR_MS = 3_600_000
const LOOK_EVERY_MS = 5000
const PAUSE: Ask = { kind: 'pause', table: 's.t' }
const RESUME: Ask = { kind: 'resume', table: 's.t', acceptGap: true }

function world() {
  const store = new MemoryStore()
  const ports = testPorts(store)
  const clock = ports.clock as HandClock
  const held: (readonly string[])[] = []
  const asked: Ask[] = []
  let outcome: 'done' | 'not-mine' = 'done'
  const honours: Honours = {
    hold: async (tables) => void held.push(tables),
    honour: async (ask) => {
      asked.push(ask)
      return { outcome, message: 'as you wish' }
    },
  }
  const desk = () => new RequestDesk(ports, 'p', honours)
  const answerWith = (next: 'done' | 'not-mine') => {
    outcome = next
  }
  return { store, ports, clock, held, asked, desk, answerWith, box: new RequestBox(ports, 'p') }
}

async function looksAgain(clock: HandClock, desk: RequestDesk) {
  clock.now += LOOK_EVERY_MS
  await desk.lookWhenDue()
}

describe('a request', () => {
  test('is an object of the public format', async () => {
    const { store, clock, box } = world()
    const request = await box.leave(RESUME, HOUR_MS)
    const [path] = store.objects.keys()
    expect(path).toMatch(/^_alluvium\/p\/requests\/1700000000000-[0-9a-f]{8}\.json$/)
    expect(JSON.parse(Buffer.from(store.objects.get(path!)!.bytes).toString())).toEqual({
      format: 1,
      createdMs: clock.now,
      expiresMs: clock.now + HOUR_MS,
      ask: { kind: 'resume', table: 's.t', acceptGap: true },
    })
    expect(await box.list()).toEqual([request])
  })

  test('never replaces another one', async () => {
    const { store, box } = world()
    const put = store.putIfAbsent.bind(store)
    let tries = 0
    store.putIfAbsent = async (site, path, bytes) => (tries++ === 0 ? 'exists' : put(site, path, bytes))
    await box.leave(RESUME, HOUR_MS)
    expect(tries).toBe(2)
    expect(await box.list()).toHaveLength(1)
  })

  test('that is done once is answered and taken away', async () => {
    const { clock, asked, desk, box } = world()
    const request = await box.leave(RESUME, HOUR_MS)
    const one = desk()
    await one.open()
    await looksAgain(clock, one)
    expect(asked).toEqual([RESUME])
    expect(await box.list()).toEqual([])
    expect(await box.answers(request)).toMatchObject([{ outcome: 'done', message: 'as you wish' }])
  })

  test('of a table that is not here stays for the process that has it', async () => {
    const { clock, asked, desk, answerWith, box } = world()
    const request = await box.leave(RESUME, HOUR_MS)
    answerWith('not-mine')
    const one = desk()
    await one.open()
    await one.lookWhenDue()
    await looksAgain(clock, one)
    expect(asked).toEqual([RESUME, RESUME])
    answerWith('done')
    await desk().look()
    expect((await box.answers(request)).map(({ outcome }) => outcome).sort()).toEqual(['done', 'not-mine'])
    expect(await box.list()).toEqual([])
  })

  test('that nobody can read is refused, not obeyed', async () => {
    const { store, clock, asked, held, desk, box } = world()
    const id = `${clock.now}-00000000`
    const unknown = {
      format: 1,
      createdMs: clock.now,
      expiresMs: clock.now + HOUR_MS,
      ask: { kind: 'dance' },
    }
    store.seed(`_alluvium/p/requests/${id}.json`, JSON.stringify(unknown))
    store.seed(`_alluvium/p/requests/${clock.now}-00000001.json`, '{')
    store.seed('_alluvium/p/requests/notes.txt', 'not ours')
    await desk().look()
    expect({ asked, held }).toEqual({ asked: [], held: [] })
    const [request] = await box.list()
    expect(await box.answers(request!)).toMatchObject([{ outcome: 'refused' }])
  })

  test('is forgotten with its answers after a week', async () => {
    const { store, clock, desk, box, answerWith } = world()
    answerWith('not-mine')
    await box.leave(RESUME, 30 * 24 * HOUR_MS)
    await desk().look()
    expect([...store.objects.keys()].filter((path) => path.includes('/requests/'))).toHaveLength(2)
    clock.now += 7 * 24 * HOUR_MS + 1
    await desk().open()
    expect([...store.objects.keys()].filter((path) => path.includes('/requests/'))).toEqual([])
  })
})

describe('a pause', () => {
  test('holds while its request lies there, and is answered when it holds', async () => {
    const { clock, held, desk, box } = world()
    const one = desk()
    await one.open()
    const request = await box.leave(PAUSE, HOUR_MS)
    await looksAgain(clock, one)
    expect(held).toEqual([['s.t']])
    expect(await box.answers(request)).toMatchObject([{ outcome: 'done' }])
    await looksAgain(clock, one)
    expect(held).toHaveLength(1)
    await box.clear(request)
    await looksAgain(clock, one)
    expect(held).toEqual([['s.t'], []])
  })

  test('holds for a process that starts while it lasts', async () => {
    const { held, desk, box } = world()
    await box.leave(PAUSE, HOUR_MS)
    await desk().open()
    expect(held).toEqual([['s.t']])
  })

  test('ends by itself at its time limit', async () => {
    const { clock, held, desk, box } = world()
    await box.leave(PAUSE, HOUR_MS)
    const one = desk()
    await one.open()
    clock.now += HOUR_MS
    await one.lookWhenDue()
    expect(held).toEqual([['s.t'], []])
    expect(await box.list()).toEqual([])
  })

  test('goes on holding while the store has a bad day', async () => {
    const { store, clock, held, desk, box } = world()
    await box.leave(PAUSE, HOUR_MS)
    const one = desk()
    await one.open()
    store.before = () => {
      throw new EngineError('E_STORE_BUSY', 'retry', 'busy')
    }
    await looksAgain(clock, one)
    expect(held).toEqual([['s.t']])
  })
})

describe('the desk of a running process', () => {
  test('looks once in five seconds, with one listing', async () => {
    const { store, clock, desk } = world()
    const one = desk()
    await one.open()
    store.calls.length = 0
    for (let second = 0; second < 20; second++) {
      clock.now += 1000
      await one.lookWhenDue()
    }
    expect(store.calls.filter((call) => call.startsWith('request.'))).toEqual(
      Array(4).fill('request.list _alluvium/p/requests/'),
    )
  })
})

describe('the sign of a process', () => {
  test('tells for 90 seconds that it runs, and is taken away at its end', async () => {
    const { store, ports, clock } = world()
    const sign = new OwnSign(store, clock, 'p', ports.random.uuid())
    await sign.showWhenDue()
    const running = () => runningProcesses(store, clock, 'p')
    const first = { process: sign.process, startedMs: clock.now, seenMs: clock.now }
    clock.now += 90_000
    expect(await running()).toEqual([first])
    clock.now += 1
    expect(await running()).toEqual([])
    await sign.showWhenDue()
    expect(await running()).toEqual([{ ...first, seenMs: clock.now }])
    await sign.takeAway()
    expect(store.objects.size).toBe(0)
  })

  test('is written anew every 30 seconds', async () => {
    const { store, clock } = world()
    const sign = new OwnSign(store, clock, 'p', 'a')
    for (let second = 0; second < 90; second++) {
      await sign.showWhenDue()
      clock.now += 1000
    }
    expect(store.calls).toHaveLength(3)
  })

  test('of a process that was killed is swept', async () => {
    const { store, clock } = world()
    await new OwnSign(store, clock, 'p', 'a').showWhenDue()
    store.seed('_alluvium/p/processes/b.json', '{')
    clock.now += 600_001
    expect(await runningProcesses(store, clock, 'p')).toEqual([])
    expect(store.objects.size).toBe(0)
  })
})
