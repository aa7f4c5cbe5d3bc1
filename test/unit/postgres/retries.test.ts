import { describe, expect, test } from 'vitest'
import type { PostgresConnection } from '../../../src/io/postgres-pool.ts'
import { PostgresConnectionManager, type PostgresPorts } from '../../../src/postgres/connection-manager.ts'
import { countedRandom, HandClock } from '../../support/test-ports.ts'

const SETTINGS = { host: 'db', user: 'u', password: 'hunter2', database: 'd', attempts: 4 }

/** A world in which connecting fails with these errors first. */
function world(failures: readonly object[]) {
  const left = [...failures]
  const pausesMs: number[] = []
  const clock = new HandClock()
  const sleep = clock.sleep.bind(clock)
  clock.sleep = (ms) => {
    pausesMs.push(ms)
    return sleep(ms)
  }
  const connection: PostgresConnection = {
    query: async () => [{ one: '1' }],
    release: () => {},
    async *copyOut() {},
  }
  const ports: PostgresPorts = {
    clock,
    random: countedRandom(),
    openPool: async () => ({
      connect: async () => {
        const failure = left.shift()
        if (failure !== undefined) throw failure
        return connection
      },
      close: async () => {},
    }),
  }
  return { ports, pausesMs, left }
}

const failed = (code: string, message = code) => Object.assign(new Error(message), { code })

describe('a connection that does not come about', () => {
  test('is tried again with growing pauses while the day is bad', async () => {
    const { ports, pausesMs } = world([failed('ECONNREFUSED'), failed('57P03'), failed('53300')])
    const manager = new PostgresConnectionManager(SETTINGS, ports)
    expect(await manager.query('test', 'select 1')).toEqual([{ one: '1' }])
    expect(pausesMs).toHaveLength(3)
    pausesMs.forEach((ms, i) => {
      expect(ms).toBeGreaterThanOrEqual(50 * 2 ** i)
      expect(ms).toBeLessThanOrEqual(100 * 2 ** i)
    })
  })

  test('is an error when the tries are used up', async () => {
    const { ports, pausesMs } = world(Array.from({ length: 9 }, () => failed('ECONNREFUSED')))
    const manager = new PostgresConnectionManager(SETTINGS, ports)
    const asked = manager.query('test', 'select 1')
    await expect(asked).rejects.toMatchObject({ code: 'E_POSTGRES_UNREACHABLE', remedy: 'retry' })
    expect(pausesMs).toHaveLength(3)
  })

  test.each([
    ['28P01', 'E_POSTGRES_LOGIN'],
    ['28000', 'E_POSTGRES_LOGIN'],
    ['3D000', 'E_POSTGRES_FAILED'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'E_POSTGRES_TLS'],
  ])('is not tried again after %s', async (code, expected) => {
    const { ports, pausesMs } = world([failed(code, code === '28P01' ? 'no' : 'certificate')])
    const manager = new PostgresConnectionManager(SETTINGS, ports)
    await expect(manager.session(async () => {})).rejects.toMatchObject({ code: expected, remedy: 'stop' })
    expect(pausesMs).toEqual([])
  })

  test('does not show the password that the driver repeats', async () => {
    const { ports } = world([failed('28P01', 'login postgres://u:hunter2@db refused, hunter2')])
    const manager = new PostgresConnectionManager(SETTINGS, ports)
    const error = await manager.query('test', 'select 1').catch((thrown: Error) => thrown)
    expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toContain('hunter2')
  })
})

describe('the address of a Postgres', () => {
  test('is read from one text, with its special characters and without a secret in what is shown', () => {
    const manager = new PostgresConnectionManager({
      connectionString: 'postgresql://u%40x:p%2Fw@[::1]:5433/my%20db?sslmode=require',
    })
    expect(manager.location).toBe('postgres://u@x@[::1]:5433/my db')
  })

  test.each([
    'mysql://a:hunter2@b/c',
    'postgres://a:hunter2@b:99999/c',
    'postgres://a:hunter2@b/c?sslmode=maybe',
  ])('is refused without being repeated: %s', (connectionString) => {
    const make = () => new PostgresConnectionManager({ connectionString })
    expect(make).toThrow(expect.objectContaining({ code: 'E_POSTGRES_ADDRESS', remedy: 'usage' }))
    expect(make).not.toThrow(/hunter2/)
  })
})
